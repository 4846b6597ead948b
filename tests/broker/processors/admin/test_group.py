"""Tests of administering consumer groups."""

from __future__ import annotations

import json
from typing import Any

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.request_json import SMALL
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    DeleteGroups,
    GetAllGroups,
    GetGroup,
    UpdateGroup,
    UpdateGroups,
)
from tests.broker.cases import BrokerCase


class GroupProcessorTests(BrokerCase):
    """Administrators create, change, look at and delete groups."""

    def setUp(self) -> None:
        """Start a broker without groups of users."""
        super().setUp()
        self.groups, self.offsets = self.tables.groups, self.tables.offsets

    def update(self, body: bytes) -> None:
        """Create or change a group."""
        response = self.ask(UpdateGroup(body=body))
        self.assertEqual((response.status, response.remark), (0, None))

    def test_creates_with_java_s_defaults(self) -> None:
        """What the body leaves out has its default; unknown keys are ignored."""
        self.update(b'{"groupName":"CG","retryMaxTimes":3,"unknown":1}')
        self.assertEqual(
            self.groups.get("CG"), SubscriptionGroup("CG", retry_max_times=3)
        )

    def test_refuses_illegal_names(self) -> None:
        """A name that breaks the rules, or none at all, creates nothing."""
        before = dict(self.groups.table)
        self.refused(29, "a b", UpdateGroup(body=b'{"groupName":"a b"}'))
        self.refused(1, "groupName", UpdateGroup(body=b"{}"))
        body = b'{"groupName":"CG","retryQueueNums":65536}'
        self.refused(29, "retryQueueNums is 65536", UpdateGroup(body=body))
        self.assertEqual(self.groups.table, before)

    def attributes(self, changes: str) -> dict[str, str]:
        """Change attributes of a group; return what they are then."""
        self.update(b'{"groupName":"CG","attributes":%b}' % changes.encode())
        group = self.groups.get("CG")
        assert group is not None
        return group.attributes

    def test_attributes(self) -> None:
        """Those with a sign are set or removed, the others stay."""
        known = {"priority.factor": "30"}
        self.assertEqual(self.attributes('{"+priority.factor":"30"}'), known)
        self.assertEqual(self.attributes("{}"), known)
        self.assertEqual(self.attributes('{"-priority.factor":""}'), {})
        self.assertEqual(self.attributes('{"priority.factor":"30"}'), known)

    def test_refuses_attributes(self) -> None:
        """What has no effect here is refused, with the reason."""
        for changes, words in (
            ('{"+priority.factor":"101"}', "0 to 100"),
            ('{"+lite.bind.topic":"T"}', "no lite topics"),
            ('{"+other":"1"}', "priority.factor"),
        ):
            body = b'{"groupName":"CG","attributes":%b}' % changes.encode()
            self.refused(29, words, UpdateGroup(body=body))
        self.assertIsNone(self.groups.get("CG"))

    def test_creates_many(self) -> None:
        """All of a list, or none if one of them cannot be."""
        body = b'{"groupConfigList":[{"groupName":"A"},{"groupName":"%b"}]}'
        self.refused(29, "a b", UpdateGroups(body=body % b"a b"))
        self.assertIsNone(self.groups.get("A"))
        self.assertEqual(self.ask(UpdateGroups(body=body % b"B")).status, 0)
        self.assertIsNotNone(self.groups.get("A"))
        self.assertIsNotNone(self.groups.get("B"))

    def test_creates_many_in_steps(self) -> None:
        """A large list is one for the pacer."""
        names = [f"G{number}" for number in range(3000)]
        listed = [{"groupName": name} for name in names]
        body = json.dumps({"groupConfigList": listed}).encode()
        self.assertGreater(len(body), SMALL)
        asked = self.ask(UpdateGroups(body=body))
        self.assertNoResult(asked)
        self.clock.pump([0.0] * 20)
        self.assertEqual(self.successResultOf(asked).status, 0)
        self.assertIsNotNone(self.groups.get("G2999"))

    def test_gives_one_and_all(self) -> None:
        """Settings of one group, 26 if it is not here, and the whole table."""
        request = GetGroup("CG")
        self.refused(26, "CG", request)
        self.update(b'{"groupName":"CG"}')
        shown = json.loads(self.ask(request).body)
        self.assertEqual((shown["groupName"], shown["retryMaxTimes"]), ("CG", 16))
        table = json.loads(self.ask(GetAllGroups()).body)
        self.assertEqual(table["subscriptionGroupTable"]["CG"], shown)

    def test_deletes_many(self) -> None:
        """A list, and their offsets if that is asked for."""
        for name in ("A", "B", "C"):
            self.update(b'{"groupName":"%b"}' % name.encode())
            self.offsets.commit(name, "T", 0, 1)
        self.ask(DeleteGroups(body=b'{"groupNameList":["A","A","none"]}'))
        self.assertIn(("T", "A"), self.offsets.table)
        body = b'{"groupNameList":["B"],"cleanOffset":true}'
        self.ask(DeleteGroups(body=body))
        self.assertEqual(set("ABC") & self.groups.table.keys(), {"C"})
        self.assertEqual(list(self.offsets.table), [("T", "A"), ("T", "C")])

    def test_deletes_none_of_many(self) -> None:
        """If there is none, or one without a name, nothing is deleted."""
        self.update(b'{"groupName":"A"}')
        for body, why in (
            (b'{"groupNameList":["A",""]}', "group name is blank"),
            (b'{"groupNameList":[]}', "group name list is blank"),
            (b"{}", "group name list is blank"),
        ):
            self.refused(29, why, DeleteGroups(body=body))
        self.refused(1, "groupNameList", DeleteGroups(body=b'{"groupNameList":7}'))
        self.assertIn("A", self.groups.table)

    def test_keeps_topics(self) -> None:
        """
        As with Apache's 5.5.1, those of its retries are deleted by requests of their
        own, and those from which it pops again go with the topic.
        """
        self.update(b'{"groupName":"G"}')
        retries = ("%RETRY%G", "%RETRY%G+T", "%RETRY%G_T", "%DLQ%G")
        for name in retries:
            self.topic(name)
        self.ask(DeleteGroup("G", clean_offset=True))
        self.assertLessEqual(set(retries), self.tables.topics.table.keys())

    def test_deletes_offsets_if_asked(self) -> None:
        """Either release's flag takes the offsets away too."""
        for flags in ((True, None), (None, True)):
            self.update(b'{"groupName":"CG"}')
            self.offsets.commit("CG", "T", 0, 1)
            self.ask(DeleteGroup("CG"))
            self.assertIsNone(self.groups.get("CG"))
            self.assertEqual(self.offsets.query("CG", "T", 0), 1)
            self.ask(DeleteGroup("CG", *flags))
            self.assertIsNone(self.offsets.query("CG", "T", 0))


class PageTests(BrokerCase):
    """A part of the table, as slaves of 5.4 and later ask for it."""

    def setUp(self) -> None:
        """Create some groups."""
        super().setUp()
        self.groups = self.tables.groups
        for number in range(9):
            self.groups.put(SubscriptionGroup(f"G{number}"))
        self.groups.forbidden_table = {"G1": {"T": 4}, "G8": {"T": 4}}

    def page(self, *fields: Any) -> tuple[list[str], list[str], int, str]:
        """Return groups, those with forbidden topics, how many there are, a version."""
        response = self.ask(GetAllGroups(*fields))
        table = SubscriptionGroupTable.decode(response.body)
        version = table.data_version.encode().decode()
        names, forbidden = [*table.subscription_group_table], [*table.forbidden_table]
        return names, forbidden, response.total_group_num, version

    def test_whole(self) -> None:
        """Without fields."""
        names, forbidden, total, _ = self.page()
        self.assertEqual((names, total), ([*self.groups.table], len(names)))
        self.assertEqual(forbidden, ["G1", "G8"])

    def test_pages(self) -> None:
        """By name, one after the other, with what belongs to them."""
        every = sorted(self.groups.table)
        at = every.index("G0")
        _, _, total, version = self.page(0, None, 5)
        self.assertEqual(total, len(every))
        names, forbidden, _, _ = self.page(at, version, 4)
        self.assertEqual((names, forbidden), (every[at : at + 4], ["G1"]))

    def test_deleted_meanwhile(self) -> None:
        """A page that is made in steps leaves out what is gone."""
        steps = self.groups.encode_some(["G1", "G2"], list)
        self.groups.delete("G1")
        table = SubscriptionGroupTable.decode(all_at_once(steps))
        self.assertEqual([*table.subscription_group_table], ["G2"])

    def test_garbage(self) -> None:
        """What is no version is refused."""
        self.assertNotEqual(self.ask(GetAllGroups(5, "nonsense", 5)).status, 0)
