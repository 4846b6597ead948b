"""Failed messages on a cluster in memory: when and how often they come again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.dispatch.outcomes import DEAD_LETTER, Partial, Retry
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.send import SendBack

#: Seconds of the delay levels 3 to 18.
LADDER = [10, 30, *range(60, 601, 60), 1200, 1800, 3600, 7200]


class RetryTests(SynchronousTestCase):
    """A consumer whose handler is the test's."""

    def setUp(self) -> None:
        """Start a cluster with a topic."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders", 1)
        self.producer = self.cluster.producer()
        self.broker = self.cluster.broker
        #: When each message came, and how often it had come before.
        self.seen: list[tuple[float, int]] = []

    def _consume(self, handle: Any, **options: Any) -> PushConsumer:
        """Start the consumer; notes all that comes."""

        def handler(given: Any) -> Any:
            for message in given if isinstance(given, list) else [given]:
                now = self.cluster.clock.seconds()
                self.seen.append((now, message.reconsume_times))
            return handle(given)

        return self.cluster.consumer(
            "G", "orders", handler, start_from=EARLIEST, **options
        )

    def _send(self, *bodies: bytes) -> None:
        """Send messages."""
        for body in bodies:
            self.cluster.result_of(self.producer.send(Message("orders", body)))

    def _dead(self) -> list[tuple[bytes, int]]:
        """List the dead letters, and how often each was delivered."""
        messages = self.cluster.messages("%DLQ%G")
        return [(message.body, message.reconsume_times) for message in messages]

    def test_ladder(self) -> None:
        """
        A message that always fails is retried 16 times, ever later, then dead.

        The levels are 3 to 18; a delivery follows a level's time within milliseconds.
        """
        self._consume(lambda _: Retry())
        # The retry topic is assigned a little later than the others.
        self.cluster.advance(30)
        self._send(b"bad")
        self.cluster.advance(sum(LADDER) + 60)
        self.assertEqual([times for _, times in self.seen], list(range(17)))
        moments = [moment for moment, _ in self.seen]
        waits = [after - before for before, after in pairwise(moments)]
        self.assertEqual([int(wait) for wait in waits], LADDER)
        self.assertLess(max(wait - int(wait) for wait in waits), 0.1)
        self.assertEqual(self._dead(), [(b"bad", 17)])

    def test_level(self) -> None:
        """The handler can choose the delay level."""
        self._consume(lambda message: Retry(1) if message.reconsume_times < 2 else None)
        self.cluster.advance(30)
        self._send(b"a")
        self.cluster.advance(5)
        self.assertEqual(len(self.seen), 3)

    def test_max_retries(self) -> None:
        """So many retries, then it is dead; without any, at once."""
        for most in (0, 2):
            with self.subTest(most):
                self.seen.clear()
                consumer = self._consume(lambda _: Retry(1), max_retries=most)
                self.cluster.advance(30)
                self._send(b"%d" % most)
                self.cluster.advance(10)
                self.assertEqual(len(self.seen), most + 1)
                self.cluster.result_of(consumer.stop())
        self.assertEqual(self._dead(), [(b"0", 1), (b"2", 3)])

    def test_dead_at_once(self) -> None:
        """The handler can make a dead letter of a message."""
        self._consume(lambda _: DEAD_LETTER)
        self._send(b"a")
        self.cluster.advance(1)
        self.assertEqual(self._dead(), [(b"a", 1)])

    def test_batch(self) -> None:
        """Of a batch only the failed messages come again."""
        got: list[list[bytes]] = []

        def handle(messages: list[StoredMessage]) -> Any:
            got.append([message.body for message in messages])
            first = [m for m in messages if not m.reconsume_times]
            return Partial([m for m in first if m.body in (b"b", b"c")], level=1)

        self._send(b"a", b"b", b"c", b"d", b"e")
        self._consume(handle, batch=4)
        self.cluster.advance(40)
        self.assertEqual(got[:2], [[b"a", b"b", b"c", b"d"], [b"e"]])
        self.assertEqual(sorted(sum(got[2:], [])), [b"b", b"c"])

    def test_timeout(self) -> None:
        """A handler that hangs for 15 minutes is cancelled; its message comes again."""
        hanging: list[Deferred[None]] = []

        def handle(message: StoredMessage) -> Deferred[None] | None:
            if message.reconsume_times:
                return None
            hanging.append(Deferred())
            return hanging[-1]

        self._consume(handle, concurrency=2)
        self._send(b"a")
        self.cluster.advance(895)
        self.assertEqual(len(self.seen), 1)
        self._send(b"b")
        self.cluster.advance(20)
        self.assertEqual([times for _, times in self.seen], [0, 0, 1])
        self.cluster.advance(900)
        self.assertEqual([times for _, times in self.seen], [0, 0, 1, 1])

    def test_broker_away(self) -> None:
        """
        While no broker takes a message back, the handler gets it again every 5 s.

        The offset stays before it, so a crash loses nothing.
        """
        self.broker.traffic.ignore(SendBack)
        done: list[bytes] = []

        def handle(message: StoredMessage) -> Retry | None:
            if message.reconsume_times < 3:
                # Without a route, the copy cannot be sent to another broker either.
                return Retry()
            done.append(message.body)
            return None

        self._consume(handle)
        self._send(b"a")
        self.cluster.advance(1)
        self.cluster.faults.cut(self.cluster.clients[1], self.broker)
        self.cluster.advance(60)
        self.assertEqual(done, [b"a"])
        waits = [b[0] - a[0] for a, b in pairwise(self.seen)]
        self.assertTrue(all(wait >= 5 for wait in waits), waits)
