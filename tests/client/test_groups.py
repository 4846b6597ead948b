"""Which groups a client is a member of."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import GroupInUse
from rocketmq_tw.client.groups import Groups
from tests.client.fakes import FakeMember


class GroupsTests(SynchronousTestCase):
    """The groups of one client."""

    def setUp(self) -> None:
        """Start without any."""
        self.groups = Groups()

    def test_one_member_a_group(self) -> None:
        """A second one in the same role is refused; leaving makes way."""
        self.groups.add_producer("g")
        self.groups.add_consumer("g", FakeMember("g"))
        self.assertRaises(GroupInUse, self.groups.add_producer, "g")
        self.assertRaises(GroupInUse, self.groups.add_consumer, "g", FakeMember("g"))
        self.groups.remove_consumer("g")
        self.groups.add_consumer("g", FakeMember("g"))

    def test_empty(self) -> None:
        """Without any group it is false; leaving one that is not there is no error."""
        self.assertFalse(self.groups)
        self.groups.add_producer("g")
        self.assertTrue(self.groups)
        self.groups.remove_producer("g")
        self.groups.remove_producer("g")
        self.groups.remove_consumer("g")
        self.assertFalse(self.groups)

    def test_heartbeat(self) -> None:
        """It names all groups, sorted."""
        for group in ("q", "p"):
            self.groups.add_producer(group)
        self.groups.add_consumer("c", FakeMember("c"))
        data = self.groups.heartbeat_data("me")
        self.assertEqual(data.client_id, "me")
        self.assertEqual([p.group_name for p in data.producer_data_set], ["p", "q"])
        self.assertEqual([c.group_name for c in data.consumer_data_set], ["c"])

    def test_notify_one(self) -> None:
        """One group can be notified; one that is not there is no error."""
        one, two = FakeMember("one"), FakeMember("two")
        self.groups.add_consumer("one", one)
        self.groups.add_consumer("two", two)
        self.groups.notify_consumer("one")
        self.groups.notify_consumer("none")
        self.assertEqual((one.notified, two.notified), (1, 0))

    def test_one_that_raises(self) -> None:
        """Every consumer is notified, whatever another one raises."""
        bad, good = FakeMember("bad"), FakeMember("good")
        bad.members_changed = lambda: 1 / 0  # type: ignore[method-assign]
        self.groups.add_consumer("bad", bad)
        self.groups.add_consumer("good", good)
        self.groups.notify_consumers()
        self.assertEqual(good.notified, 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
