"""What a consumer pulls, on a cluster in memory: from where, how much, and when not."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import EARLIEST, LATEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.pull import PullMessage

ONE, TWO = (MessageQueue("orders", "broker-a", i) for i in range(2))


class PullingTests(SynchronousTestCase):
    """A topic of two queues with 20 messages in the first one, sent a second apart."""

    def setUp(self) -> None:
        """Send them."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders", 2)
        self.producer = self.cluster.producer()
        self.began = self.cluster.clock.seconds()
        for i in range(20):
            self._send(b"%d" % i, ONE)
            self.cluster.advance(1)
        self.seen: list[bytes] = []
        self.outcome: Any = None

    def _send(self, body: bytes, queue: MessageQueue) -> None:
        """Send a message."""
        sent = self.producer.send(Message("orders", body), queue=queue)
        self.cluster.result_of(sent)

    def _handle(self, message: StoredMessage) -> Any:
        """Note the message."""
        self.seen.append(message.body)
        return self.outcome(message) if callable(self.outcome) else self.outcome

    def _consume(self, **options: Any) -> PushConsumer:
        """Start a consumer."""
        options = {"start_from": EARLIEST, **options}
        return self.cluster.consumer("G", "orders", self._handle, **options)

    def _pulled(self) -> int:
        """Give the offset of the last pull of the first queue."""
        pulls = self.cluster.broker.traffic.requests(PullMessage)
        return [
            p.queue_offset for p in pulls if (p.topic, p.queue_id) == ("orders", 0)
        ][-1]

    def test_young_topic(self) -> None:
        """A new group reads all of a topic that is young, as Java's groups do."""
        self._consume(start_from=LATEST)
        self.cluster.advance(1)
        self.assertEqual(len(self.seen), 20)

    def test_start_at_a_time(self) -> None:
        """A new group starts with the first message stored at that time or later."""
        start = datetime.fromtimestamp(self.began + 15, UTC)
        self._consume(start_from=start, strict_start=True)
        self.cluster.advance(1)
        self.assertEqual(self.seen, [b"15", b"16", b"17", b"18", b"19"])

    def test_start_now(self) -> None:
        """A new group starts at the end, and continues where it has stopped."""
        consumer = self._consume(start_from=LATEST, strict_start=True)
        self._send(b"new", ONE)
        self.cluster.advance(1)
        self.assertEqual(self.seen, [b"new"])
        self.cluster.result_of(consumer.stop())
        self._send(b"newer", ONE)
        self._consume(start_from=LATEST)
        self.cluster.advance(1)
        self.assertEqual(self.seen, [b"new", b"newer"])

    def test_messages(self) -> None:
        """A queue with too many messages is pulled again when some are consumed."""
        waiting: list[Deferred[None]] = []
        self.outcome = lambda _: waiting.append(Deferred()) or waiting[-1]
        self._consume(max_queue_messages=4, pull_batch=3)
        self.cluster.advance(60)
        self.assertEqual((len(self.seen), self._pulled()), (6, 3))
        for each in waiting[:2]:
            each.callback(None)
        self.cluster.advance(1)
        self.assertEqual(len(self.seen), 9)

    def test_span(self) -> None:
        """One message that takes long stops a queue, once it is too far behind."""
        slow: Deferred[None] = Deferred()
        self.outcome = lambda message: slow if message.body == b"0" else None
        self._consume(max_span=8, pull_batch=3)
        self.cluster.advance(60)
        self.assertEqual(len(self.seen), 12)
        slow.callback(None)
        self.cluster.advance(1)
        self.assertEqual(len(self.seen), 20)

    def test_no_span_in_order(self) -> None:
        """In order, the span says nothing: the first message is the one that waits."""
        self.outcome = Deferred()
        consumer = self._consume(ordered=True, max_span=1, pull_batch=3)
        self.cluster.advance(10)
        self.assertEqual((len(self.seen), self._pulled()), (1, 20))
        self.assertEqual(len(consumer.assignment()), 3)

    def test_bytes(self) -> None:
        """A queue with too many bytes waits."""
        for i in range(20):
            # Random, so that the producer does not compress it to nothing.
            self._send(random.Random(i).randbytes(400_000), TWO)
        self.outcome = lambda _: Deferred()
        consumer = self._consume(max_queue_bytes=1 << 20, pull_batch=1)
        self.cluster.advance(10)
        large = [body for body in self.seen if len(body) > 1000]
        self.assertEqual(len(large), 6)
        self.assertIn(TWO, consumer.assignment())

    def test_pause(self) -> None:
        """Paused queues are not pulled, until they are resumed."""
        consumer = self._consume()
        self.cluster.advance(1)
        consumer.pause([ONE])
        # The pull that is at the broker already may bring messages.
        self._send(b"last", ONE)
        self.cluster.advance(20)
        self.seen.clear()
        self._send(b"one", ONE)
        self._send(b"two", TWO)
        self.cluster.advance(20)
        self.assertEqual(self.seen, [b"two"])
        consumer.resume([ONE])
        self.cluster.advance(2)
        self.assertEqual(self.seen, [b"two", b"one"])

    def test_hooks(self) -> None:
        """Queues that come and go are reported; a hook may take its time."""
        events: list[tuple[str, int]] = []
        consumer = self._consume()
        consumer.on_assigned(lambda queues: events.append(("+", len(queues))))
        waiting: Deferred[None] = Deferred()

        def revoked(queues: list[MessageQueue]) -> Deferred[None]:
            events.append(("-", len(queues)))
            return waiting

        consumer.on_revoked(revoked)
        self.cluster.advance(30)
        other = self._consume()
        self.cluster.advance(1.5)
        self.assertIn(("-", 1), events)
        self.assertIn(TWO, consumer.assignment())
        waiting.callback(None)
        self.assertNotIn(TWO, consumer.assignment())
        self.cluster.result_of(other.stop())
        self.cluster.advance(2)
        self.assertEqual(events[-1], ("+", 1))

    def test_failing_hook(self) -> None:
        """An exception of a hook is logged, and the queues are consumed."""
        consumer = self._consume()

        def broken(_queues: list[MessageQueue]) -> None:
            raise ValueError("hook")

        consumer.on_revoked(broken)
        other = self._consume()
        self.cluster.advance(5)
        self.assertEqual((len(consumer.assignment()), len(other.assignment())), (2, 1))
        self.assertGreaterEqual(len(self.flushLoggedErrors(ValueError)), 1)
