"""Tests of the messages that an acting slave sends to other masters."""

from __future__ import annotations

from twisted.logger import capturedLogs

from rocketmq_tw.model.message import DELAY, Message, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.slave.cases import EscapeCase


class EscapeTests(EscapeCase):
    """Delayed messages."""

    def setUp(self) -> None:
        """Start all, and a producer."""
        super().setUp()
        self.producer = self.cluster.producer()

    def delay(self, *bodies: bytes, topic: str = "T") -> None:
        """Send messages to the first master that are due after 5 s."""
        queue = MessageQueue(topic, "broker-a", 0)
        for body in bodies:
            message = Message(topic, body, tag="TagA", delay_level=2)
            self.cluster.result_of(self.producer.send(message, queue=queue))

    def delivered(self) -> list[StoredMessage]:
        """Return the messages of the topic, of the masters that are there."""
        return self.cluster.messages("T")

    def test_sent_elsewhere(self) -> None:
        """What is due while the slave acts goes to the other master, in order."""
        self.delay(b"1", b"2", b"3")
        self.cluster.advance(1)
        self.master.kill()
        self.cluster.advance(3)
        self.assertEqual(self.delivered(), [])
        self.cluster.advance(3)
        found = self.delivered()
        self.assertEqual([message.body for message in found], [b"1", b"2", b"3"])
        for message in found:
            self.assertEqual(message.broker_name, "broker-b")
            self.assertNotIn(DELAY, message.properties)
            self.assertEqual(message.properties["TAGS"], "TagA")

    def test_once(self) -> None:
        """A master that returns knows what was delivered, and delivers the rest."""
        self.delay(b"1")
        self.cluster.advance(1)
        self.master.kill()
        self.cluster.advance(8)
        self.master.start()
        self.cluster.advance(3)
        self.delay(b"2")
        self.cluster.advance(10)
        bodies = [message.body for message in self.delivered()]
        self.assertEqual(sorted(bodies), [b"1", b"2"])

    def test_refused(self) -> None:
        """What the other master refuses is tried again, and nothing is passed over."""
        self.delay(b"1", b"2")
        self.cluster.advance(1)
        busy = ResponseCode.SYSTEM_BUSY
        self.other.traffic.refuse(SendMessageV2, busy, times=1)
        self.master.kill()
        with capturedLogs() as events:
            self.cluster.advance(8)
        text = " ".join(event["log_format"] for event in events)
        self.assertIn("is tried again", text)
        self.cluster.advance(10)
        bodies = [message.body for message in self.delivered()]
        self.assertEqual(bodies, [b"1", b"2"])

    def test_no_other_master(self) -> None:
        """Without another master that has the topic the message waits for its own."""
        self.cluster.create_topic("R", {"broker-a": 1})
        self.cluster.advance(15)
        self.delay(b"1", topic="R")
        self.cluster.advance(1)
        self.master.kill()
        self.cluster.advance(20)
        self.master.start()
        self.cluster.advance(10)
        found = self.cluster.messages("R")
        self.assertEqual([message.body for message in found], [b"1"])
