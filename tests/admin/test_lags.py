"""How far groups have read; more is in the tests of groups."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.admin import lags
from rocketmq_tw.admin.results.groups import Member
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

    def test_owners(self) -> None:
        """Each member says which queues it reads; one that is hung is named."""
        self.cluster.create_topic("orders", 2)
        for _ in range(2):
            self.consume("billing", "orders")
        self.send("orders", *[b"x"] * 8)
        self.cluster.advance(30)
        lag = self.run_admin(self.admin.groups.lag("billing", "orders", owners=True))
        owners = [each.owner for each in lag.queues]
        members = self.run_admin(self.admin.groups.members("billing"))
        self.assertEqual({each.client_id for each in members}, set(owners))
        self.assertEqual((len(owners), owners.count(owners[0])), (4, 2))
        self.assertEqual(lag.unresponsive, {})
        without = self.run_admin(self.admin.groups.lag("billing", "orders"))
        self.assertEqual({each.owner for each in without.queues}, {None})

    def hang(self, *members: Member) -> None:
        """Let brokers hear no more of some members, whose connections stay."""
        for member in members:
            for node in self.cluster.brokers.values():
                self.cluster.network.cut(member.address.split(":")[0], node.host)

    def test_many_unresponsive_owners(self) -> None:
        """All together get one second; who responds within it is an owner."""
        self.patch(lags, "_OWNERS_PARALLEL", 2)
        self.cluster.create_topic("orders", 3)
        for _ in range(6):
            self.consume("billing", "orders")
        self.cluster.advance(60)
        members = self.run_admin(self.admin.groups.members("billing"))
        self.hang(*members[1:])
        self.send("orders", *[b"x"] * 6)
        begin = self.cluster.clock.seconds()
        lag = self.run_admin(self.admin.groups.lag("billing", owners=True))
        self.assertLess(self.cluster.clock.seconds() - begin, 1.5)
        hung = {each.client_id for each in members[1:]}
        self.assertEqual(set(lag.unresponsive), hung)
        first = members[0].client_id
        orders = [each for each in lag.queues if each.topic == "orders"]
        self.assertEqual(
            {(each.owner, each.owner_unknown) for each in orders},
            {(first, False), (None, True)},
        )
        said = set(lag.unresponsive.values())
        asked_late = "it was not asked: others took too long"
        self.assertEqual(said, {"no response within 1 s", asked_late})

    def test_unresponsive_owner(self) -> None:
        """The queues of a member that does not respond have an unknown owner."""
        self.cluster.create_topic("orders", 2)
        self.consume("billing", "orders")
        self.send("orders", *[b"x"] * 8)
        self.cluster.advance(30)
        [member] = self.run_admin(self.admin.groups.members("billing"))
        self.hang(member)
        begin = self.cluster.clock.seconds()
        lag = self.run_admin(self.admin.groups.lag("billing", owners=True))
        self.assertLess(self.cluster.clock.seconds() - begin, 1.5)
        self.assertEqual({each.owner for each in lag.queues}, {None})
        self.assertEqual({each.owner_unknown for each in lag.queues}, {True})
        why = "no response within 1 s"
        self.assertEqual(lag.unresponsive, {member.client_id: why})
        self.assertEqual(lag.failed, {})

    def test_broadcasting(self) -> None:
        """Where all read all queues, nobody is asked."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"x")
        self.consume("news", "orders", broadcast=True)
        self.cluster.advance(30)
        lag = self.run_admin(self.admin.groups.lag("news", "orders", owners=True))
        self.assertEqual({each.owner for each in lag.queues}, {None})
        self.assertEqual((lag.members, lag.unresponsive), (1, {}))

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
