"""
Traces of one simple consumer: messages that it has received, and what became of them.

Each message has a number of its own, for each is acknowledged by itself. What ends its
consumption is what the application says of it: acknowledged is a success, given back a
failure. A success that comes after the message has become visible again is a time-out,
since somebody else gets it, too. Without either the trace ends with its first record.

Source: ``ConsumeMessagePopConcurrentlyService`` of RocketMQ 5, where listeners say it.
"""

from __future__ import annotations

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred

from rocketmq_tw.client.trace.consumed import Begun, ConsumedTraces
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.trace import ConsumeOutcome


class PopTrace(msgspec.Struct, frozen=True):
    """
    What was written of a popped message.

    :ivar until: when it becomes visible again, in seconds since the epoch.
    """

    begun: Begun
    until: float


class PopTracer(Service):
    """Traces what one consumer receives; sends the rest when it is stopped."""

    def __init__(self, traces: ConsumedTraces) -> None:
        self._traces = traces

    def received(self, message: StoredMessage, seconds: float) -> PopTrace | None:
        """
        Trace a message that was received.

        :param seconds: for which nobody else gets it.
        :returns: what is written of it; None if it is not traced.
        """
        begun = self._traces.begin([message])
        return None if begun is None else PopTrace(begun, begun.at + seconds)

    def kept(self, trace: PopTrace, seconds: float) -> PopTrace:
        """Return the trace of a message that is invisible for some seconds more."""
        return msgspec.structs.replace(trace, until=self._traces.now() + seconds)

    def acknowledged(self, trace: PopTrace) -> None:
        """Trace a message that was acknowledged."""
        is_late = self._traces.now() >= trace.until
        outcome = ConsumeOutcome.TIME_OUT if is_late else ConsumeOutcome.SUCCESS
        self._traces.end(trace.begun, lambda _: outcome)

    def given_back(self, trace: PopTrace) -> None:
        """Trace a message that is to come again."""
        self._traces.end(trace.begun, lambda _: ConsumeOutcome.FAILED)

    def stopService(self) -> Deferred[None]:
        """Send what waits; never fails."""
        super().stopService()
        return self._traces.stop()
