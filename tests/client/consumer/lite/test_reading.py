"""The parts of a pull consumer together: repairs, and the end of the reactor."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from tests.client.consumer.lite.cases import PullConsumerCase


class ReadingTests(PullConsumerCase):
    """One consumer."""

    def test_illegal_offset(self) -> None:
        """It continues at the offset that the broker proposes."""
        self.send(3)
        request = UpdateConsumerOffset(
            consumer_group="G", topic="T", queue_id=0, commit_offset=1000
        )
        self.cluster.call(self.cluster.broker, request)
        consumer = self.started()
        self.cluster.advance(3)
        self.assertEqual(consumer.position(self.queues[0]), 3)
        self.send(1)
        self.assertEqual(self.poll(consumer), [b"0"])

    def test_broker_restarts(self) -> None:
        """After a broker was away, reading continues."""
        consumer = self.started()
        self.cluster.faults.reset(self.cluster.clients[-1], self.cluster.broker)
        self.send(1)
        self.cluster.advance(5)
        self.assertEqual(self.poll(consumer), [b"0"])


class ShutdownTests(PullConsumerCase):
    """A reactor that stops while the application has messages."""

    def test_waits_for_a_poll(self) -> None:
        """The application may poll once more, and has so dealt with its messages."""
        self.send(1)
        consumer = self.started()
        self.poll(consumer)
        client = self.cluster.clients[-1]
        client.session.in_shutdown = True
        stopped: Deferred[None] = client.stop()
        self.cluster.advance(1)
        self.assertNoResult(stopped)
        consumer.poll().addErrback(lambda _: None)
        self.cluster.result_of(stopped)
        self.assertEqual(self.committed(), 1)

    def test_client_stops(self) -> None:
        """Otherwise nobody knows; the message comes again."""
        self.send(1)
        consumer = self.started()
        self.poll(consumer)
        self.cluster.result_of(self.cluster.clients[-1].stop())
        successor = self.cluster.client().pull_consumer("G", start_from=EARLIEST)
        successor.subscribe("T")
        self.cluster.result_of(successor.start())
        self.cluster.advance(0.1)
        self.assertEqual(self.poll(successor), [b"0"])
