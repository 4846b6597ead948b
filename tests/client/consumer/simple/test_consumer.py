"""Tests of rocketmq_tw.client.consumer.simple.consumer, on a cluster in memory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.client import Client
from rocketmq_tw.client.consumer.simple.popped import PoppedMessage
from rocketmq_tw.client.errors import NoRouteError, ReceiptExpired
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.testing import MemoryCluster


class SimpleConsumerTests(SynchronousTestCase):
    """Messages are received, acknowledged, kept longer and given back."""

    def setUp(self) -> None:
        """Start a cluster with a topic."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders", 2)
        self.producer = self.cluster.producer()
        self.client: Client = self.cluster.client()
        self.consumer = self.client.simple_consumer("G", invisible_time=10)

    def send(self, *bodies: bytes, tag: str | None = None) -> None:
        """Send messages."""
        for body in bodies:
            message = Message("orders", body, tag=tag)
            self.cluster.result_of(self.producer.send(message))

    def receive(self, wait: float = 0, **options: Any) -> dict[bytes, PoppedMessage]:
        """Receive messages, by their bodies."""
        found = self.cluster.result_of(
            self.consumer.receive("orders", wait=wait, **options)
        )
        return {each.body: each for each in found}

    def test_acknowledged(self) -> None:
        """What is acknowledged never comes again; the rest after its time."""
        self.send(b"a", b"b")
        got = self.receive()
        self.assertEqual(set(got), {b"a", b"b"})
        self.cluster.result_of(self.consumer.ack(got[b"a"]))
        self.cluster.advance(9)
        self.assertEqual(self.receive(), {})
        self.cluster.advance(2)
        again = self.receive()
        self.assertEqual(set(again), {b"b"})
        popped = again[b"b"]
        self.assertEqual((popped.topic, popped.message.topic), ("orders", "orders"))
        self.assertEqual(popped.message.reconsume_times, 1)
        self.cluster.result_of(self.consumer.ack(popped))
        self.cluster.advance(30)
        self.assertEqual(self.receive(), {})

    def test_all_at_once(self) -> None:
        """Many are acknowledged in one request, those of retry topics too."""
        self.send(b"a", b"b", b"c")
        self.receive()
        self.cluster.advance(11)
        self.send(b"d", b"e")
        got = self.receive()
        self.assertEqual(set(got), {b"a", b"b", b"c", b"d", b"e"})
        self.cluster.result_of(self.consumer.ack_all(list(got.values())))
        self.cluster.advance(30)
        self.assertEqual(self.receive(), {})

    def test_changed(self) -> None:
        """A message has the new time, and the new receipt counts."""
        self.send(b"a")
        popped = self.receive()[b"a"]
        kept = self.cluster.result_of(self.consumer.change_invisible_time(popped, 30))
        self.assertEqual((kept.body, kept.receipt.invisible_ms), (b"a", 30_000))
        self.cluster.result_of(self.consumer.ack(popped))  # of no use
        self.cluster.advance(29)
        self.assertEqual(self.receive(), {})
        self.cluster.result_of(self.consumer.ack(kept))
        self.cluster.advance(30)
        self.assertEqual(self.receive(), {})

    def test_given_back(self) -> None:
        """With no time at all it comes again at once."""
        self.send(b"a")
        popped = self.receive()[b"a"]
        self.cluster.result_of(self.consumer.change_invisible_time(popped, 0))
        self.cluster.advance(1)
        self.assertEqual(set(self.receive()), {b"a"})

    def test_expired(self) -> None:
        """A message whose time was over cannot be kept longer."""
        self.send(b"a")
        popped = self.receive()[b"a"]
        self.cluster.advance(11)
        changed = self.consumer.change_invisible_time(popped, 30)
        error = self.assertRaises(ReceiptExpired, self.cluster.result_of, changed)
        self.assertIn("has expired", str(error))

    def test_waits(self) -> None:
        """It waits for a message to arrive; without any the list is empty."""
        waiting = self.consumer.receive("orders", wait=15)
        self.cluster.advance(5)
        self.assertNoResult(waiting)
        self.send(b"a")
        self.cluster.advance(1)
        (popped,) = self.successResultOf(waiting)
        self.assertEqual(popped.body, b"a")
        self.assertEqual(self.receive(wait=3), {})

    def test_tags(self) -> None:
        """Others are passed over; one of an equal hash code is acknowledged."""
        self.send(b"a", tag="Aa")
        self.send(b"b", tag="BB")
        self.send(b"c", tag="Other")
        self.assertEqual(set(self.receive(expression="Aa")), {b"a"})
        self.cluster.advance(11)
        self.assertEqual(set(self.receive(expression="Aa || BB")), {b"a"})

    def test_refused(self) -> None:
        """What cannot be is said before it is sent, or by the broker."""
        for most in (0, 33):
            self.assertRaises(
                ValueError, self.consumer.receive, "orders", max_messages=most
            )
        self.assertRaises(
            ValueError, self.client.simple_consumer, "G", invisible_time=0
        )
        unknown = self.consumer.receive("unknown")
        self.assertRaises(NoRouteError, self.cluster.result_of, unknown)
        self.send(b"a")
        popped = self.receive()[b"a"]
        gone = PoppedMessage(popped.message, popped.receipt, "unknown")
        acknowledged = self.consumer.ack(gone)
        self.assertRaises(BrokerError, self.cluster.result_of, acknowledged)
