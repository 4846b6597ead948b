"""A consumer's place in its group."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.membership import Membership
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.model.group import ConsumeFrom
from rocketmq_tw.model.route import TopicRoute
from tests.client.fakes import FakeSession

ROUTE = TopicRoute(queue_datas=(), broker_datas=())


class MembershipTests(SynchronousTestCase):
    """A member that reads the topic T."""

    def setUp(self) -> None:
        """Subscribe."""
        self.session = FakeSession({"T": 2})
        self.rebalances = 0
        self.subscriptions = Subscriptions("G", self.session.clock)
        self.subscriptions.add("T", "*", None)
        self.membership = Membership(
            group="G",
            groups=self.session.groups,  # type: ignore[arg-type]
            heartbeats=self.session.heartbeats,  # type: ignore[arg-type]
            routes=self.session.routes,  # type: ignore[arg-type]
            subscriptions=self.subscriptions,
            start_from=EARLIEST,
            broadcast=False,
            rebalance=self._rebalance,
            notified=self._rebalance,
        )

    def _rebalance(self) -> None:
        """Count it."""
        self.rebalances += 1

    def versions(self) -> set[int]:
        """Give the versions of the subscriptions in a heartbeat."""
        data = self.membership.consumer_data()
        return {each.sub_version for each in data.subscription_data_set}

    def test_join(self) -> None:
        """The member is listed before the first heartbeat, which names its topics."""
        self.successResultOf(self.membership.join())
        self.assertEqual(self.session.heartbeats.count, 1)
        data = self.session.groups.members["G"].consumer_data()
        topics = {each.topic for each in data.subscription_data_set}
        self.assertEqual(topics, {"T", "%RETRY%G"})
        self.assertEqual(data.consume_from_where, ConsumeFrom.CONSUME_FROM_FIRST_OFFSET)

    def test_leave(self) -> None:
        """No heartbeat names us any more, and no route makes us rebalance."""
        self.successResultOf(self.membership.join())
        self.successResultOf(self.membership.leave())
        self.assertEqual(self.session.heartbeats.unregistered, ["G"])
        self.assertEqual(self.session.groups.members, {})
        self.assertEqual(self.session.routes.on_change, [])

    def test_routes(self) -> None:
        """A changed route of a topic that we read makes us rebalance."""
        self.membership.join()
        (changed,) = self.session.routes.on_change
        changed("U", ROUTE)
        self.assertEqual(self.rebalances, 0)
        changed("T", ROUTE)
        self.assertEqual(self.rebalances, 1)

    def test_members(self) -> None:
        """So does a change of the members."""
        self.membership.members_changed()
        self.assertEqual(self.rebalances, 1)

    def test_subscriptions_changed(self) -> None:
        """Brokers learn of it before the queues are assigned."""
        self.successResultOf(self.membership.subscriptions_changed())
        self.assertEqual((self.session.heartbeats.count, self.rebalances), (1, 1))

    def test_queues_changed(self) -> None:
        """The next heartbeat's subscriptions are newer than all before."""
        before = self.versions()
        self.membership.queues_changed()
        self.assertGreater(min(self.versions()), max(before))
        self.assertEqual(self.session.heartbeats.count, 1)
