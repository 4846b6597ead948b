"""
Concurrent hand-over: messages of all queues go to the handlers, in any order.

On the path of every message. A handler that returns at once costs no Deferred, no
timer and no log line; only one that has to wait takes one of the ``concurrency``
places. A message leaves its queue, and the offset moves over it, when it is consumed or
when it is safely handed back, never before.

Source: ``ConsumeMessageConcurrentlyService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.dispatch.outcomes import Retry, failures
from rocketmq_tw.client.consumer.dispatch.send_back import restored
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.consumer.subscriptions import MessageHandler
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue

#: Seconds after which the reactor gets its turn, however many messages wait.
SLICE = 0.02
#: Seconds until a message that could not be handed back goes to the handler again.
AGAIN = 5.0

_RETRY = Retry()
_topic_of = attrgetter("topic")


class _HandOver(msgspec.Struct, eq=False):
    """A handler that has not returned its outcome yet."""

    held: ProcessQueue
    messages: list[StoredMessage]
    waiting: Deferred[Any]
    limit: IDelayedCall | None = None
    over: bool = False


class ConcurrentDelivery:
    """
    Hands messages to their handlers and sees to what becomes of them.

    :param handler_of: gives the handler of a topic; may raise.
    :param consumed: called with a queue and the offset that it may be committed to.
    :param give_back: hands a message back with a delay level.
    :param concurrency: how many handlers may be waiting for something.
    :param batch: how many messages a handler gets at most; with 1 it gets no list.
    :param handler_timeout: seconds after which a handler is cancelled.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        handler_of: Callable[[str], MessageHandler],
        consumed: Callable[[MessageQueue, int], None],
        give_back: Callable[[StoredMessage, int], Deferred[None]],
        *,
        concurrency: int = 20,
        batch: int = 1,
        handler_timeout: float = 900.0,
    ) -> None:
        self._clock = clock
        self._handler_of = handler_of
        self._consumed = consumed
        self._give_back = give_back
        self._concurrency = concurrency
        self._batch = batch
        self._timeout = handler_timeout
        self._queued: deque[tuple[ProcessQueue, list[StoredMessage]]] = deque()
        self._running: set[_HandOver] = set()
        self._places = 0
        self._pumping = False
        self._next_slice: IDelayedCall | None = None
        self._delayed: set[IDelayedCall] = set()

    def submit(self, held: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Take messages of a queue that holds them; run what there is room for."""
        if held.is_retry:
            messages = [restored(message) for message in messages]
        if self._batch == 1:
            self._queued.extend((held, [message]) for message in messages)
        else:
            # Each topic has its handler, and a retry topic holds several topics.
            for _, group in groupby(messages, key=_topic_of):
                same = list(group)
                for start in range(0, len(same), self._batch):
                    self._queued.append((held, same[start : start + self._batch]))
        self._pump()

    def discard(self, held: ProcessQueue) -> None:
        """Forget what has not begun of one queue."""
        kept = [waiting for waiting in self._queued if waiting[0] is not held]
        self._queued.clear()
        self._queued.extend(kept)

    def stop(self) -> None:
        """Forget what has not begun."""
        self._queued.clear()
        for call in (*self._delayed, self._next_slice):
            if call is not None and call.active():
                call.cancel()
        self._delayed.clear()
        self._next_slice = None

    def cancel_running(self) -> list[StoredMessage]:
        """
        Cancel every handler that runs; its messages are to be delivered again.

        :returns: those messages.
        """
        cut = list(self._running)
        for hand_over in cut:
            self._cancel(hand_over)
        return [message for hand_over in cut for message in hand_over.messages]

    # -- handing over

    def _pump(self) -> None:
        """Hand over while there is something to, and room; not longer than a slice."""
        if self._pumping:
            return
        self._pumping = True
        queued = self._queued
        seconds = self._clock.seconds
        end = seconds() + SLICE
        try:
            while queued and self._places < self._concurrency:
                held, messages = queued.popleft()
                if not held.closing:
                    self._run(held, messages)
                    if seconds() > end:
                        self._go_on_later()
                        break
        finally:
            self._pumping = False

    def _go_on_later(self) -> None:
        """Let the reactor do something else first."""
        if self._next_slice is None and self._queued:
            self._next_slice = self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        """Begin the next slice."""
        self._next_slice = None
        self._pump()

    def _run(self, held: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Call the handler; deal with its outcome now, or when it comes."""
        # The handler may stop the consumer, which then waits for this message.
        held.begin()
        try:
            handler = self._handler_of(messages[0].topic)
            outcome = handler(messages[0] if self._batch == 1 else messages)
            if outcome is not None:
                outcome = _deferred_of(outcome)
        except Exception:
            _log_failure(messages)
            outcome = _RETRY
        if isinstance(outcome, Deferred):
            self._wait(held, messages, outcome)
        else:
            self._settle(held, messages, outcome)
        held.end()

    def _wait(
        self, held: ProcessQueue, messages: list[StoredMessage], waiting: Deferred[Any]
    ) -> None:
        """Take a place until the outcome comes or the time is up."""
        hand_over = _HandOver(held, messages, waiting)
        hand_over.limit = self._clock.callLater(
            self._timeout, self._timed_out, hand_over
        )
        self._begin(held)
        self._running.add(hand_over)
        waiting.addErrback(self._raised, hand_over)
        waiting.addCallback(self._over, hand_over)

    def _raised(self, failure: Failure, hand_over: _HandOver) -> Retry:
        """Make a retry of a failure; log it unless it is our own cancellation."""
        if not isinstance(failure.value, CancelledError):
            _log_failure(hand_over.messages, failure)
        return _RETRY

    def _over(self, outcome: Any, hand_over: _HandOver) -> None:
        """Deal with the outcome, once; one that comes after the time is ignored."""
        if hand_over.over:
            return
        hand_over.over = True
        if hand_over.limit is not None and hand_over.limit.active():
            hand_over.limit.cancel()
        self._running.discard(hand_over)
        self._settle(hand_over.held, hand_over.messages, outcome)
        self._end(hand_over.held)

    def _timed_out(self, hand_over: _HandOver) -> None:
        """Give a handler up that takes too long."""
        self._log.warn(
            "the handler of {id} was cancelled after {seconds:g} s",
            id=hand_over.messages[0].message_id,
            seconds=self._timeout,
        )
        self._cancel(hand_over)

    def _cancel(self, hand_over: _HandOver) -> None:
        """Cancel a handler; go on without it if it does not heed that."""
        hand_over.waiting.cancel()
        self._over(_RETRY, hand_over)

    def _begin(self, held: ProcessQueue) -> None:
        """Take a place."""
        self._places += 1
        held.begin()

    def _end(self, held: ProcessQueue) -> None:
        """Free a place, and use it."""
        self._places -= 1
        held.end()
        self._pump()

    # -- what becomes of the messages

    def _settle(
        self, held: ProcessQueue, messages: list[StoredMessage], outcome: Any
    ) -> None:
        """Move over what is consumed, hand back what is not."""
        if held.dropped:
            # The queue's new owner repeats what was not committed.
            return
        failed, level = failures(outcome, messages)
        if failed:
            self._begin(held)
            back = Deferred.fromCoroutine(self._hand_back(held, failed, level))
            back.addErrback(lambda f: self._log.failure("handing back failed", f))
            back.addCallback(lambda _: self._end(held))
            if len(failed) == len(messages):
                return
            offsets = {message.queue_offset for message in failed}
            messages = [m for m in messages if m.queue_offset not in offsets]
        self._finished(held, messages)

    def _finished(self, held: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Take messages out of the queue and move its offset."""
        position = held.remove(messages)
        if position >= 0:
            self._consumed(held.queue, position)

    async def _hand_back(
        self, held: ProcessQueue, failed: list[StoredMessage], level: int
    ) -> None:
        """Hand messages back; keep those that nobody takes, and run them again."""
        attempts = [self._give_back(message, level) for message in failed]
        results = await DeferredList(attempts, consumeErrors=True)
        if held.dropped:
            return
        gone: list[StoredMessage] = []
        kept: list[StoredMessage] = []
        for message, (done, _) in zip(failed, results, strict=True):
            (gone if done else kept).append(message)
        self._finished(held, gone)
        if kept:
            self._log.warn(
                "{n} messages of {queue} could not be handed back; they run again",
                n=len(kept),
                queue=held.queue,
            )
            self._run_again(held, kept)

    def _run_again(self, held: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Count one more attempt, and hand the messages over in a while."""
        if held.closing:
            return
        again = [
            msgspec.structs.replace(m, reconsume_times=m.reconsume_times + 1)
            for m in messages
        ]

        def submit() -> None:
            self._delayed.discard(call)
            self.submit(held, again)

        call = self._clock.callLater(AGAIN, submit)
        self._delayed.add(call)


def _log_failure(messages: list[StoredMessage], failure: Failure | None = None) -> None:
    """Log what a handler raised; without a failure, the exception being handled."""
    ConcurrentDelivery._log.failure(
        "the handler failed on {id} of {topic}, attempt {attempt}",
        failure,
        id=messages[0].message_id,
        topic=messages[0].topic,
        attempt=messages[0].reconsume_times + 1,
    )


def _deferred_of(outcome: Any) -> Any:
    """Make a Deferred of a coroutine or an asyncio future; let all else be."""
    if isinstance(outcome, Coroutine):
        return Deferred.fromCoroutine(outcome)
    if hasattr(outcome, "add_done_callback"):
        return Deferred.fromFuture(outcome)
    return outcome
