"""
The records of what one group consumes: one before, and one after.

Both bear the same number, by which readers pair them. A message whose broker has said
that it wants no traces (``TRACE_ON``) has none, nor has one of the topic of traces.

Source: ``ConsumeMessageTraceHookImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.trace.dispatcher import TraceDispatcher
from rocketmq_tw.model.message import KEYS, MSG_REGION, TRACE_ON, StoredMessage
from rocketmq_tw.wire.trace import (
    ConsumeOutcome,
    TracedMessage,
    after_consumption,
    before_consumption,
)


class Traced:
    """A message that is traced."""

    __slots__ = ("message", "region", "retries", "stored")

    def __init__(self, stored: StoredMessage) -> None:
        table = stored.properties
        self.stored = stored
        self.message = TracedMessage(
            stored.topic, stored.message_id, stored.tag, table.get(KEYS)
        )
        self.region = table.get(MSG_REGION) or "DefaultRegion"
        self.retries = stored.reconsume_times


class Begun(msgspec.Struct, frozen=True):
    """
    Messages whose consumption has begun.

    :ivar request_id: the number of their records.
    :ivar at: when, in seconds since the epoch.
    """

    traced: list[Traced]
    request_id: str
    at: float


class ConsumedTraces:
    """
    Writes the records of one group. A failure to do so is logged: it must not become
    the consumer's.

    :param now: returns the time of day, in seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self, dispatcher: TraceDispatcher, *, group: str, now: Callable[[], float]
    ) -> None:
        self._dispatcher = dispatcher
        self._group = group
        self.now = now
        self.topic = dispatcher.topic

    def begin(self, messages: Sequence[StoredMessage]) -> Begun | None:
        """
        Trace messages of one topic that are about to be consumed together.

        :returns: what :meth:`end` takes; None if none of them is traced.
        """
        if messages[0].topic == self.topic:
            return None
        traced = [Traced(each) for each in messages if _is_on(each)]
        if not traced:
            return None
        begun = Begun(traced, uuid4().hex.upper(), self.now())
        self._quietly(lambda: self._before(begun))
        return begun

    def end(
        self, begun: Begun, outcome_of: Callable[[StoredMessage], ConsumeOutcome]
    ) -> None:
        """Trace how the consumption of messages ended."""
        self._quietly(lambda: self._after(begun, outcome_of))

    def stop(self) -> Deferred[None]:
        """Send what waits; never fails."""
        return self._dispatcher.stop()

    def _quietly(self, trace: Callable[[], None]) -> None:
        """Trace something, whatever goes wrong."""
        try:
            trace()
        except Exception:
            self._log.failure("a message was not traced")

    def _before(self, begun: Begun) -> None:
        records = [
            (
                each.message,
                before_consumption(
                    each.message,
                    time_ms=int(begun.at * 1000),
                    region=each.region,
                    group=self._group,
                    request_id=begun.request_id,
                    retries=each.retries,
                ),
            )
            for each in begun.traced
        ]
        self._dispatcher.add(begun.traced[0].message.topic, records)

    def _after(
        self, begun: Begun, outcome_of: Callable[[StoredMessage], ConsumeOutcome]
    ) -> None:
        now, traced = self.now(), begun.traced
        cost_ms = max(0, int((now - begun.at) * 1000)) // len(traced)
        records = [
            (
                each.message,
                after_consumption(
                    each.message,
                    time_ms=int(now * 1000),
                    group=self._group,
                    request_id=begun.request_id,
                    cost_ms=cost_ms,
                    outcome=outcome_of(each.stored),
                ),
            )
            for each in traced
        ]
        self._dispatcher.add(traced[0].message.topic, records)


def _is_on(message: StoredMessage) -> bool:
    """Whether the broker that stored a message wants traces of it."""
    return message.properties.get(TRACE_ON) != "false"
