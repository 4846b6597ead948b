"""What the producers and consumers of one client share."""

from __future__ import annotations

from rocketmq_tw.wire.requests.heartbeat import NotifyConsumerIdsChanged
from tests.client.cases import SessionCase
from tests.client.fakes import FakeMember


class SessionTests(SessionCase):
    """Its periodic work, its notifications, its end."""

    def test_periodic(self) -> None:
        """Every half minute or so, to every broker; routes are refreshed as often."""
        self.session.groups.add_producer("p")
        self.cluster.name_server.forget()
        self.cluster.pump(34, step=0.5)
        self.assertEqual(len(self.a.heartbeats), 1)
        self.assertEqual(self.cluster.name_server.asked, ["T"])
        self.cluster.pump(33, step=0.5)
        self.assertEqual(len(self.a.heartbeats), 2)

    def test_a_failure_does_not_end_the_heartbeats(self) -> None:
        """One heartbeat that cannot be written is logged; the next ones are sent."""
        member = FakeMember("G")
        self.session.groups.add_consumer("G", member)
        member.consumer_data = lambda: 1 / 0  # type: ignore[method-assign]
        self.cluster.pump(35)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        del member.consumer_data
        self.cluster.pump(35)
        self.assertTrue(self.a.heartbeats)

    def test_members_changed(self) -> None:
        """Code 40 makes its group rebalance, and no other."""
        members = [FakeMember("c"), FakeMember("d")]
        for member in members:
            self.session.groups.add_consumer(member.group, member)
        self.heartbeat()
        before = [member.notified for member in members]
        (connection,) = self.a.connections
        connection.call_one_way(NotifyConsumerIdsChanged(consumer_group="c"))
        self.cluster.deliver()
        notified = [m.notified - b for m, b in zip(members, before, strict=True)]
        self.assertEqual(notified, [1, 0])

    def test_stop_leaves_all_groups(self) -> None:
        """Brokers are notified of each group before the connections are closed."""
        self.session.groups.add_producer("p")
        self.session.groups.add_consumer("c", FakeMember("c"))
        self.heartbeat()
        stopped = self.session.stop()
        self.cluster.pump(1)
        self.successResultOf(stopped)
        left = [(each.producer_group, each.consumer_group) for each in self.a.left]
        self.assertEqual(left, [("p", None), (None, "c")])
        self.assertFalse(self.session.groups)

    def test_start_needs_one_response(self) -> None:
        """A name server that knows no such topic has responded, too."""
        session = self.cluster.client().session
        started = session.start()
        self.cluster.deliver()
        self.successResultOf(started)
        stopped = session.stop()
        self.cluster.pump(2)
        self.successResultOf(stopped)
