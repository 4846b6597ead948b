"""Tests of a broker's planned stop, before which producers leave."""

from __future__ import annotations

from typing import Any

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.registration import WipeWritePermission
from rocketmq_tw.wire.requests.send import SendMessageV2

DRAIN = 40.0


class PlannedStopTests(SynchronousTestCase):
    """Two masters, one of which is to stop."""

    def start(self, drain: float = DRAIN) -> None:
        """Start the servers and a producer."""
        settings = {"drain_millis": int(drain * 1000)}
        self.cluster = MemoryCluster(brokers=2, broker_settings=settings).start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 2)
        self.producer = self.cluster.producer()
        self.errors: list[Failure] = []
        self.first = self.cluster.broker
        (self.name_server,) = self.cluster.name_servers

    def stop(self) -> Any:
        """Begin to stop the first broker; return the Deferred."""
        return self.first.service.stopService()

    def route(self) -> TopicRoute:
        """Ask for the route of the topic."""
        return self.cluster.result_of(self.cluster.client().route("T"))

    def send(self, count: int) -> None:
        """Send messages."""
        for _ in range(count):
            sent = self.producer.send(Message("T", b"Hello"))
            sent.addErrback(self.errors.append)
            self.cluster.advance(0.1)

    def test_permission_is_wiped(self) -> None:
        """Name servers list no queue of it to write, and it still serves."""
        self.start()
        stopped = self.stop()
        self.cluster.advance(0.1)
        names = {queue.broker_name for queue in self.route().writable("T")}
        self.assertEqual(names, {"broker-b"})
        self.assertEqual(len(self.route().readable("T")), 4)
        queue = MessageQueue("T", "broker-a", 0)
        sent = self.producer.send(Message("T", b"late"), queue=queue)
        self.assertEqual(self.cluster.result_of(sent).queue, queue)
        self.assertNoResult(stopped)
        self.cluster.advance(DRAIN)
        self.successResultOf(stopped)

    def test_producers_leave(self) -> None:
        """When it stops nobody sends to it any more, and no send ever fails."""
        self.start()
        self.send(4)
        self.stop()
        self.send(330)
        self.first.traffic.clear()
        self.send(100)
        self.assertEqual(self.first.traffic.requests(SendMessageV2), [])
        self.assertEqual(self.errors, [])

    def test_not_restored(self) -> None:
        """A renewed registration, or a new topic, does not restore the permission."""
        self.start()
        self.stop()
        self.cluster.advance(0.1)
        for wait in (1, 31):
            self.cluster.create_topic(f"T{wait}", {"broker-a": 1})
            self.cluster.advance(wait)
            names = {queue.broker_name for queue in self.route().writable("T")}
            self.assertEqual(names, {"broker-b"})

    def test_name_server_is_away(self) -> None:
        """Then the broker stops all the same."""
        self.start()
        self.name_server.kill()
        self.cluster.advance(0.1)
        stopped = self.stop()
        self.cluster.advance(DRAIN + 1)
        self.successResultOf(stopped)

    def test_by_default(self) -> None:
        """Without drainMillis it stops at once, and removes nothing."""
        self.start(drain=0)
        stopped = self.stop()
        self.cluster.advance(0.5)
        self.successResultOf(stopped)
        wiped = self.name_server.traffic.requests(WipeWritePermission)
        self.assertEqual(wiped, [])
