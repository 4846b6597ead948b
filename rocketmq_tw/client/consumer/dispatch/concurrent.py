"""
Concurrent dispatch: messages of all queues are passed to the handlers in any order.

This is on the path of every message. A handler that returns at once needs no Deferred,
timer or log line; only one that has to wait counts against ``concurrency``. The outcome
is processed by :class:`Completion`: for the messages of one pull whose handlers have
returned at once, together, so that most of the cost is one of pulls.

Source: ``ConsumeMessageConcurrentlyService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.client.consumer.dispatch.completion import Completion, SendBack
from rocketmq_tw.client.consumer.dispatch.outcomes import PLAIN, MessageHandler
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

#: Seconds after which the reactor may do other work, even if messages are waiting.
SLICE: Final = 0.02

_OPEN: Final = QueueState.OPEN
_topic_of = attrgetter("topic")


class _Chunk(msgspec.Struct, eq=False):
    """
    The messages of one queue that were pulled together, or a part of them.

    :ivar waiting: what the handler gets next: messages, or lists of them.
    """

    queue: ProcessQueue
    topic: str
    waiting: deque[Any]


class ConcurrentDispatcher:
    """
    Calls the handlers, at most ``concurrency`` asynchronous ones at a time.

    :param handler_of: returns the handler of a topic; may raise.
    :param consumed: called with a queue and the offset that may be committed for it.
    :param send_back: sends a message back with a delay level.
    :param concurrency: how many asynchronous handlers may run at once.
    :param batch: how many messages a handler gets at most; with 1 it gets one message.
    :param handler_timeout: seconds after which a handler is cancelled.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        handler_of: Callable[[str], MessageHandler],
        consumed: Callable[[MessageQueue, int], None],
        send_back: SendBack,
        concurrency: int = 20,
        batch: int = 1,
        handler_timeout: float = 900.0,
    ) -> None:
        self._clock = clock
        self._handler_of = handler_of
        self._concurrency = concurrency
        self._batch = batch
        self._handlers = RunningHandlers(clock, handler_timeout)
        self._completion = Completion(
            clock=clock,
            consumed=consumed,
            send_back=send_back,
            redispatch=self.dispatch,
        )
        self._queued: deque[_Chunk] = deque()
        #: Handlers that are running, and messages that are being sent back.
        self._waiting = 0
        self._in_slice = False
        self._next_slice: IDelayedCall | None = None

    def dispatch(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Queue messages, and call handlers as ``concurrency`` allows."""
        if queue.is_retry:
            messages = [with_original_topic(message) for message in messages]
        # Each topic has its own handler, and a retry topic contains several topics.
        for topic, group in groupby(messages, key=_topic_of):
            self._queued.append(_Chunk(queue, topic, deque(self._given(group))))
        self._run_slice()

    def discard(self, queue: ProcessQueue) -> None:
        """Drop the messages of one queue that are not with a handler yet."""
        kept = []
        for chunk in self._queued:
            if chunk.queue is queue:
                chunk.waiting.clear()  # it may be running
            else:
                kept.append(chunk)
        self._queued.clear()
        self._queued.extend(kept)

    def stop(self) -> None:
        """Drop all messages that are not with a handler yet."""
        for chunk in self._queued:
            chunk.waiting.clear()  # it may be running
        self._queued.clear()
        self._completion.stop()
        if self._next_slice is not None and self._next_slice.active():
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
        """Call handlers for the queued messages, for one slice at most."""
        if self._in_slice:
            return
        self._in_slice = True
        queued = self._queued
        end = self._clock.seconds() + SLICE
        try:
            while queued and self._waiting < self._concurrency:
                chunk = queued[0]
                if self._run(chunk, end):
                    self._schedule_slice()
                    break
                if not chunk.waiting and queued and queued[0] is chunk:
                    queued.popleft()
        finally:
            self._in_slice = False

    def _schedule_slice(self) -> None:
        """Schedule the next slice, so that the reactor can do other work first."""
        if self._next_slice is None and self._queued:
            self._next_slice = self._clock.callLater(0, self._begin_slice)

    def _begin_slice(self) -> None:
        """Run the scheduled slice."""
        self._next_slice = None
        self._run_slice()

    def _run(self, chunk: _Chunk, end: float) -> bool:
        """
        Call the handler for a chunk, until as many run as may, or the slice ends.

        :returns: whether the slice has ended.
        """
        queue, waiting, seconds = chunk.queue, chunk.waiting, self._clock.seconds
        handler = self._handler(chunk.topic)
        begun, consumed = seconds(), []
        now, calls = begun, 0
        # A handler may stop the consumer, which has to wait for its message.
        queue.begin()
        try:
            while waiting and now <= end:
                if queue.state is not _OPEN:
                    waiting.clear()
                    break
                given = waiting.popleft()
                calls += 1
                try:
                    outcome = handler(given)
                except Exception:
                    outcome = self._raised(given)
                if outcome is None or outcome.__class__ in PLAIN:
                    consumed.append(given)
                elif not self._process(queue, given, outcome):
                    break
                now = seconds()
            return now > end
        finally:
            if consumed:
                self._completion.consumed(queue, self._flat(consumed))
            queue.counts.invocations += calls
            queue.counts.invocation_time += now - begun
            queue.end()

    def _handler(self, topic: str) -> Callable[[Any], Any]:
        """Return the handler of a topic; if there is none, one that says so."""
        try:
            return self._handler_of(topic)
        except Exception as error:
            missing = error

        def refuse(_given: Any) -> None:
            raise missing

        return refuse

    def _given(self, messages: Iterable[StoredMessage]) -> Iterable[Any]:
        """Return what handlers are to be given, one after another."""
        if self._batch == 1:
            return messages
        parts = list(messages)
        starts = range(0, len(parts), self._batch)
        return (parts[at : at + self._batch] for at in starts)

    def _flat(self, given: list[Any]) -> list[StoredMessage]:
        """Return the messages that handlers were given."""
        if self._batch == 1:
            return given
        return [message for batch in given for message in batch]

    def _raised(self, given: Any) -> Any:
        """Log the exception being handled; the messages are delivered again."""
        log_failure(self._flat([given]))
        return RETRY

    def _process(self, queue: ProcessQueue, given: Any, outcome: Any) -> bool:
        """
        Complete the messages now, or when the Deferred fires.

        :returns: whether more handlers may run.
        """
        messages = self._flat([given])
        try:
            outcome = outcome_of(outcome, messages)
        except Exception:
            outcome = self._raised(given)
        if isinstance(outcome, Deferred):
            self._begin(queue)
            self._handlers.wait(queue, messages, outcome, self._returned)
        else:
            self._complete(queue, messages, outcome)
        return self._waiting < self._concurrency

    def _returned(
        self, queue: ProcessQueue, messages: list[StoredMessage], outcome: Any
    ) -> None:
        """Process the outcome of a handler that was waited for."""
        self._complete(queue, messages, outcome)
        self._end(queue)

    def _complete(
        self, queue: ProcessQueue, messages: list[StoredMessage], outcome: Any
    ) -> None:
        """Complete the messages; sending back counts as a running handler."""
        returned = self._completion.complete(queue, messages, outcome)
        if returned is not None:
            self._begin(queue)
            returned.addCallback(lambda _: self._end(queue))

    def _begin(self, queue: ProcessQueue) -> None:
        """Count one more running handler."""
        self._waiting += 1
        queue.begin()

    def _end(self, queue: ProcessQueue) -> None:
        """Count one less running handler, and call more handlers."""
        self._waiting -= 1
        queue.end()
        self._run_slice()
