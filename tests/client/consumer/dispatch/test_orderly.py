"""Dispatching messages in order."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.concurrent import SLICE
from rocketmq_tw.client.consumer.dispatch.orderly import OrderlyDispatcher
from rocketmq_tw.client.consumer.dispatch.outcomes import (
    ACK,
    DEAD_LETTER,
    Partial,
    Retry,
    Suspend,
)
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import RETRY_TOPIC, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from tests.client.fakes import message, queues


class OrderlyDispatcherTests(SynchronousTestCase):
    """Two queues, whose handler and broker are the test's."""

    def setUp(self) -> None:
        """Start with a handler that returns nothing, and all locks."""
        self.clock = Clock()
        self.one, self.two = map(ProcessQueue, queues("T", 2))
        self.seen: list[Any] = []
        self.offsets: list[int] = []
        self.dead: list[int] = []
        self.outcome: Any = None
        self.broker: Any = lambda: succeed(None)
        self.held = True
        self.dispatcher = self._dispatcher()

    def _dispatcher(self, **options: Any) -> OrderlyDispatcher:
        """Make one."""
        options = {
            "concurrency": 20,
            "batch": 1,
            "handler_timeout": 900.0,
            "max_retries": 3,
            "suspend": 1.0,
            **options,
        }
        return OrderlyDispatcher(
            clock=self.clock,
            handler_of=lambda _topic: self._handle,
            consumed=self._consumed,
            bury=self._bury,
            is_held=lambda _queue: self.held,
            **options,
        )

    def _handle(self, given: Any) -> Any:
        """Note the offset, or the offsets; return what the test wants."""
        single = isinstance(given, StoredMessage)
        self.seen.append(
            given.queue_offset if single else [m.queue_offset for m in given]
        )
        return self.outcome(given) if callable(self.outcome) else self.outcome

    def _consumed(self, _queue: MessageQueue, offset: int) -> None:
        """Note the offset."""
        self.offsets.append(offset)

    def _bury(self, given: StoredMessage) -> Deferred[None]:
        """Note what becomes a dead letter."""
        self.dead.append(given.queue_offset)
        return self.broker()

    def _submit(self, *offsets: int, queue: ProcessQueue | None = None) -> None:
        """Pull messages, as it were."""
        queue = self.one if queue is None else queue
        self.dispatcher.dispatch(queue, queue.put(map(message, offsets)))

    def _wait_for_handlers(self) -> list[Deferred[Any]]:
        """Let the handler return Deferreds, which are listed."""
        waiting: list[Deferred[Any]] = []
        self.outcome = lambda _: waiting.append(Deferred()) or waiting[-1]
        return waiting

    def test_in_order(self) -> None:
        """One message of a queue after another; other queues do not wait."""
        waiting = self._wait_for_handlers()
        self._submit(5, 6)
        self._submit(1, queue=self.two)
        self.assertEqual(self.seen, [5, 1])
        waiting[0].callback(None)
        self.assertEqual((self.seen, self.offsets), ([5, 1, 6], [6]))
        waiting[2].callback(ACK)
        self.assertEqual(self.offsets, [6, 7])
        self._submit(7)
        self.assertEqual(self.seen[-1], 7)

    def test_invocations_are_counted(self) -> None:
        """The time of a handler that waits is counted until its outcome is there."""
        waiting = self._wait_for_handlers()
        self._submit(5, 6)
        self.clock.advance(2)
        waiting[0].callback(None)
        self.clock.advance(1)
        waiting[1].callback(None)
        counts = self.one.counts
        self.assertEqual((counts.invocations, counts.invocation_time), (2, 3))

    def test_retried_first(self) -> None:
        """A failed message comes again after a second, before the next."""
        times: list[int] = []

        def handle(given: StoredMessage) -> None:
            times.append(given.reconsume_times)
            if given.queue_offset == 5 and given.reconsume_times < 2:
                raise KeyError("failed")

        self.outcome = handle
        self._submit(5, 6)
        self.clock.advance(0.9)
        self.assertEqual(self.seen, [5])
        self.clock.advance(0.1)
        self.clock.advance(1)
        self.assertEqual((self.seen, times), ([5, 5, 5, 6], [0, 1, 2, 0]))
        self.assertEqual((self.offsets, self.dead), ([6, 7], []))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)

    def test_suspend(self) -> None:
        """The handler says for how long; at most for 30 s."""
        for seconds, waits in ((0.25, 0.25), (100, 30.0), (0, 0.01)):
            with self.subTest(seconds):
                self.outcome = Suspend(seconds)
                queue = ProcessQueue(queues("T", 1)[0])
                self._submit(1, queue=queue)
                [call] = self.clock.getDelayedCalls()
                self.assertAlmostEqual(call.getTime() - self.clock.seconds(), waits)
                self.dispatcher.discard(queue)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_dead_after_retries(self) -> None:
        """After three retries it becomes a dead letter, and the next is consumed."""
        self.outcome = lambda m: Retry() if m.queue_offset == 5 else None
        self._submit(5, 6)
        for _ in range(3):
            self.clock.advance(1)
        self.assertEqual(self.seen, [5, 5, 5, 5, 6])
        self.assertEqual((self.dead, self.offsets), ([5], [6, 7]))

    def test_dead_at_once(self) -> None:
        """The handler can make a dead letter of a message."""
        self.outcome = lambda m: DEAD_LETTER if m.queue_offset == 5 else None
        self._submit(5, 6)
        self.assertEqual((self.seen, self.dead), ([5, 6], [5]))

    def test_not_accepted(self) -> None:
        """If no broker accepts a dead letter, the handler gets the message again."""
        self.broker = lambda: fail(KeyError("away"))
        self.outcome = lambda m: DEAD_LETTER if m.queue_offset == 5 else None
        self._submit(5, 6)
        self.assertEqual((self.seen, self.offsets), ([5], []))
        self.broker = lambda: succeed(None)
        self.clock.advance(1)
        self.assertEqual((self.seen, self.offsets), ([5, 5, 6], [6, 7]))

    def test_timeout(self) -> None:
        """A handler that exceeds the timeout is cancelled; its message is retried."""
        waiting = self._wait_for_handlers()
        self._submit(5)
        self.clock.advance(900)
        self.clock.advance(1)
        self.assertEqual((self.seen, len(waiting)), ([5, 5], 2))

    def test_batch(self) -> None:
        """Messages after a failed one of a batch are retried with it."""
        self.dispatcher = self._dispatcher(batch=3)
        self.outcome = lambda given: (
            Partial([given[1]]) if given[0].queue_offset == 5 else None
        )
        self._submit(5, 6, 7, 8)
        self.clock.advance(1)
        self.assertEqual(self.seen, [[5, 6, 7], [6, 7, 8]])
        self.assertEqual(self.offsets, [6, 9])

    def test_partly_dead(self) -> None:
        """Some messages of a batch can become dead letters, the others are consumed."""
        self.dispatcher = self._dispatcher(batch=3)
        self.outcome = lambda given: Partial([given[1]], level=-1)
        self._submit(5, 6, 7)
        self.assertEqual((self.dead, self.offsets[-1]), ([6], 8))

    def test_concurrency(self) -> None:
        """So many handlers run at once; then other queues wait for their turn."""
        self.dispatcher = self._dispatcher(concurrency=1)
        waiting = self._wait_for_handlers()
        self._submit(1, 2)
        self._submit(5, queue=self.two)
        waiting[0].callback(None)
        self.assertEqual(self.seen, [1, 5])
        waiting[1].callback(None)
        self.assertEqual(self.seen, [1, 5, 2])

    def test_slice(self) -> None:
        """The reactor does other work after a slice."""
        self.outcome = lambda _: self.clock.advance(SLICE * 1.1)
        self._submit(1, 2)
        self._submit(5, queue=self.two)
        self.assertEqual(self.seen, [1])
        self.clock.pump([0] * 3)
        self.assertEqual(self.seen, [1, 2, 5])

    def test_lock_lost(self) -> None:
        """Nothing is dispatched without the lock; it goes on when it is back."""
        self.outcome = lambda _: setattr(self, "held", False)
        self._submit(1, 2)
        self.assertEqual(self.seen, [1])
        self._submit(3)
        self.assertEqual(self.seen, [1])
        self.held, self.outcome = True, None
        self.dispatcher.dispatch(self.one, [])
        self.assertEqual(self.seen, [1, 2, 3])

    def test_closed(self) -> None:
        """In a closing queue the running handler's result counts; no other follows."""
        waiting = self._wait_for_handlers()
        self._submit(1, 2)
        self.one.close()
        waiting[0].callback(None)
        self.assertEqual((self.seen, self.offsets), ([1], [2]))

    def test_dropped(self) -> None:
        """A discarded queue's handler is cancelled, and its result ignored."""
        cancelled: list[object] = []
        self.outcome = Deferred(cancelled.append)
        self._submit(1, 2)
        self.one.drop()
        self.dispatcher.discard(self.one)
        self.assertEqual((len(cancelled), self.offsets), (1, []))
        self.assertEqual((self.dispatcher.cancel_running(), self.one.running), ([], 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """No suspended queue is resumed, and running handlers can be cancelled."""
        self.outcome = Retry()
        self._submit(1)
        self.outcome = Deferred()
        self._submit(5, queue=self.two)
        for queue in (self.one, self.two):
            queue.close()
        self.dispatcher.stop()
        cancelled = self.dispatcher.cancel_running()
        self.assertEqual([each.queue_offset for each in cancelled], [5])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_retry_topic(self) -> None:
        """Messages of the retry topic come with the topic they were sent to."""
        self.dispatcher = self._dispatcher(batch=10)
        topics: list[list[str]] = []
        self.outcome = lambda given: topics.append([m.topic for m in given])
        queue = ProcessQueue(queues("%RETRY%G", 1)[0])
        pulled = [
            message(i, topic="%RETRY%G", properties={RETRY_TOPIC: topic})
            for i, topic in enumerate("AAB")
        ]
        self.dispatcher.dispatch(queue, queue.put(pulled))
        self.assertEqual(topics, [["A", "A"], ["B"]])
