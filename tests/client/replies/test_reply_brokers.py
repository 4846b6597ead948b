"""Where a client is registered before it sends requests."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.replies import reply_brokers
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.heartbeat import Heartbeat


class ReplyBrokersTests(SynchronousTestCase):
    """Two brokers; only one has the topic."""

    def setUp(self) -> None:
        """Start a client with a producer."""
        self.cluster = MemoryCluster(brokers=2)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", {"broker-a": 1})
        client = self.cluster.client()
        client.producer("P")
        self.brokers = client.session.reply_brokers

    def heartbeats(self) -> dict[str, int]:
        """Return how many heartbeats came to each broker."""
        return {
            name: len(node.traffic.requests(Heartbeat))
            for name, node in self.cluster.brokers.items()
        }

    def test_all_brokers(self) -> None:
        """All that take replies have had a heartbeat when it fires; then none more."""
        self.cluster.result_of(self.brokers.prepare("T"))
        self.assertTrue(self.brokers.is_ready("T"))
        before = self.heartbeats()
        self.assertTrue(all(before.values()), before)
        self.successResultOf(self.brokers.prepare("T"))
        self.assertEqual(self.heartbeats(), before)

    def test_together(self) -> None:
        """Many requests that come at once wait for the same heartbeats."""
        waiting = [self.brokers.prepare("T") for _ in range(50)]
        waiting[0].cancel()
        self.failureResultOf(waiting[0], CancelledError)
        for each in waiting[1:]:
            self.cluster.result_of(each)
        self.assertLess(sum(self.heartbeats().values()), 6)

    def test_unknown_topic(self) -> None:
        """The brokers that would create it are asked; the next request looks again."""
        self.cluster.result_of(self.brokers.prepare("Unknown"))
        self.assertFalse(self.brokers.is_ready("Unknown"))
        self.assertTrue(all(self.heartbeats().values()))

    def test_no_name_server(self) -> None:
        """It fires all the same: the request may have its reply."""
        self.cluster.result_of(self.brokers.prepare("T"))
        self.cluster.name_servers[0].kill()
        self.cluster.result_of(self.brokers.prepare("Other"))
        self.assertFalse(self.brokers.is_ready("Other"))

    def test_bounded(self) -> None:
        """A program that asks in ever new topics keeps a few thousand names."""
        self.brokers._ready.update(map(str, range(reply_brokers.MAX_TOPICS)))
        self.cluster.result_of(self.brokers.prepare("T"))
        self.assertEqual(self.brokers._ready, {"T"})
