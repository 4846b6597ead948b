"""Tests of altering a topic's attributes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.topic_attributes import altered
from rocketmq_tw.wire.errors import BadField


class AlteredTests(SynchronousTestCase):
    """Changes are spelt with signs; what is kept is not."""

    def test_sets_and_removes(self) -> None:
        """Plus sets a value, minus removes it; the rest stays."""
        self.assertEqual(
            altered(None, "+message.type=FIFO, +reserve.time=5"),
            {"message.type": "FIFO", "reserve.time": "5"},
        )
        self.assertEqual(
            altered({"message.type": "FIFO", "reserve.time": "5"}, "-reserve.time"),
            {"message.type": "FIFO"},
        )

    def test_nothing_changes_nothing(self) -> None:
        """No text, or an empty one, leaves all as it is."""
        self.assertEqual(
            altered({"message.type": "FIFO"}, None), {"message.type": "FIFO"}
        )
        self.assertEqual(altered(None, ""), {})

    def test_unknown(self) -> None:
        """The error names the attribute first, and then those that there are."""
        error = self.assertRaises(BadField, altered, None, "+colour=red")
        self.assertEqual(str(error)[:23], "unsupported key: colour")
        self.assertIn("; expected one of cleanup.policy, dedupe.window", str(error))

    def test_refuses_what_makes_no_sense(self) -> None:
        """Unknown names and values, bare names and removals at creation are refused."""
        for text in (
            "+colour=red",
            "+message.type=RED",
            "+reserve.time=soon",
            "message.type=FIFO",
            "+message.type",
            "-message.type",
            "+queue.type=BatchCQ",
        ):
            self.assertRaises(BadField, altered, None, text)

    def test_some_are_fixed_at_creation(self) -> None:
        """The kind of queue stays; naming it as it is, is no change."""
        current = altered(None, "+queue.type=SimpleCQ")
        self.assertEqual(altered(current, "+queue.type=SimpleCQ"), current)
        self.assertRaises(BadField, altered, {}, "+queue.type=SimpleCQ")
        self.assertRaises(BadField, altered, current, "-queue.type")
