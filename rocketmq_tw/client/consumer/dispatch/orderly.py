"""
Orderly dispatch: the messages of one queue are passed to the handler one after another.

A message that fails stays at the head of its queue, which is suspended for a while;
then the handler gets it again, with the delivery count incremented. So it blocks its
queue until it is consumed or has failed ``max_retries`` times; then it becomes a dead
letter. The other queues go on meanwhile.

Messages are dispatched only while the queue is locked at its broker: see
:class:`~rocketmq_tw.client.consumer.group.locks.QueueLocks`.

Source: ``ConsumeMessageOrderlyService`` of RocketMQ 5. There, a queue occupies a thread
for a minute at most; here, queues take turns after each slice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.client.consumer.dispatch.concurrent import SLICE
from rocketmq_tw.client.consumer.dispatch.outcomes import (
    MAX_SUSPENSION,
    MIN_SUSPENSION,
    PLAIN,
    MessageHandler,
    Verdict,
    verdict,
)
from rocketmq_tw.client.consumer.dispatch.running import (
    RETRY,
    RunningHandlers,
    log_failure,
    outcome_of,
)
from rocketmq_tw.client.consumer.dispatch.send_back import with_original_topic
from rocketmq_tw.client.consumer.process_queue import ProcessQueue, QueueState
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue

#: Makes a dead letter of a message; fires when a broker has stored it.
Bury = Callable[[StoredMessage], Deferred[None]]

_OPEN: Final = QueueState.OPEN
_DROPPED: Final = QueueState.DROPPED


class OrderlyDispatcher:
    """
    Calls the handlers, for one message (or batch) of a queue at a time.

    :param handler_of: returns the handler of a topic; may raise.
    :param consumed: called with a queue and the offset that may be committed for it.
    :param bury: makes a dead letter of a message.
    :param is_held: whether a queue is locked by this consumer now.
    :param concurrency: how many asynchronous handlers may run at once.
    :param batch: how many messages a handler gets at most; with 1 it gets one message.
    :param handler_timeout: seconds after which a handler is cancelled.
    :param max_retries: how often a message is retried.
    :param suspend: seconds until a failed message is retried.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        clock: IReactorTime,
        handler_of: Callable[[str], MessageHandler],
        consumed: Callable[[MessageQueue, int], None],
        bury: Bury,
        is_held: Callable[[MessageQueue], bool],
        concurrency: int,
        batch: int,
        handler_timeout: float,
        max_retries: int,
        suspend: float,
    ) -> None:
        self._clock = clock
        self._handler_of = handler_of
        self._consumed = consumed
        self._send_to_dead_letters = bury
        self._is_held = is_held
        self._concurrency = concurrency
        self._batch = batch
        self._handlers = RunningHandlers(clock, handler_timeout)
        self._max_retries = max_retries
        self._suspension = suspend
        #: Queues whose turn it is next.
        self._ready: deque[ProcessQueue] = deque()
        #: Queues that are ready, running, suspended, or whose messages are sent back.
        self._busy: set[ProcessQueue] = set()
        self._suspended: dict[ProcessQueue, IDelayedCall] = {}
        self._waiting = 0
        self._in_slice = False
        self._next_slice: IDelayedCall | None = None

    def dispatch(self, queue: ProcessQueue, _messages: list[StoredMessage]) -> None:
        """Call the handler for the messages of a queue, unless it is busy already."""
        if queue not in self._busy:
            self._busy.add(queue)
            self._ready.append(queue)
            self._run_slice()

    def discard(self, queue: ProcessQueue) -> None:
        """Dispatch no more messages of a queue, and cancel its handler."""
        if queue in self._ready:
            self._ready.remove(queue)
        suspended = self._suspended.pop(queue, None)
        if suspended is not None:
            suspended.cancel()
        self._handlers.cancel(queue)
        self._busy.discard(queue)

    def stop(self) -> None:
        """Dispatch no more messages; handlers that are running may finish."""
        self._ready.clear()
        for call in self._suspended.values():
            call.cancel()
        self._suspended.clear()
        if self._next_slice is not None:
            self._next_slice.cancel()
            self._next_slice = None

    def cancel_running(self) -> list[StoredMessage]:
        """
        Cancel all running handlers; their messages are delivered again.

        :returns: those messages.
        """
        return self._handlers.stop()

    # -- calling handlers

    def _run_slice(self) -> None:
        """Run the queues in turn, for one slice at most."""
        if self._in_slice or self._next_slice is not None:
            return
        self._in_slice = True
        end = self._clock.seconds() + SLICE
        try:
            while self._ready and self._waiting < self._concurrency:
                self._run(self._ready.popleft(), end)
                if self._clock.seconds() > end:
                    self._schedule_slice()
                    break
        finally:
            self._in_slice = False

    def _schedule_slice(self) -> None:
        """Schedule the next slice, so that the reactor can do other work first."""
        if self._ready:
            self._next_slice = self._clock.callLater(0, self._begin_slice)

    def _begin_slice(self) -> None:
        """Run the scheduled slice."""
        self._next_slice = None
        self._run_slice()

    def _run(self, queue: ProcessQueue, end: float) -> None:
        """Call the handler, until there is something to wait for or the slice ends."""
        counts, now = queue.counts, self._clock.seconds()
        while queue.state is _OPEN and self._is_held(queue.queue):
            messages = self._head(queue)
            if not messages:
                break
            # The handler may stop the consumer, which has to wait for this message.
            queue.begin()
            counts.invocations += 1
            begun, outcome = now, self._call(messages)
            now = self._clock.seconds()
            counts.invocation_time += now - begun
            if isinstance(outcome, Deferred):
                self._waiting += 1
                self._handlers.wait(queue, messages, outcome, self._returned)
                return
            goes_on = self._complete(queue, messages, outcome)
            queue.end()
            if not goes_on:
                return
            if now > end:
                self._ready.append(queue)
                return
        self._busy.discard(queue)

    def _head(self, queue: ProcessQueue) -> list[StoredMessage]:
        """Return the next messages of a queue; all have the same topic."""
        messages = queue.head(self._batch)
        if queue.is_retry:
            messages = [with_original_topic(message) for message in messages]
            messages = [m for m in messages if m.topic == messages[0].topic]
        return messages

    def _call(self, messages: list[StoredMessage]) -> Any:
        """Call the handler; return the outcome or its Deferred."""
        try:
            handler: Callable[[Any], Any] = self._handler_of(messages[0].topic)
            outcome = handler(messages[0] if self._batch == 1 else messages)
            plain = outcome is None or outcome.__class__ in PLAIN
            return None if plain else outcome_of(outcome, messages)
        except Exception:
            log_failure(messages)
            return RETRY

    def _returned(
        self, queue: ProcessQueue, messages: list[StoredMessage], outcome: Any
    ) -> None:
        """Process the outcome of a handler that was waited for."""
        self._waiting -= 1
        if self._complete(queue, messages, outcome):
            self._resume(queue)
        queue.end()
        self._run_slice()

    # -- completing messages

    def _complete(
        self, queue: ProcessQueue, messages: list[StoredMessage], outcome: Any
    ) -> bool:
        """
        Remove consumed messages, suspend the queue for the others.

        :returns: whether the next message can be dispatched now.
        """
        if queue.state is _DROPPED:
            # The queue's new owner consumes again what was not committed.
            return False
        if outcome is None:
            queue.counts.consumed += len(messages)
            self._remove(queue, messages)
            return True
        judged = verdict(outcome, messages)
        queue.counts.consumed += len(judged.consumed)
        queue.counts.failed += len(messages) - len(judged.consumed)
        self._remove(queue, judged.consumed)
        if not judged.dead and not judged.retried:
            return True
        returned = Deferred.fromCoroutine(self._fail(queue, judged))
        returned.addErrback(lambda f: self._log.failure("a retry failed", f))
        return False

    async def _fail(self, queue: ProcessQueue, judged: Verdict) -> None:
        """Make dead letters of some messages, and suspend the queue for the others."""
        limit = self._max_retries
        dead = [
            *judged.dead,
            *(m for m in judged.retried if m.reconsume_times >= limit),
        ]
        retried = [m for m in judged.retried if m.reconsume_times < limit]
        if dead:
            queue.begin()
            try:
                retried += await self._bury(queue, dead)
            finally:
                queue.end()
        if queue.state is _DROPPED:
            return
        queue.replace([_counted(message) for message in retried])
        if retried:
            seconds = self._suspension if judged.suspend is None else judged.suspend
            self._suspend(queue, seconds)
        else:
            self._resume(queue)
            self._run_slice()

    async def _bury(
        self, queue: ProcessQueue, dead: list[StoredMessage]
    ) -> list[StoredMessage]:
        """Make messages dead letters; return those that no broker accepts."""
        sent = [self._send_to_dead_letters(message) for message in dead]
        results = await DeferredList(sent, consumeErrors=True)
        kept = [m for m, (done, _) in zip(dead, results, strict=True) if not done]
        if queue.state is not _DROPPED:
            offsets = {message.queue_offset for message in kept}
            self._remove(queue, [m for m in dead if m.queue_offset not in offsets])
        return kept

    def _remove(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Remove messages from the queue and advance its offset."""
        offset = queue.remove(messages)
        if offset >= 0:
            self._consumed(queue.queue, offset)

    # -- suspension

    def _suspend(self, queue: ProcessQueue, seconds: float) -> None:
        """Dispatch the messages of a queue again later."""
        if queue.state is not _OPEN:
            self._busy.discard(queue)
            return
        seconds = min(max(seconds, MIN_SUSPENSION), MAX_SUSPENSION)
        self._suspended[queue] = self._clock.callLater(seconds, self._wake, queue)

    def _wake(self, queue: ProcessQueue) -> None:
        """End the suspension of a queue."""
        del self._suspended[queue]
        self._resume(queue)
        self._run_slice()

    def _resume(self, queue: ProcessQueue) -> None:
        """Give a queue its turn, after the others."""
        if queue.state is _OPEN:
            self._ready.append(queue)
        else:
            self._busy.discard(queue)


def _counted(message: StoredMessage) -> StoredMessage:
    """Return a message with its delivery count incremented."""
    return msgspec.structs.replace(message, reconsume_times=message.reconsume_times + 1)
