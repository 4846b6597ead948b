"""Messages at a time, and their recall."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import NotRunning, ValidationError
from rocketmq_tw.model.message import Message
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.testing import MemoryCluster


class TimedTests(SynchronousTestCase):
    """A cluster in memory, with one producer."""

    def setUp(self) -> None:
        """Start it."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T")
        self.client = self.cluster.client()
        self.producer = self.client.producer("P")
        self.cluster.result_of(self.producer.start())

    def bodies(self) -> list[bytes]:
        """Return what was delivered."""
        return sorted(message.body for message in self.cluster.messages("T"))

    def test_delay(self) -> None:
        """It comes after so many seconds, not before."""
        sent = self.producer.send(Message("T", b"x", delay=5))
        self.assertIsNotNone(self.cluster.result_of(sent).recall_handle)
        self.cluster.advance(4.9)
        self.assertEqual(self.bodies(), [])
        self.cluster.advance(1.2)
        self.assertEqual(self.bodies(), [b"x"])

    def test_time(self) -> None:
        """A time in seconds, or a datetime."""
        now = self.cluster.clock.wall_seconds()
        at = datetime.fromtimestamp(now + 10, UTC)
        for time in (now + 5, at):
            message = Message("T", str(time).encode(), deliver_at=time)
            self.cluster.result_of(self.producer.send(message))
        self.cluster.advance(6.1)
        self.assertEqual(self.bodies(), [str(now + 5).encode()])
        self.cluster.advance(5)
        self.assertEqual(len(self.bodies()), 2)

    def test_recall(self) -> None:
        """A message that is recalled does not come; others do."""
        handles = [
            self.cluster.result_of(
                self.producer.send(Message("T", b"%d" % number, delay=5))
            )
            for number in range(2)
        ]
        recalled = self.producer.recall("T", handles[0].recall_handle or "")
        self.assertEqual(self.cluster.result_of(recalled), handles[0].message_id)
        self.cluster.advance(7)
        self.assertEqual(self.bodies(), [b"1"])

    def test_too_late(self) -> None:
        """The broker refuses to recall what is due."""
        sent = self.producer.send(Message("T", b"x", delay=1))
        handle = self.cluster.result_of(sent).recall_handle or ""
        self.cluster.advance(5)
        recalled = self.producer.recall("T", handle)
        self.cluster.advance(1)
        error = self.failureResultOf(recalled, BrokerError).value
        self.assertIn("timestamp invalid", str(error))

    def test_refused(self) -> None:
        """What cannot be meant is not sent."""
        sent = self.producer.send(Message("T", b"x", delay=1))
        handle = self.cluster.result_of(sent).recall_handle or ""
        wrong = [
            self.producer.recall("T", "abc"),
            self.producer.recall("Other", handle),
            self.producer.send(Message("T", b"x", delay=1, deliver_at=2)),
            self.producer.send(Message("T", b"x", delay=1, delay_level=2)),
            self.producer.send(Message("T", b"x", delay=float("nan"))),
            self.producer.send(Message("T", b"x", deliver_at=float("inf"))),
            self.producer.send_batch([Message("T", b"x", delay=1)]),
            self.producer.send_batch(
                [Message("T", b"x", properties={"TIMER_DELAY_SEC": "1"})]
            ),
        ]
        for each in wrong:
            self.failureResultOf(each, ValidationError)
        self.cluster.result_of(self.producer.stop())
        self.failureResultOf(self.producer.recall("T", handle), NotRunning)
