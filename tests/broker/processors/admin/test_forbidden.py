"""Tests of groups that may not read topics."""

from __future__ import annotations

import json

from rocketmq_tw.wire.requests.group import UpdateForbidden
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent


class ForbiddenProcessorTests(BrokerCase):
    """A topic with a message, and a group."""

    def setUp(self) -> None:
        """Send and pull."""
        super().setUp()
        self.ask(sent())
        self.assertEqual(self.ask(pulled()).status, 0)

    def update(self, readable: bool | None = None) -> bool:
        """Ask, and return whether the group may read the topic."""
        response = self.ask(UpdateForbidden(GROUP, TOPIC, readable))
        self.assertEqual((response.status, response.remark), (0, None))
        state = json.loads(response.body)
        self.assertEqual((state["group"], state["topic"]), (GROUP, TOPIC))
        found: bool = state["readable"]
        return found

    def test_forbidden(self) -> None:
        """Its pulls are refused, until it is allowed again."""
        self.assertTrue(self.update())
        self.assertFalse(self.update(readable=False))
        self.assertFalse(self.update())
        self.subscribe()
        self.assertEqual(self.ask(pulled(sys_flag=0)).status, 16)
        self.assertTrue(self.update(readable=True))
        self.assertEqual(self.ask(pulled(sys_flag=0)).status, 0)
        self.assertEqual(self.tables.groups.forbidden_table, {})

    def test_kept(self) -> None:
        """It is in the file of the groups."""
        self.update(readable=False)
        self.restart()
        self.assertFalse(self.update())

    def test_other_bits_stay(self) -> None:
        """What another program has set is kept."""
        self.tables.groups.forbidden_table[GROUP] = {TOPIC: 2, "Other": 4}
        self.update(readable=False)
        self.update(readable=True)
        self.assertEqual(
            self.tables.groups.forbidden_table[GROUP], {TOPIC: 2, "Other": 4}
        )

    def test_limit(self) -> None:
        """The remark names the setting; what is forbidden already can be changed."""
        groups = self.tables.groups
        groups.max_forbidden = 1
        self.update(readable=False)
        self.topic("Other")
        self.refused(
            1, "maxForbiddenTopics (1)", UpdateForbidden(GROUP, "Other", False)
        )
        self.assertEqual((groups.forbidden, groups.forbidden_refused), (1, 1))
        self.assertEqual(self.stats.gauges["forbiddenTopicsRefused"](), 1)
        self.update(readable=True)
        self.assertEqual(groups.forbidden, 0)

    def test_unknown(self) -> None:
        """Nothing is kept of topics and groups that are not there."""
        self.refused(17, "Other", UpdateForbidden(GROUP, "Other", False))
        self.refused(26, "/", UpdateForbidden("no/group", TOPIC, False))
        self.assertEqual(self.tables.groups.forbidden_table, {})
