"""Tests of :mod:`rocketmq_tw.namesrv.removals`."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.live import EXPIRY
from rocketmq_tw.namesrv.removals import Removals
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.pacing import STEPS, Pacer
from rocketmq_tw.remoting.peer_log import PeerLog
from tests.remoting.test_reactor_share import Iterations

from .fixtures import broker


class Connection:
    """A connection that is only looked at, and aborted."""

    address = "10.0.0.9:1"
    aborted = 0

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


class RemovalsTests(SynchronousTestCase):
    """Many brokers that registered over one connection."""

    COUNT = 3000

    def setUp(self) -> None:
        """Register them."""
        self.clock = Iterations()
        self.table = RouteTable(lambda topic: None)
        self.removals = Removals(
            table=self.table, pacer=Pacer(self.clock), peers=PeerLog(Clock())
        )
        self.peer: Any = Connection()
        self.register(self.COUNT)

    def register(self, count: int) -> None:
        """Register brokers."""
        for n in range(count):
            named = broker(
                "A",
                "B",
                connection=self.peer,
                broker_name=f"b{n}",
                broker_addr=f"h:{n}",
            )
            self.table.register(named, 0.0)

    def left(self) -> list[int]:
        """Return how many there are after each iteration."""
        counts = [len(self.table.groups)]
        while self.table.groups:
            self.clock.iterate()
            counts.append(len(self.table.groups))
        return counts

    def test_connection_lost(self) -> None:
        """Some are removed at once, and no more than some in each iteration."""
        self.removals.connection_lost(self.peer)
        counts = [self.COUNT, *self.left()]
        steps = [
            before - after for before, after in zip(counts, counts[1:], strict=False)
        ]
        self.assertLessEqual(max(steps), 100 * STEPS)
        self.assertGreater(min(steps), 0)

    def test_few(self) -> None:
        """Few are removed at once."""
        self.removals.connection_lost(self.peer)
        self.left()
        self.register(10)
        self.removals.connection_lost(self.peer)
        self.assertEqual(self.table.groups, {})

    def test_expire(self) -> None:
        """Unresponsive ones too; their connections are closed."""
        self.removals.expire(EXPIRY)
        self.assertEqual(len(self.table.groups), self.COUNT)
        self.removals.expire(EXPIRY + 1)
        self.assertGreater(len(self.left()), 2)
        self.assertEqual(self.peer.aborted, self.COUNT)
