"""Tests of rocketmq_tw.filter.tags."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.tags import accepts, count_tags, matcher
from rocketmq_tw.model.subscription import (
    Subscription,
    java_hash,
    parse,
    parse_as,
)


class MatcherTests(SynchronousTestCase):
    """The broker filters by hash code."""

    def test_everything_passes(self) -> None:
        """A star, SQL92, class filters and no subscription need no test by code."""
        for subscription in (
            None,
            parse("T", "*", 1),
            parse_as("T", "a > 1", "SQL92", 1),
            Subscription("T", "A", class_filter_mode=True),
        ):
            self.assertIsNone(matcher(subscription))

    def test_codes_of_the_tags_pass(self) -> None:
        """Only codes in the set pass, so two tags with one code both do."""
        passes = matcher(parse("T", "Aa || TagB", 1))
        assert passes is not None
        self.assertTrue(passes(java_hash("TagB")))
        self.assertTrue(passes(java_hash("BB")))
        self.assertFalse(passes(java_hash("TagA")))
        self.assertFalse(passes(0))

    def test_count(self) -> None:
        """It is known how many tags a test has."""
        self.assertEqual(count_tags(matcher(parse("T", "Aa || TagB", 1))), 2)
        self.assertEqual(count_tags(None), 0)


class AcceptsTests(SynchronousTestCase):
    """The client filters by text."""

    def test_text_decides(self) -> None:
        """A tag with an equal hash code is filtered by its text; no tag is dropped."""
        subscription = parse("T", "Aa", 1)
        self.assertTrue(accepts(subscription, "Aa"))
        self.assertFalse(accepts(subscription, "BB"))
        self.assertFalse(accepts(subscription, None))

    def test_no_tags_accept_all(self) -> None:
        """Without tags everything is wanted, tagged or not."""
        self.assertTrue(accepts(parse("T", "*", 1), None))
        self.assertTrue(accepts(parse_as("T", "a > 1", "SQL92", 1), "x"))
