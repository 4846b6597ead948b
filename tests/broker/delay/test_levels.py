"""Delay levels, and messages addressed to them."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.delay.levels import DelayLevels, delay_level, parse_levels
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.errors import BadField
from tests.store.cases import DRAFT


class LevelTests(SynchronousTestCase):
    """The levels as they are written."""

    def test_parse(self) -> None:
        """A number and a unit each."""
        levels = (1_000, 120_000, 10_800_000, 86_400_000)
        self.assertEqual(parse_levels("1s  2m 3h 1d"), levels)

    def test_parse_refused(self) -> None:
        """Anything else is refused, and so is nothing."""
        for text in ("1", "s", "1x", "-1s", "1.5s", "\u0663s", "1s,2s", "", "  "):
            self.assertRaises(ValueError, parse_levels, text)

    def test_value(self) -> None:
        """The property is a whole number; none is no delay."""
        for value, level in ((None, 0), ("", 0), ("3", 3), ("-1", -1), ("+2", 2)):
            self.assertEqual(delay_level(value), level)
        for value in ("three", "1.5", "+", "--1", "\u00b2", "1" * 11):
            error = self.assertRaises(BadField, delay_level, value)
            self.assertIn("DELAY of the properties", str(error))


class ScheduleTests(SynchronousTestCase):
    """The copy that waits."""

    def test_address(self) -> None:
        """The level, capped, is the queue."""
        levels = DelayLevels((1000, 5000))
        for requested, level in ((1, 1), (2, 2), (99, 2)):
            draft = levels.schedule(DRAFT, requested)
            self.assertEqual(draft.topic, b"SCHEDULE_TOPIC_XXXX")
            self.assertEqual(draft.queue_id, level - 1)
            self.assertIn(b"DELAY\x01%d\x02" % level, draft.properties)
            self.assertEqual(draft.body, DRAFT.body)

    def test_properties(self) -> None:
        """Its own address is kept; a time of delivery does not count with a level."""
        text = (
            b"A\x01b\x02TIMER_DELAY_SEC\x015\x02TIMER_DELAY_MS\x015\x02DELAY\x019\x02"
        )
        draft = msgspec.structs.replace(DRAFT, properties=text, queue_id=3)
        scheduled = DelayLevels((1000,)).schedule(draft, 1)
        self.assertEqual(
            properties.decode(scheduled.properties.decode()),
            {
                "A": "b",
                "DELAY": "1",
                "REAL_TOPIC": DRAFT.topic.decode(),
                "REAL_QID": "3",
            },
        )
