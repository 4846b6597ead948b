"""Tests of administering consumer groups."""

from __future__ import annotations

import json

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    GetAllGroups,
    GetGroup,
    UpdateGroup,
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

    def test_gives_one_and_all(self) -> None:
        """Settings of one group, 26 if it is not here, and the whole table."""
        request = GetGroup("CG")
        self.refused(26, "CG", request)
        self.update(b'{"groupName":"CG"}')
        shown = json.loads(self.ask(request).body)
        self.assertEqual((shown["groupName"], shown["retryMaxTimes"]), ("CG", 16))
        table = json.loads(self.ask(GetAllGroups()).body)
        self.assertEqual(table["subscriptionGroupTable"]["CG"], shown)

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
