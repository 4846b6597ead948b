"""Dispatching messages to handlers, and what becomes of them."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.completion import RETRY_WAIT
from rocketmq_tw.client.consumer.dispatch.concurrent import (
    SLICE,
    ConcurrentDispatcher,
)
from rocketmq_tw.client.consumer.dispatch.outcomes import (
    ACK,
    DEAD_LETTER,
    Partial,
    Retry,
)
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import RETRY_TOPIC, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from tests.client.counting import Deferreds
from tests.client.fakes import message, queues


class DispatcherTests(SynchronousTestCase):
    """A dispatcher whose handler and broker are the test's."""

    def setUp(self) -> None:
        """Start with a handler that returns nothing."""
        self.clock = Clock()
        self.held = ProcessQueue(queues("T", 1)[0])
        self.seen: list[Any] = []
        self.positions: list[int] = []
        self.sent_back: list[tuple[int, int]] = []
        self.outcome: Any = None
        self.broker: Any = lambda: succeed(None)
        self.dispatcher = self._dispatcher()

    def _dispatcher(self, **options: Any) -> ConcurrentDispatcher:
        """Make one."""
        return ConcurrentDispatcher(
            clock=self.clock,
            handler_of=lambda _topic: self._handle,
            consumed=self._consumed,
            send_back=self._send_back,
            **options,
        )

    def _handle(self, given: Any) -> Any:
        """Note what is dispatched; return what the test wants."""
        self.seen.append(given)
        return self.outcome(given) if callable(self.outcome) else self.outcome

    def _consumed(self, queue: MessageQueue, position: int) -> None:
        """Note the offset."""
        self.positions.append(position)

    def _send_back(self, given: StoredMessage, level: int) -> Deferred[None]:
        """Note what comes back."""
        self.sent_back.append((given.queue_offset, level))
        return self.broker()

    def _submit(self, *offsets: int) -> list[StoredMessage]:
        """Pull messages, as it were."""
        messages = [message(offset) for offset in offsets]
        self.dispatcher.dispatch(self.held, self.held.put(messages))
        return messages

    def test_returns_at_once(self) -> None:
        """Plain returns consume, one after another; the offset moves once for all."""
        self._submit(5, 6)
        self.assertEqual(len(self.seen), 2)
        self.assertEqual(self.positions, [7])
        self.assertEqual(len(self.held), 0)

    def test_work(self) -> None:
        """A handler that returns at once costs no Deferred and no timer."""
        with Deferreds() as made:
            self._submit(*range(100))
        self.assertEqual((made.count, len(self.seen)), (0, 100))
        self.assertEqual((self.positions, self.clock.getDelayedCalls()), ([100], []))

    def test_work_of_coroutines(self) -> None:
        """One that has nothing to wait for costs its Deferred, but no timer."""

        async def handle(_: Any) -> None:
            pass

        self.outcome = handle
        with Deferreds() as made:
            self._submit(*range(100))
        self.assertEqual((made.count, self.positions[-1]), (100, 100))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_any_value_is_success(self) -> None:
        """None, ACK and any other value mean consumed."""
        for self.outcome in (ACK, False, 0, "x"):
            self._submit(len(self.positions))
        self.assertEqual((len(self.positions), self.sent_back), (4, []))

    def test_waits_for_deferred(self) -> None:
        """A message is not consumed before its Deferred fires."""
        waiting: list[Deferred[None]] = []
        self.outcome = lambda _: waiting.append(Deferred()) or waiting[-1]
        self._submit(5, 6)
        waiting[1].callback(None)
        self.assertEqual(self.positions, [5])
        waiting[0].callback(None)
        self.assertEqual(self.positions, [5, 7])
        self.dispatcher.cancel_running()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_coroutine(self) -> None:
        """A handler may be a coroutine function."""

        async def handle(_: Any) -> None:
            await succeed(None)

        self.outcome = handle
        self._submit(5)
        self.assertEqual(self.positions, [6])

    def test_future(self) -> None:
        """A handler may return a future of asyncio."""
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        future = loop.create_future()
        self.outcome = future
        self._submit(5)
        self.assertEqual(self.positions, [])
        future.set_result(None)
        loop.run_until_complete(asyncio.sleep(0))
        self.assertEqual(self.positions, [6])

    def test_concurrency(self) -> None:
        """So many handlers wait at once, and no more; one that ends makes way."""
        self.dispatcher = self._dispatcher(concurrency=2)
        waiting: list[Deferred[None]] = []
        self.outcome = lambda _: waiting.append(Deferred()) or waiting[-1]
        self._submit(1, 2, 3, 4)
        self.assertEqual(len(self.seen), 2)
        waiting[0].callback(None)
        self.assertEqual(len(self.seen), 3)

    def test_raises(self) -> None:
        """What raises is sent back, and only then leaves the queue."""
        back: Deferred[None] = Deferred()
        self.broker = lambda: back
        self.outcome = lambda _: 1 // 0
        self._submit(5)
        self.assertEqual(self.sent_back, [(5, 0)])
        self.assertEqual((self.positions, len(self.held)), ([], 1))
        back.callback(None)
        self.assertEqual((self.positions, len(self.held)), ([6], 0))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failed_deferred(self) -> None:
        """A Deferred that fails means retry too."""
        self.outcome = lambda _: fail(ValueError())
        self._submit(5)
        self.assertEqual(self.sent_back, [(5, 0)])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_explicit_outcomes(self) -> None:
        """Retry chooses the level; DEAD_LETTER is below 0."""
        self.outcome = Retry(level=4)
        self._submit(1)
        self.outcome = succeed(DEAD_LETTER)
        self._submit(2)
        self.assertEqual(self.sent_back, [(1, 4), (2, -1)])

    def test_nobody_takes_it_back(self) -> None:
        """A message that cannot be sent back runs again, one attempt later."""
        self.broker = lambda: fail(ValueError())
        self.outcome = Retry()
        self._submit(5)
        self.assertEqual((self.positions, len(self.held)), ([], 1))
        self.outcome = None
        self.clock.advance(RETRY_WAIT)
        self.assertEqual([m.reconsume_times for m in self.seen], [0, 1])
        self.assertEqual(self.positions, [6])

    def test_batches(self) -> None:
        """With a batch size the handler gets lists."""
        self.dispatcher = self._dispatcher(batch=2)
        self._submit(1, 2, 3)
        offsets = [[m.queue_offset for m in given] for given in self.seen]
        self.assertEqual(offsets, [[1, 2], [3]])

    def test_partial(self) -> None:
        """Of a batch, only what failed is sent back."""
        self.dispatcher = self._dispatcher(batch=3)
        self.broker = Deferred
        self.outcome = lambda given: Partial(failed=given[:1], level=2)
        self._submit(1, 2, 3)
        self.assertEqual(self.sent_back, [(1, 2)])
        self.assertEqual((self.positions, len(self.held)), ([1], 1))

    def test_retry_topic(self) -> None:
        """Messages of the retry topic bear their own topic again."""
        self.held = ProcessQueue(queues("%RETRY%G", 1)[0])
        retried = message(3, topic="%RETRY%G", properties={RETRY_TOPIC: "T"})
        self.dispatcher.dispatch(self.held, self.held.put([retried]))
        self.assertEqual(self.seen[0].topic, "T")
        self.assertEqual(self.positions, [4])

    def test_retry_topic_in_batches(self) -> None:
        """A batch holds messages of one topic only."""
        self.dispatcher = self._dispatcher(batch=10)
        self.held = ProcessQueue(queues("%RETRY%G", 1)[0])
        topics = ["T", "T", "U"]
        messages = [
            message(i, topic="%RETRY%G", properties={RETRY_TOPIC: topic})
            for i, topic in enumerate(topics)
        ]
        self.dispatcher.dispatch(self.held, self.held.put(messages))
        self.assertEqual([len(given) for given in self.seen], [2, 1])

    def test_timeout(self) -> None:
        """A handler that takes too long is cancelled, its message sent back."""
        self.dispatcher = self._dispatcher(handler_timeout=10)
        stuck: Deferred[None] = Deferred()
        self.outcome = lambda _: stuck
        self._submit(5)
        self.clock.advance(10)
        self.assertEqual(self.sent_back, [(5, 0)])
        self.assertTrue(stuck.called)

    def test_timeout_not_heeded(self) -> None:
        """A handler that goes on after its time is not waited for."""
        self.dispatcher = self._dispatcher(handler_timeout=10)
        ignored: Deferred[None] = Deferred()

        async def handle(_: Any) -> None:
            try:
                await Deferred()
            except BaseException:
                await ignored

        self.outcome = handle
        self._submit(5)
        self.clock.advance(10)
        self.assertEqual(self.sent_back, [(5, 0)])
        ignored.callback(None)
        self.assertEqual(self.positions, [6])

    def test_dropped(self) -> None:
        """Once the queue is another's, results do not count."""
        waiting: Deferred[Any] = Deferred()
        self.outcome = lambda _: waiting
        self._submit(5)
        self.held.drop()
        waiting.callback(Retry())
        self.assertEqual((self.positions, self.sent_back), ([], []))

    def test_closing(self) -> None:
        """When the queue is going nothing is begun, but what runs counts."""
        self.dispatcher = self._dispatcher(concurrency=1)
        waiting: Deferred[Any] = Deferred()
        self.outcome = lambda _: waiting
        self._submit(5, 6)
        self.held.close()
        idle = self.held.when_idle()
        waiting.callback(None)
        self.successResultOf(idle)
        self.assertEqual((self.positions, len(self.seen)), ([6], 1))

    def test_discard(self) -> None:
        """Of a queue that was dropped nothing is kept."""
        self.dispatcher = self._dispatcher(concurrency=1)
        waiting: Deferred[Any] = Deferred()
        self.outcome = lambda _: waiting
        self._submit(5, 6)
        other = ProcessQueue(queues("T", 2)[1])
        self.dispatcher.dispatch(other, other.put([message(9)]))
        self.held.drop()
        self.dispatcher.discard(self.held)
        waiting.callback(None)
        self.assertEqual([m.queue_offset for m in self.seen], [5, 9])

    def test_stopping_within_a_handler(self) -> None:
        """A queue is not idle while a handler that returns at once has not."""
        idle: list[Deferred[None]] = []
        self.outcome = lambda _: idle.append(self.held.when_idle())
        self._submit(5)
        self.successResultOf(idle[0])
        self.assertEqual(self.positions, [6])

    def test_reactor_runs_between_slices(self) -> None:
        """Handlers that take long do not keep the reactor for all messages."""

        def handle(_: Any) -> None:
            self.clock.rightNow += SLICE * 2

        self.outcome = handle
        self._submit(1, 2, 3)
        self.assertEqual(len(self.seen), 1)
        self.clock.advance(0)
        self.assertEqual(len(self.seen), 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel_running(self) -> None:
        """At a stop what runs is cancelled and sent back."""
        self.outcome = lambda _: Deferred()
        self._submit(1, 2)
        cut = self.dispatcher.cancel_running()
        self.assertEqual(sorted(m.queue_offset for m in cut), [1, 2])
        self.assertEqual(len(self.sent_back), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_invocations_are_counted(self) -> None:
        """The time of a handler that waits is counted until its outcome is there."""
        waiting: Deferred[None] = Deferred()

        def handle(given: StoredMessage) -> Any:
            self.clock.rightNow += 0.002
            return waiting if given.queue_offset == 7 else None

        self.outcome = handle
        self._submit(5, 6, 7)
        self.clock.advance(1)
        waiting.callback(None)
        counts = self.held.counts
        self.assertEqual((counts.invocations, counts.consumed), (3, 3))
        self.assertAlmostEqual(counts.invocation_time, 1.006)

    def test_no_handler(self) -> None:
        """Messages of a topic without a handler are delivered again."""

        def missing(_topic: str) -> Any:
            raise KeyError(_topic)

        self.dispatcher = ConcurrentDispatcher(
            clock=self.clock,
            handler_of=missing,
            consumed=self._consumed,
            send_back=self._send_back,
        )
        self._submit(5, 6)
        self.assertEqual(self.sent_back, [(5, 0), (6, 0)])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)

    def test_stop_within_a_handler(self) -> None:
        """The other messages of the same pull are not passed to the handler."""
        self.outcome = lambda _: self.dispatcher.stop()
        self._submit(5, 6)
        self.assertEqual((len(self.seen), self.positions), (1, [6]))

    def test_discard_within_a_handler(self) -> None:
        """The other messages of the same queue are not passed to the handler."""
        self.outcome = lambda _: self.dispatcher.discard(self.held)
        self._submit(5, 6)
        self.assertEqual((len(self.seen), self.positions), (1, [6]))

    def test_dropped_within_a_handler(self) -> None:
        """What was consumed before, from the same pull, does not count either."""
        self.outcome = lambda m: self.held.drop() if m.queue_offset == 6 else None
        self._submit(5, 6, 7)
        self.assertEqual((len(self.seen), self.positions), (2, []))

    def test_outcomes_at_once(self) -> None:
        """Messages that fail do not keep the ones beside them."""
        back: list[Deferred[None]] = []
        self.broker = lambda: back.append(Deferred()) or back[-1]
        self.outcome = lambda m: Retry() if m.queue_offset == 6 else ACK
        self._submit(5, 6, 7)
        self.assertEqual((self.sent_back, self.positions), ([(6, 0)], [6]))
        back[0].callback(None)
        self.assertEqual(self.positions, [6, 8])
