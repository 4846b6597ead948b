"""
Traces of one consumer: before a handler gets messages, and after it has had them.

Source: ``ConsumeMessageTraceHookImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler, failures
from rocketmq_tw.client.consumer.dispatch.running import deferred_of
from rocketmq_tw.client.trace.dispatcher import TraceDispatcher
from rocketmq_tw.model.message import KEYS, MSG_REGION, TRACE_ON, StoredMessage
from rocketmq_tw.wire.trace import (
    ConsumeOutcome,
    TracedMessage,
    after_consumption,
    before_consumption,
)


class ConsumerTracer:
    """
    Traces what the handlers of one consumer get.

    :param handler_of: returns the handler of a topic; may raise.
    :param now: returns the time of day, in seconds since the epoch.
    """

    _log = Logger()

    def __init__(
        self,
        dispatcher: TraceDispatcher,
        *,
        group: str,
        handler_of: Callable[[str], MessageHandler],
        now: Callable[[], float],
    ) -> None:
        self._dispatcher = dispatcher
        self._group = group
        self._handler_of = handler_of
        self._now = now

    def handler_of(self, topic: str) -> MessageHandler:
        """
        Return the handler of a topic, traced.

        :raises ValidationError: there is none.
        """
        handler: Callable[[Any], Any] = self._handler_of(topic)
        if topic == self._dispatcher.topic:
            return handler
        return lambda given: self._call(handler, given)

    def stop(self) -> Deferred[None]:
        """Send what waits; never fails."""
        return self._dispatcher.stop()

    def _call(self, handler: Callable[[Any], Any], given: Any) -> Any:
        """Call a handler with a message or several, between two traces."""
        messages: list[StoredMessage] = given if isinstance(given, list) else [given]
        traced = [_Traced(each) for each in messages if _is_on(each)]
        if not traced:
            return handler(given)
        request_id = uuid4().hex.upper()
        begin = self._now()
        self._quietly(lambda: self._before(traced, request_id, begin))

        def after(outcome: Any) -> Any:
            self._quietly(lambda: self._after(traced, request_id, begin, outcome))
            return outcome

        try:
            outcome = deferred_of(handler(given))
        except BaseException:
            after(Failure())
            raise
        if isinstance(outcome, Deferred):
            return outcome.addBoth(after)
        return after(outcome)

    def _quietly(self, trace: Callable[[], None]) -> None:
        """Trace something; a failure must not become the handler's."""
        try:
            trace()
        except Exception:
            self._log.failure("a message was not traced")

    def _before(self, traced: list[_Traced], request_id: str, begin: float) -> None:
        records = [
            (
                each.message,
                before_consumption(
                    each.message,
                    time_ms=int(begin * 1000),
                    region=each.region,
                    group=self._group,
                    request_id=request_id,
                    retries=each.retries,
                ),
            )
            for each in traced
        ]
        self._dispatcher.add(traced[0].message.topic, records)

    def _after(
        self, traced: list[_Traced], request_id: str, begin: float, result: Any
    ) -> None:
        now = self._now()
        cost_ms = max(0, int((now - begin) * 1000)) // len(traced)
        records = [
            (
                each.message,
                after_consumption(
                    each.message,
                    time_ms=int(now * 1000),
                    group=self._group,
                    request_id=request_id,
                    cost_ms=cost_ms,
                    outcome=_outcome(result, each.stored),
                ),
            )
            for each in traced
        ]
        self._dispatcher.add(traced[0].message.topic, records)


class _Traced:
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


def _is_on(message: StoredMessage) -> bool:
    """Whether the broker that stored a message wants traces of it."""
    return message.properties.get(TRACE_ON) != "false"


def _outcome(result: Any, message: StoredMessage) -> ConsumeOutcome:
    """Return how the consumption of a message ended, from what its handler gave."""
    if isinstance(result, Failure):
        # Only the consumer cancels handlers, as a rule after the time they have.
        is_late = result.check(CancelledError)
        return ConsumeOutcome.TIME_OUT if is_late else ConsumeOutcome.EXCEPTION
    failed, _ = failures(result, [message])
    return ConsumeOutcome.FAILED if failed else ConsumeOutcome.SUCCESS
