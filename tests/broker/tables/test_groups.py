"""Tests of the table of consumer groups."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import GroupNotExist, TooManyGroups
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.model.group import PREDEFINED_GROUPS, SubscriptionGroup
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from tests.broker.doubles import MemoryFile


class GroupTableTests(SynchronousTestCase):
    """Groups come about by being named, if that is allowed, and are kept."""

    def setUp(self) -> None:
        """Make an empty file."""
        self.file = MemoryFile()

    def make(self, auto_create: bool = True) -> GroupTable:
        """Make a table on the file and load it."""
        table = GroupTable(self.file, clock=Clock(), auto_create=auto_create)
        table.load()
        return table

    def test_has_the_predefined_groups(self) -> None:
        """A new broker has the groups that Apache RocketMQ has."""
        self.assertEqual(set(self.make().table), set(PREDEFINED_GROUPS))

    def test_find_creates(self) -> None:
        """An unknown group comes about with the defaults, and is written."""
        table = self.make()
        self.assertEqual(table.find("CG"), SubscriptionGroup("CG"))
        self.assertEqual(self.make().table, table.table)
        self.assertEqual(self.make().data_version, table.data_version)

    def test_limit(self) -> None:
        """So many groups are created and no more, by whatever request."""
        limit = len(PREDEFINED_GROUPS) + 1
        table = GroupTable(self.file, clock=Clock(), limit=limit)
        table.load()
        table.require("CG")
        self.assertIsNone(table.find("made-up"))
        for create in (
            lambda: table.require("made-up"),
            lambda: table.put(SubscriptionGroup("made-up")),
        ):
            error = self.assertRaises(TooManyGroups, create)
            self.assertEqual(
                str(error),
                "subscription group [made-up] does not exist;"
                " maxSubscriptionGroups (9) is reached",
            )
        self.assertRaises(GroupNotExist, table.require, "bad group")
        table.put(SubscriptionGroup("CG", consume_enable=False))
        self.assertEqual((len(table.table), table.refused), (limit, 3))
        table.delete("CG")
        self.assertIsNotNone(table.find("made-up"))

    def test_find_creates_nothing_when_switched_off(self) -> None:
        """Then only the system's own groups come about."""
        table = self.make(auto_create=False)
        self.assertIsNone(table.find("CG"))
        self.assertRaises(GroupNotExist, table.require, "CG")
        self.assertIsNotNone(table.find("CID_RMQ_SYS_X"))

    def test_find_creates_no_illegal_group(self) -> None:
        """A name that breaks the rules is unknown, and stays so."""
        table = self.make()
        for name in ("", " ", "a b", "x" * 121):
            self.assertIsNone(table.find(name), name)

    def test_delete_forgets(self) -> None:
        """A deleted group is gone, from the file too."""
        table = self.make()
        table.find("CG")
        self.assertTrue(table.delete("CG"))
        self.assertFalse(table.delete("CG"))
        self.assertNotIn("CG", self.make().table)

    def test_keeps_forbidden_topics(self) -> None:
        """What Apache RocketMQ's tools forbade is kept, and obeyed."""
        self.file.text = (
            b'{"forbiddenTable":{"CG":{"T":4}},"subscriptionGroupTable":{}}'
        )
        table = self.make()
        self.assertFalse(table.may_read("CG", "T"))
        self.assertTrue(table.may_read("CG", "U"))
        table.find("other")
        self.assertIn(b'"forbiddenTable":{"CG":{"T":4}}', self.file.text)

    def test_only_changes_are_encoded(self) -> None:
        """A table of many groups is encoded in steps, and kept entry by entry."""
        table = self.make()
        for number in range(250):
            table.put(SubscriptionGroup(f"CG{number}"))
        fresh = self.make()
        steps = fresh.encode_in_steps()
        for _ in range(2):
            self.assertIsNone(next(steps))
        fresh.put(SubscriptionGroup("CG7", retry_max_times=3))
        fresh.delete("CG8")
        text = self.assertRaises(StopIteration, next, steps).value
        shown = SubscriptionGroupTable.decode(text)
        self.assertEqual(shown.subscription_group_table, fresh.table)
        self.assertEqual(shown.data_version, fresh.data_version)
        fresh.put(SubscriptionGroup("new"))
        self.assertRaises(StopIteration, next, fresh.encode_in_steps())
        self.assertIn(b'"new":{', fresh.encode())
