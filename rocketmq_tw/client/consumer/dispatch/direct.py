"""
Consumes one message at the command of an administrator.

Nothing is sent back or committed: the result is the response.

Source: ``ConsumeMessageConcurrentlyService.consumeMessageDirectly`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler, failures
from rocketmq_tw.client.consumer.dispatch.running import deferred_of
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumeResult,
)


class DirectDispatcher:
    """
    Calls the handlers of one consumer directly.

    :param handler_of: returns the handler of a topic; may raise.
    :param ordered: whether the consumer is orderly, for the result.
    :param batch: whether the handler gets a list.
    :param handler_timeout: seconds after which the handler is cancelled.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        handler_of: Callable[[str], MessageHandler],
        ordered: bool,
        batch: bool,
        handler_timeout: float,
    ) -> None:
        self._clock = clock
        self._handler_of = handler_of
        self._ordered = ordered
        self._batch = batch
        self._timeout = handler_timeout

    def consume(self, message: StoredMessage) -> Deferred[ConsumeMessageDirectlyResult]:
        """Consume a message, which has its original topic; never fails."""
        return Deferred.fromCoroutine(self._consume(message))

    async def _consume(self, message: StoredMessage) -> ConsumeMessageDirectlyResult:
        """Call the handler, and wait for the outcome."""
        began = self._clock.seconds()
        remark = None
        try:
            handler: Callable[[Any], Any] = self._handler_of(message.topic)
            outcome = deferred_of(handler([message] if self._batch else message))
            if isinstance(outcome, Deferred):
                outcome = await outcome.addTimeout(self._timeout, self._clock)
            failed, _ = failures(outcome, [message])
            result = ConsumeResult.CR_LATER if failed else ConsumeResult.CR_SUCCESS
        except Exception:
            result = ConsumeResult.CR_THROW_EXCEPTION
            remark = Failure().getTraceback()
        return ConsumeMessageDirectlyResult(
            consume_result=result,
            order=self._ordered,
            remark=remark,
            spent_time_mills=round((self._clock.seconds() - began) * 1000),
        )
