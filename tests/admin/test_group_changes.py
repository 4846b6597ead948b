"""Groups that administrators create, change and delete."""

from __future__ import annotations

from rocketmq_tw.admin import AdminError, AlreadyExists, NotFound, RefusedByAll
from rocketmq_tw.admin.calls import NO_MASTER
from rocketmq_tw.admin.group_changes import GroupSettings
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.model.errors import IllegalGroup
from rocketmq_tw.wire.requests.consumer import CloneGroupOffsets
from tests.admin.cases import AdminCase


class GroupChangeTests(AdminCase):
    """The life of a group."""

    def test_create(self) -> None:
        """All brokers get it, with what was asked for."""
        settings = GroupSettings(max_retries=3, ordered=True)
        done = self.run_admin(self.admin.groups.create("billing", settings))
        self.assertEqual(done.done, ("broker-a", "broker-b"))
        group = self.run_admin(self.admin.groups.get("billing"))
        self.assertEqual({s.max_retries for s in group.settings}, {3})
        self.assertTrue(group.settings[0].ordered)
        self.failure(self.admin.groups.create("billing"), AlreadyExists)

    def test_refused(self) -> None:
        """Wrong names and clusters are refused."""
        self.failure(self.admin.groups.create("a b"), IllegalGroup)
        self.failure(self.admin.groups.create("g", cluster="other"), NotFound)

    def test_update(self) -> None:
        """Only what is named changes; tools of Apache RocketMQ reset the rest."""
        self.run_admin(
            self.admin.groups.create("billing", GroupSettings(max_retries=3))
        )
        self.run_admin(
            self.admin.groups.update("billing", GroupSettings(may_consume=False))
        )
        group = self.run_admin(self.admin.groups.get("billing"))
        [first, _] = group.settings
        self.assertEqual((first.max_retries, first.may_consume), (3, False))
        self.assertTrue(first.may_broadcast)
        unknown = self.admin.groups.update("nobody", GroupSettings())
        self.failure(unknown, NotFound)

    def test_delete(self) -> None:
        """Not while consumers are connected; then with all that belongs to it."""
        self.cluster.create_topic("orders", 1)
        self.consume("billing", "orders")
        text = self.failure(self.admin.groups.delete("billing"), AdminError)
        self.assertIn('consumers of "billing" are connected (1)', text)
        self.cluster.result_of(self.cluster.clients[-1].stop())
        done = self.run_admin(self.admin.groups.delete("billing"))
        self.assertEqual((done.done, done.failed), (("broker-a", "broker-b"), {}))
        self.failure(self.admin.groups.get("billing"), NotFound)
        self.failure(self.admin.topics.get("%RETRY%billing"), NotFound)
        self.failure(self.admin.groups.delete("billing"), NotFound)

    def test_clone(self) -> None:
        """Another group continues where the first is."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", *[b"x"] * 4)
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 4)
        self.cluster.advance(10)
        self.run_admin(self.admin.groups.create("copy"))
        done = self.run_admin(self.admin.groups.clone("billing", "copy"))
        self.assertEqual((done.done, done.failed), (("orders",), {}))
        lag = self.run_admin(self.admin.groups.lag("copy", "orders"))
        self.assertEqual(
            (lag.total, [queue.committed for queue in lag.queues]), (0, [2, 2])
        )
        self.failure(self.admin.groups.clone("billing", "nobody"), NotFound)
        self.failure(self.admin.groups.clone("billing", "copy", "other"), NotFound)

    def test_system_group(self) -> None:
        """What brokers need themselves is not deleted."""
        deleted = self.admin.groups.delete("TOOLS_CONSUMER")
        self.assertIn("belongs to the brokers", self.failure(deleted, AdminError))

    def test_clone_nothing(self) -> None:
        """A group that has read nothing has nothing to copy."""
        for group in ("billing", "copy"):
            self.run_admin(self.admin.groups.create(group))
        text = self.failure(self.admin.groups.clone("billing", "copy"), AdminError)
        self.assertIn('"billing" has read no topic', text)

    def test_clone_refused(self) -> None:
        """If no broker copies an offset, that is an error."""
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"x", b"x")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 2)
        self.cluster.advance(10)
        self.run_admin(self.admin.groups.create("copy"))
        for node in self.cluster.brokers.values():
            node.traffic.refuse(CloneGroupOffsets, 1)
        self.failure(self.admin.groups.clone("billing", "copy"), RefusedByAll)


class MasterAwayTests(AdminCase):
    """A group at two brokers, one of which has only a slave now."""

    on_disk = True

    def setUp(self) -> None:
        """Create two groups and stop a master."""
        super().setUp()
        self.run_admin(self.admin.groups.create("billing"))
        self.run_admin(self.admin.groups.create("copy"))
        self.cluster.create_topic("orders", 1)
        self.send("orders", b"x", b"x")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 2)
        self.cluster.advance(10)
        self.cluster.result_of(self.cluster.clients[-1].stop())
        self.leave_to_slave("broker-b")

    def test_changes(self) -> None:
        """Each change says that it is not made there."""
        groups, away = self.admin.groups, {"broker-b": NO_MASTER}
        done = self.run_admin(groups.create("new"))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
        done = self.run_admin(groups.update("billing", GroupSettings(ordered=True)))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
        done = self.run_admin(groups.clone("billing", "copy"))
        self.assertEqual(done.failed, away)
        done = self.run_admin(groups.delete("billing"))
        self.assertEqual((done.done, done.failed), (("broker-a",), away))
