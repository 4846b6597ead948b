"""How far groups have read; more is in the tests of groups."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.client import EARLIEST
from tests.admin.cases import AdminCase


class LagTests(AdminCase):
    """Groups that have committed nothing, and many groups."""

    def test_nothing_committed(self) -> None:
        """A handler that hangs at the first message has a lag nevertheless."""
        self.cluster.create_topic("orders", 1)
        self.cluster.consumer("billing", "orders", lambda m: Deferred())
        self.cluster.advance(1)
        self.send("orders", *[b"x"] * 6)
        self.cluster.advance(10)
        lag = self.run_admin(self.admin.groups.lag("billing"))
        self.assertEqual((lag.total, lag.members), (6, 1))

    def test_all(self) -> None:
        """The group with the largest lag comes first; queues are left out."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"1", b"2")
        for group in ("behind", "done"):
            self.consume(group, "orders", start_from=EARLIEST)
        self.cluster.advance(10)
        self.run_admin(self.cluster.clients[1].stop())
        self.send("orders", b"3")
        self.cluster.advance(10)
        found = self.run_admin(self.admin.groups.lags())
        self.assertEqual(
            [(each.group, each.total, each.queues) for each in found.groups],
            [("behind", 1, ()), ("done", 0, ())],
        )
