"""
Traces of one push consumer: before a handler gets messages, and after it has had them.

Source: ``ConsumeMessageConcurrentlyService`` of RocketMQ 5, for what is traced when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler, failures
from rocketmq_tw.client.consumer.dispatch.running import deferred_of
from rocketmq_tw.client.trace.consumed import ConsumedTraces
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.trace import ConsumeOutcome


class ConsumerTracer:
    """
    Traces what the handlers of one consumer get.

    :param handler_of: returns the handler of a topic; may raise.
    """

    def __init__(
        self, traces: ConsumedTraces, handler_of: Callable[[str], MessageHandler]
    ) -> None:
        self._traces = traces
        self._handler_of = handler_of

    def handler_of(self, topic: str) -> MessageHandler:
        """
        Return the handler of a topic, traced.

        :raises ValidationError: there is none.
        """
        handler: Callable[[Any], Any] = self._handler_of(topic)
        if topic == self._traces.topic:
            return handler
        return lambda given: self._call(handler, given)

    def stop(self) -> Deferred[None]:
        """Send what waits; never fails."""
        return self._traces.stop()

    def _call(self, handler: Callable[[Any], Any], given: Any) -> Any:
        """Call a handler with a message or several, between two traces."""
        messages: list[StoredMessage] = given if isinstance(given, list) else [given]
        begun = self._traces.begin(messages)
        if begun is None:
            return handler(given)

        def after(outcome: Any) -> Any:
            self._traces.end(begun, lambda message: _outcome(outcome, message))
            return outcome

        try:
            outcome = deferred_of(handler(given))
        except BaseException:
            after(Failure())
            raise
        if isinstance(outcome, Deferred):
            return outcome.addBoth(after)
        return after(outcome)


def _outcome(result: Any, message: StoredMessage) -> ConsumeOutcome:
    """Return how the consumption of a message ended, from what its handler gave."""
    if isinstance(result, Failure):
        # Only the consumer cancels handlers, as a rule after the time they have.
        is_late = result.check(CancelledError)
        return ConsumeOutcome.TIME_OUT if is_late else ConsumeOutcome.EXCEPTION
    failed, _ = failures(result, [message])
    return ConsumeOutcome.FAILED if failed else ConsumeOutcome.SUCCESS
