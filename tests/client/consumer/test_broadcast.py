"""Broadcasting consumers, on a cluster in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.lock import LockQueues
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.send import SendBack


class BroadcastTests(SynchronousTestCase):
    """A topic of four queues, which every member reads."""

    def setUp(self) -> None:
        """Start a cluster."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.traffic = self.cluster.broker.traffic
        self.cluster.create_topic("news", 4)
        self.producer = self.cluster.producer()
        self.seen: dict[str, list[bytes]] = defaultdict(list)

    def _member(self, name: str, handle: Any = None, **options: Any) -> PushConsumer:
        """Start a member, on a client of that name."""

        def handler(message: StoredMessage) -> Any:
            self.seen[name].append(message.body)
            return None if handle is None else handle(message)

        client = self.cluster.client(client_id=name)
        options = {"broadcast": True, "start_from": EARLIEST, **options}
        consumer = client.push_consumer("G", **options)
        consumer.subscribe("news", "*", handler)
        self.cluster.result_of(consumer.start())
        return consumer

    def _send(self, *bodies: bytes) -> None:
        """Send messages."""
        for body in bodies:
            self.cluster.result_of(self.producer.send(Message("news", body)))

    def test_every_member(self) -> None:
        """Every member reads all queues, and commits nothing at the broker."""
        one, two = self._member("one"), self._member("two")
        self.assertEqual((len(one.assignment()), len(two.assignment())), (4, 4))
        self._send(b"a", b"b", b"c")
        self.cluster.advance(10)
        for name in ("one", "two"):
            self.assertEqual(sorted(self.seen[name]), [b"a", b"b", b"c"])
        self.assertEqual(self.traffic.requests(UpdateConsumerOffset), [])
        bodies = [request.body for request in self.traffic.requests(Heartbeat)]
        *_, data = [
            c for b in bodies for c in HeartbeatData.decode(b).consumer_data_set
        ]
        self.assertEqual(data.message_model, MessageModel.BROADCASTING)
        self.assertEqual([s.topic for s in data.subscription_data_set], ["news"])

    def test_restarted(self) -> None:
        """A restarted member continues where it has stopped, others do not."""
        consumer = self._member("one")
        self._send(b"a", b"b")
        self.cluster.wait_until(lambda: len(self.seen["one"]) == 2)
        self.cluster.result_of(consumer.stop())
        self._send(b"c")
        self._member("one")
        self._member("two")
        self.cluster.wait_until(lambda: len(self.seen["two"]) == 3)
        self.assertEqual(sorted(self.seen["one"]), [b"a", b"b", b"c"])

    def test_killed(self) -> None:
        """After a kill, only what was read since the last commit comes again."""
        self._member("one")
        self._send(b"a", b"b")
        self.cluster.advance(6)
        self._send(b"c")
        self.cluster.advance(1)
        clock: Any = self.cluster.clients[-1].session.clock
        clock.shut_down()
        self._member("one")
        self.cluster.advance(5)
        self.assertEqual(sorted(self.seen["one"]), [b"a", b"b", b"c", b"c"])

    def test_failed(self) -> None:
        """A message that fails is dropped, and the others are consumed."""

        def handle(message: StoredMessage) -> None:
            if message.body == b"a":
                raise ValueError("failed")

        self._member("one", handle)
        self._send(b"a", b"b")
        self.cluster.advance(60)
        self.assertEqual(sorted(self.seen["one"]), [b"a", b"b"])
        self.assertEqual(self.traffic.requests(SendBack), [])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_ordered(self) -> None:
        """In order, a message is retried here, and no queue is locked."""

        def handle(message: StoredMessage) -> None:
            if message.reconsume_times < 2:
                raise ValueError("failed")

        self._member("one", handle, ordered=True)
        self._send(b"a")
        self.cluster.advance(5)
        self.assertEqual(self.seen["one"], [b"a"] * 3)
        self.assertEqual(self.traffic.requests(LockQueues), [])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)
