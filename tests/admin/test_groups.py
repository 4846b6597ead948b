"""Consumer groups, as administrators see them."""

from __future__ import annotations

from rocketmq_tw.admin import NotFound
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import GetConsumeStats
from rocketmq_tw.wire.requests.group import GetGroup, QueryTopicsOfGroup, UpdateGroups
from tests.admin.cases import AdminCase


class GroupTests(AdminCase):
    """Lists, members and lag."""

    def setUp(self) -> None:
        """Let a group consume a topic."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.send("orders", *[b"x"] * 8)
        self.seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(self.seen) == 8)
        self.cluster.advance(10)

    def make_group(self, name: str) -> None:
        """Create a group at the first broker that nobody is in."""
        body = SubscriptionGroupList((SubscriptionGroup(name),)).encode()
        self.cluster.call(self.cluster.broker, UpdateGroups(body=body))

    def test_list(self) -> None:
        """The list has what applications use; brokers have others for themselves."""
        groups = self.run_admin(self.admin.groups.list())
        self.assertEqual([group.name for group in groups], ["billing"])
        self.assertEqual(groups[0].brokers, ("broker-a", "broker-b"))
        more = self.run_admin(self.admin.groups.list(with_system=True))
        self.assertIn("TOOLS_CONSUMER", [each.name for each in more if each.is_system])

    def test_get(self) -> None:
        """Settings are those of each broker, topics those that it has read."""
        group = self.run_admin(self.admin.groups.get("billing"))
        self.assertEqual([s.broker for s in group.settings], ["broker-a", "broker-b"])
        self.assertEqual(group.settings[0].max_retries, 16)
        self.assertIn("orders", group.topics)

    def test_get_from_old_brokers(self) -> None:
        """Those of 4.x cannot be asked for topics, but for offsets."""
        for node in self.cluster.brokers.values():
            code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED
            node.traffic.refuse(QueryTopicsOfGroup, code)
        group = self.run_admin(self.admin.groups.get("billing"))
        self.assertIn("orders", group.topics)
        self.assertEqual(group.failed, {})

    def test_unknown(self) -> None:
        """A group that no broker knows is named."""
        groups = self.admin.groups
        for call in (groups.get, groups.members, groups.lag):
            text = self.failure(call("nobody"), NotFound)
            self.assertEqual(text, 'there is no group "nobody"')

    def test_asking_creates_none(self) -> None:
        """A broker of Apache RocketMQ creates the group that it is asked for."""
        for node in self.cluster.brokers.values():
            node.traffic.clear()
        self.failure(self.admin.groups.get("nobody"), NotFound)
        self.run_admin(self.admin.groups.create("new"))
        for node in self.cluster.brokers.values():
            self.assertEqual(node.traffic.requests(GetGroup), [])

    def test_lag(self) -> None:
        """A group that has read all has no lag; without consumers it grows."""
        lag = self.run_admin(self.admin.groups.lag("billing", "orders"))
        self.assertEqual((lag.total, lag.members), (0, 1))
        self.assertEqual([queue.committed for queue in lag.queues], [2, 2, 2, 2])
        self.assertIsNotNone(lag.queues[0].last_consumed)
        self.run_admin(self.cluster.clients[-1].stop())
        self.send("orders", *[b"y"] * 4)
        lag = self.run_admin(self.admin.groups.lag("billing"))
        self.assertEqual((lag.total, lag.members), (4, 0))
        self.assertEqual({queue.topic for queue in lag.queues if queue.lag}, {"orders"})

    def test_lag_of_another_topic(self) -> None:
        """A topic that the group has not read is an error, as is none at all."""
        self.cluster.create_topic("other", 1)
        text = self.failure(self.admin.groups.lag("billing", "other"), NotFound)
        self.assertIn('"billing" has not read it', text)

    def test_lag_of_an_idle_group(self) -> None:
        """A group that has read nothing has no queues."""
        self.make_group("idle")
        lag = self.run_admin(self.admin.groups.lag("idle"))
        self.assertEqual((lag.queues, lag.total, lag.failed), ((), 0, {}))
        self.assertEqual(self.run_admin(self.admin.groups.members("idle")), ())

    def test_lag_with_a_broker_that_fails(self) -> None:
        """The others are read, and the failure is reported."""
        self.cluster.brokers["broker-b"].traffic.refuse(GetConsumeStats, 1)
        lag = self.run_admin(self.admin.groups.lag("billing", "orders"))
        self.assertEqual({queue.broker for queue in lag.queues}, {"broker-a"})
        self.assertIn("SYSTEM_ERROR", lag.failed["broker-b"])

    def test_members(self) -> None:
        """Each client is listed once, with what the group subscribes to."""
        [member] = self.run_admin(self.admin.groups.members("billing"))
        self.assertEqual((member.mode, member.model), ("push", "clustering"))
        self.assertEqual(member.brokers, ("broker-a", "broker-b"))
        self.assertEqual((member.language, member.version), ("PYTHON", "V5_3_3"))
        topics = {each.topic: each.expression for each in member.subscriptions}
        self.assertEqual(topics["orders"], "*")
