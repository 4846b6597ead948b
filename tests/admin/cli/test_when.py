"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.when import parse_ago, parse_time, parse_to

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class TimeTests(SynchronousTestCase):
    """So long ago, now, and ISO 8601."""

    def test_ago(self) -> None:
        """The word behind the number may be left out."""
        self.assertEqual(parse_ago("2h-ago"), timedelta(hours=2))
        self.assertEqual(parse_ago("30m"), timedelta(minutes=30))
        self.assertEqual(parse_ago("now"), timedelta(0))
        self.assertIsNone(parse_ago("2 years ago"))

    def test_times(self) -> None:
        """A time with a zone is that time; one without is local."""
        self.assertEqual(parse_time("1d-ago", NOW), NOW - timedelta(days=1))
        zoned = parse_time("2026-11-28T10:00+01:00", NOW)
        self.assertEqual(zoned, datetime(2026, 11, 28, 9, tzinfo=UTC))
        self.assertIsNotNone(parse_time("2026-11-28 10:00", NOW).tzinfo)

    def test_wrong(self) -> None:
        """Anything else is refused, also times that no computer has."""
        for text in ("", "yesterday", "2026-13-01", "1900-01-01", "999999w-ago"):
            self.assertRaises(click.BadParameter, parse_time, text, NOW)

    def test_to(self) -> None:
        """A group continues at an end, an offset or a time."""
        self.assertEqual(parse_to("earliest"), "earliest")
        self.assertEqual(parse_to("offset:12"), 12)
        self.assertEqual(parse_to("2h-ago"), timedelta(hours=2))
        self.assertIsInstance(parse_to("2026-11-28T10:00"), datetime)
        for text in ("12", "offset:-1", "first"):
            self.assertRaises(click.BadParameter, parse_to, text)
