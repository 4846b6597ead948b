"""Tests of the attributes of groups."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.group_attributes import altered, priority_factor
from rocketmq_tw.wire.errors import BadField


class AlteredTests(SynchronousTestCase):
    """What becomes of attributes."""

    def test_new_group(self) -> None:
        """It has those that are set."""
        self.assertEqual(altered(None, {}), {})
        found = altered(None, {"+priority.factor": "0"})
        self.assertEqual(found, {"priority.factor": "0"})

    def test_known_group(self) -> None:
        """Others stay, even those that only another program can use."""
        known = {"priority.factor": "7", "lite.bind.topic": "T"}
        self.assertEqual(altered(known, {}), known)
        found = altered(known, {"-priority.factor": ""})
        self.assertEqual(found, {"lite.bind.topic": "T"})
        self.assertEqual(altered(found, {"-priority.factor": ""}), found)

    def test_refused(self) -> None:
        """Unknown names, and values out of range."""
        for name, value in (
            ("+other", "1"),
            ("-other", ""),
            ("", ""),
            ("+", ""),
            ("+lite.sub.model", "Shared"),
            ("+priority.factor", "101"),
            ("+priority.factor", "-1"),
            ("+priority.factor", "\\u0663"),
            ("+priority.factor", ""),
        ):
            self.assertRaises(BadField, altered, None, {name: value})

    def test_factor(self) -> None:
        """A hundred, unless there is a good one."""
        self.assertEqual(priority_factor({}), 100)
        self.assertEqual(priority_factor({"priority.factor": "x"}), 100)
        self.assertEqual(priority_factor({"priority.factor": "30"}), 30)
