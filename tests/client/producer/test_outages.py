"""Tests of sends while a broker is away, in a cluster of masters and slaves."""

from __future__ import annotations

from typing import Any

from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.producer.faults import ISOLATION
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.store.cases import StoreCase

#: Seconds between two sends.
PERIOD = 0.05


class OutageCase(StoreCase):
    """
    Sends twenty messages a second, each with 3 s to spend.

    :cvar masters: how many there are.
    :cvar has_slave: whether the first has a slave.
    """

    masters = 1
    has_slave = False

    def setUp(self) -> None:
        """Start the servers, and a producer that knows the topic."""
        super().setUp()
        self.cluster = MemoryCluster(directory=self.root, brokers=self.masters)
        if self.has_slave:
            self.cluster.add_slave("broker-a")
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 2)
        self.cluster.advance(1)
        self.producer = self.cluster.producer(timeout=3.0)
        self.waits: list[float] = []
        self.errors: list[Failure] = []
        self.send()
        self.cluster.advance(PERIOD)

    def send(self) -> None:
        """Send a message; remember how long that took, or why it failed."""
        clock = self.cluster.clock
        began = clock.seconds()
        sent = self.producer.send(Message("T", b"Hello"))
        sent.addCallbacks(
            lambda _: self.waits.append(clock.seconds() - began), self.errors.append
        )

    def keep_sending(self, seconds: float) -> None:
        """Send for some time."""
        for _ in range(round(seconds / PERIOD)):
            self.send()
            self.cluster.advance(PERIOD)

    def outage(self, seconds: float, planned: bool) -> None:
        """Send while the first master is away, and before and after."""
        self.keep_sending(1)
        master = self.cluster.broker
        master.stop() if planned else master.kill()
        self.keep_sending(seconds)
        master.start()
        self.keep_sending(1)
        self.cluster.advance(3)


class LonelyTests(OutageCase):
    """One master."""

    def test_restart(self) -> None:
        """No send fails because the broker was away for a second."""
        for planned in (True, False):
            self.outage(1, planned)
            self.assertEqual(self.errors, [])
            self.assertLess(max(self.waits), 1.6)


class WithSlaveTests(LonelyTests):
    """One master with a slave, which name servers know while the master is away."""

    has_slave = True

    def test_too_long(self) -> None:
        """A send whose time is over fails with the reason."""
        self.cluster.broker.kill()
        self.cluster.advance(1)
        self.producer.send(Message("T", b"first")).addErrback(self.errors.append)
        self.cluster.advance(2)
        self.producer.send(Message("T", b"next")).addErrback(self.errors.append)
        self.cluster.advance(4)
        self.assertEqual(len(self.errors), 2)
        error: Any = self.errors[1].value
        self.assertIsInstance(error, NoRouteError)
        self.assertIn("none of its queues can be written to", str(error))

    def test_not_writeable(self) -> None:
        """Without the permission to write there is nothing to wait for."""
        self.cluster.create_topic("R", 2, perm=4)
        failed = self.producer.send(Message("R", b"Hello"))
        self.assertRaises(NoRouteError, self.cluster.result_of, failed, 0.5)


class TwoMastersTests(OutageCase):
    """Two masters."""

    masters = 2

    def test_other_broker(self) -> None:
        """A send in flight goes to the other broker at once, and so do later ones."""
        self.outage(4, planned=False)
        self.assertEqual(self.errors, [])
        self.assertLess(max(self.waits), 2 * PERIOD)

    def test_idle_connection_is_lost(self) -> None:
        """It counts at once: the next sends do not even try the broker that is gone."""
        for _ in range(4):
            self.send()
        self.cluster.advance(1)
        first, second = self.cluster.brokers.values()
        faults, here = self.cluster.faults, "10.0.2.1"
        faults.reset(here, first)
        faults.cut(here, first)
        second.traffic.clear()
        self.waits.clear()
        for _ in range(6):
            self.send()
            self.cluster.advance(0.01)
        self.assertEqual(len(second.traffic.requests(SendMessageV2)), 6)
        self.assertLess(max(self.waits), 0.01)

    def test_comes_back(self) -> None:
        """A broker that comes back is used again."""
        first = self.cluster.broker
        self.outage(1, planned=False)
        first.traffic.clear()
        self.cluster.advance(30 + ISOLATION)
        for _ in range(4):
            self.send()
        self.cluster.advance(1)
        self.assertEqual(len(first.traffic.requests(SendMessageV2)), 2)
