"""Tests of administering consumer groups."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.group import GroupProcessor
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.model.errors import IllegalGroup
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    GetAllGroups,
    GetGroup,
    UpdateGroup,
)
from tests.broker.doubles import MemoryFile, call


class GroupProcessorTests(SynchronousTestCase):
    """Administrators create, change, look at and delete groups."""

    def setUp(self) -> None:
        """Make a processor without groups."""
        clock = Clock()
        self.groups = GroupTable(MemoryFile(), clock=clock)
        self.offsets = ConsumerOffsets(MemoryFile(), clock=clock)
        self.processor = GroupProcessor(groups=self.groups, offsets=self.offsets)

    def update(self, body: bytes) -> None:
        """Create or change a group."""
        self.processor.update(UpdateGroup(body=body), call())

    def test_takes_its_requests(self) -> None:
        """The router knows who handles the four codes."""
        router = Router()
        self.processor.routes(router)
        for code in (200, 201, 207, 352):
            self.assertIsNotNone(router.find(code), code)

    def test_creates_with_java_s_defaults(self) -> None:
        """What the body leaves out has its default; unknown keys are ignored."""
        self.update(b'{"groupName":"CG","retryMaxTimes":3,"unknown":1}')
        self.assertEqual(
            self.groups.get("CG"), SubscriptionGroup("CG", retry_max_times=3)
        )

    def test_refuses_illegal_names(self) -> None:
        """A name that breaks the rules, or none at all, creates nothing."""
        self.assertRaises(IllegalGroup, self.update, b'{"groupName":"a b"}')
        self.assertRaises(BadField, self.update, b"{}")
        self.assertEqual(self.groups.table, {})

    def test_gives_one_and_all(self) -> None:
        """Settings of one group, 26 if it is not here, and the whole table."""
        request = GetGroup("CG")
        error = self.assertRaises(Refused, self.processor.get, request, call())
        self.assertEqual(error.code, 26)
        self.update(b'{"groupName":"CG"}')
        shown = json.loads(self.processor.get(request, call()).body)
        self.assertEqual((shown["groupName"], shown["retryMaxTimes"]), ("CG", 16))
        table = json.loads(self.processor.all(GetAllGroups(), call()).body)
        self.assertEqual(table["subscriptionGroupTable"], {"CG": shown})

    def test_deletes_offsets_if_asked(self) -> None:
        """Either release's flag takes the offsets away too."""
        for flags in ((True, None), (None, True)):
            self.update(b'{"groupName":"CG"}')
            self.offsets.commit("CG", "T", 0, 1)
            self.processor.delete(DeleteGroup("CG"), call())
            self.assertIsNone(self.groups.get("CG"))
            self.assertEqual(self.offsets.query("CG", "T", 0), 1)
            self.processor.delete(DeleteGroup("CG", *flags), call())
            self.assertIsNone(self.offsets.query("CG", "T", 0))
