"""What may go wrong between a client and a broker."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import SendError
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.faults import host_of

HELLO = Message("T", b"hello")


class FaultTests(SynchronousTestCase):
    """A producer that has sent once, so that it is connected."""

    def setUp(self) -> None:
        """Start."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.faults = self.cluster.faults
        self.cluster.create_topic("T")
        self.broker = self.cluster.broker
        self.client = self.cluster.client()
        self.producer = self.client.producer("pg")
        self.send()

    def send(self) -> SendResult:
        """Send one message, and wait for the result."""
        return self.cluster.result_of(self.producer.send(HELLO))

    def stored(self) -> int:
        """Count the messages in the broker."""
        return len(self.cluster.messages("T"))

    def test_names(self) -> None:
        """A part is named by itself, or by its host's address."""
        parts = self.broker, self.client, "10.0.1.1", self.cluster.name_servers[0]
        hosts = ["10.0.1.1", "10.0.2.1", "10.0.1.1", "10.0.0.1"]
        self.assertEqual([host_of(part) for part in parts], hosts)

    def test_cut_and_healed(self) -> None:
        """What is sent meanwhile waits; a link that stays cut fails the send."""
        self.faults.cut(self.client, self.broker)
        sending = self.producer.send(HELLO)
        self.cluster.advance(0.5)
        self.assertNoResult(sending)
        self.assertEqual(self.stored(), 1)
        self.faults.heal(self.client, self.broker)
        self.cluster.advance()
        self.successResultOf(sending)
        self.faults.cut(self.client, self.broker)
        self.assertRaises(SendError, self.send)
        self.assertEqual(self.stored(), 2)

    def test_silent(self) -> None:
        """A half-open connection takes what is sent, until the sender cuts it."""
        self.faults.silence(self.client, self.broker)
        self.assertRaises(SendError, self.send)
        self.send()
        self.assertEqual(self.stored(), 2)

    def test_reset(self) -> None:
        """A lost connection is made again."""
        self.faults.reset(self.client, self.broker)
        self.send()
        self.assertEqual(self.cluster.network.attempts.count(self.broker.address), 3)

    def test_refused(self) -> None:
        """Connections stay; new ones are refused, until they are admitted."""
        self.faults.refuse(self.broker)
        self.send()
        self.faults.reset(self.client, self.broker)
        self.assertRaises(SendError, self.send)
        self.faults.admit(self.broker)
        self.send()

    def test_heal_all(self) -> None:
        """All at once."""
        self.faults.refuse(self.broker)
        self.faults.cut(self.client, self.broker)
        self.faults.heal_all()
        self.faults.reset(self.client, self.broker)
        self.send()
