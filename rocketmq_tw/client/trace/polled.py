"""
Traces of one pull consumer: messages that a poll has returned.

Nobody but the application knows when it has dealt with them, so both records are
written at once, with no cost, as Java's pull consumer does.

Source: ``DefaultLitePullConsumerImpl.poll`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.client.trace.consumed import ConsumedTraces
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.trace import ConsumeOutcome


class PollTracer:
    """Traces what the polls of one consumer return."""

    def __init__(self, traces: ConsumedTraces) -> None:
        self._traces = traces

    def delivered(self, messages: list[StoredMessage]) -> None:
        """Trace messages of one queue that a poll returns; there is at least one."""
        begun = self._traces.begin(messages)
        if begun is not None:
            self._traces.end(begun, lambda _: ConsumeOutcome.SUCCESS)

    def stop(self) -> Deferred[None]:
        """Send what waits; never fails."""
        return self._traces.stop()
