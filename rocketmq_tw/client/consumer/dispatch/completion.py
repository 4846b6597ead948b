"""
Completes messages after their handler has returned an outcome.

A consumed message leaves its queue, and the queue's offset advances. A message that is
to be delivered again is first sent back to the broker, and leaves only after the broker
has stored it. If no broker accepts it, it stays and is passed to the handler again
later.

Source: ``ConsumeMessageConcurrentlyService.processConsumeResult`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.client.consumer.dispatch.outcomes import failures
from rocketmq_tw.client.consumer.process_queue import ProcessQueue, QueueState
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue

#: Seconds until a message that could not be sent back is passed to the handler again.
RETRY_WAIT: Final = 5.0

#: Sends a message back with a delay level.
SendBack = Callable[[StoredMessage, int], Deferred[None]]

_OPEN: Final = QueueState.OPEN
_DROPPED: Final = QueueState.DROPPED


class Completion:
    """
    Completes messages of one consumer.

    :param consumed: called with a queue and the offset that may be committed for it.
    :param send_back: sends a message back.
    :param redispatch: passes messages to the handler again.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        clock: IReactorTime,
        consumed: Callable[[MessageQueue, int], None],
        send_back: SendBack,
        redispatch: Callable[[ProcessQueue, list[StoredMessage]], None],
    ) -> None:
        self._clock = clock
        self._consumed = consumed
        self._send_back = send_back
        self._redispatch = redispatch
        self._scheduled: set[IDelayedCall] = set()

    def consumed(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Remove consumed messages."""
        # The new owner of a dropped queue consumes again what was not committed.
        if queue.state is not _DROPPED:
            queue.counts.consumed += len(messages)
            self._remove(queue, messages)

    def complete(
        self, queue: ProcessQueue, messages: list[StoredMessage], outcome: object
    ) -> Deferred[None] | None:
        """
        Remove consumed messages, and send back the others.

        :returns: None if all are consumed; otherwise fires when all are sent back or
            scheduled for a retry. It never fails.
        """
        if queue.state is _DROPPED:
            # The queue's new owner consumes again what was not committed.
            return None
        failed, level = failures(outcome, messages)
        queue.counts.consumed += len(messages) - len(failed)
        if not failed:
            self._remove(queue, messages)
            return None
        queue.counts.failed += len(failed)
        returned = Deferred.fromCoroutine(self._return(queue, failed, level))
        returned.addErrback(lambda f: self._log.failure("sending back failed", f))
        if len(failed) < len(messages):
            offsets = {message.queue_offset for message in failed}
            rest = [m for m in messages if m.queue_offset not in offsets]
            self._remove(queue, rest)
        return returned

    def stop(self) -> None:
        """Cancel the scheduled retries."""
        for call in self._scheduled:
            if call.active():
                call.cancel()
        self._scheduled.clear()

    def _remove(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Remove messages from the queue and advance its offset."""
        offset = queue.remove(messages)
        if offset >= 0:
            self._consumed(queue.queue, offset)

    async def _return(
        self, queue: ProcessQueue, failed: list[StoredMessage], level: int
    ) -> None:
        """Send messages back; schedule a retry of those that no broker accepts."""
        attempts = [self._send_back(message, level) for message in failed]
        results = await DeferredList(attempts, consumeErrors=True)
        if queue.state is _DROPPED:
            return
        gone: list[StoredMessage] = []
        kept: list[StoredMessage] = []
        for message, (done, _) in zip(failed, results, strict=True):
            (gone if done else kept).append(message)
        self._remove(queue, gone)
        if kept and queue.state is _OPEN:
            self._log.warn(
                "{n} messages of {queue} could not be sent back; they are retried here",
                n=len(kept),
                queue=queue.queue,
            )
            self._retry_later(queue, kept)

    def _retry_later(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """
        Schedule another dispatch of the messages, with the delivery count incremented.
        """
        counted = [
            msgspec.structs.replace(m, reconsume_times=m.reconsume_times + 1)
            for m in messages
        ]

        def retry() -> None:
            self._scheduled.discard(call)
            self._redispatch(queue, counted)

        call = self._clock.callLater(RETRY_WAIT, retry)
        self._scheduled.add(call)
