"""Tests of rocketmq_tw.model.subscription."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model import subscription
from rocketmq_tw.model.subscription import (
    IllegalSubscription,
    _hash,
    _hash_long,
    java_hash,
    kept_hash,
    tags_code,
)


class HashTests(SynchronousTestCase):
    """The hash is Java's String.hashCode."""

    def test_vectors(self) -> None:
        """Texts have the hash codes that Java gives them."""
        self.assertEqual(java_hash(""), 0)
        self.assertEqual(java_hash("TagA"), 2598919)
        self.assertEqual(java_hash("TagB"), 2598920)
        self.assertEqual(java_hash("Aa"), java_hash("BB"))
        self.assertEqual(java_hash("polygenelubricants"), -(1 << 31))

    def test_long_texts_are_not_kept(self) -> None:
        """What is kept of texts that peers send has a bound in bytes."""
        before = kept_hash.cache_info().currsize
        self.assertEqual(java_hash("0" * 65 + "a"), java_hash("0" * 65 + "a"))
        self.assertEqual(kept_hash.cache_info().currsize, before)
        longer = 31 * java_hash("a" * 64) + ord("a")
        self.assertEqual(java_hash("a" * 65) % (1 << 32), longer % (1 << 32))

    @settings(deadline=None)
    @given(st.text(), st.integers(0, 9))
    def test_long_texts(self, text: str, doublings: int) -> None:
        """Many characters at once give what one after the other gives."""
        text *= 1 << doublings
        self.assertEqual(_hash_long(text), _hash(text))

    def test_largest_units(self) -> None:
        """No unit is so large that it changes its neighbour."""
        for size in (1, 255, 256, 257, 1000):
            text = "\uffff" * size
            self.assertEqual(_hash_long(text), _hash(text))

    def test_other_planes_count_as_two_units(self) -> None:
        """A character outside the first plane is hashed as its surrogates."""
        self.assertEqual(java_hash("\U0001f600"), 0xD83D * 31 + 0xDE00)
        self.assertEqual(java_hash("\ud83d"), 0xD83D)

    def test_tags_code(self) -> None:
        """No tags are 0; several tags are hashed as one text."""
        self.assertEqual(tags_code(None), 0)
        self.assertEqual(tags_code(""), 0)
        self.assertEqual(tags_code("TagA || TagB"), java_hash("TagA || TagB"))


class ParseTests(SynchronousTestCase):
    """Expressions become subscriptions."""

    def test_everything(self) -> None:
        """Null, empty and a star mean everything, without sets."""
        for expression in (None, "", "*"):
            parsed = subscription.parse("T", expression, 5)
            self.assertEqual(parsed.sub_string, "*")
            self.assertEqual((parsed.tags_set, parsed.code_set), (set(), set()))
            self.assertEqual(parsed.sub_version, 5)

    def test_tags(self) -> None:
        """Tags are trimmed, empty ones dropped; the text is kept."""
        parsed = subscription.parse("T", "TagA || TagB ||", 1)
        self.assertEqual(parsed.tags_set, {"TagA", "TagB"})
        self.assertEqual(parsed.code_set, {2598919, 2598920})
        self.assertEqual(parsed.sub_string, "TagA || TagB ||")

    def test_separators_alone_are_refused(self) -> None:
        """An expression without a tag would match nothing."""
        self.assertRaises(IllegalSubscription, subscription.parse, "T", " || ", 1)

    def test_sql_is_kept_as_text(self) -> None:
        """An SQL92 expression has no tags and is not looked into."""
        parsed = subscription.parse_as("T", "a > 1", "SQL92", 1)
        self.assertFalse(parsed.is_tag)
        self.assertEqual((parsed.sub_string, parsed.tags_set), ("a > 1", set()))
        self.assertRaises(
            IllegalSubscription, subscription.parse_as, "T", "", "SQL92", 1
        )

    def test_empty_type_means_tags(self) -> None:
        """Null and the empty type count as TAG."""
        for kind in (None, "", "TAG"):
            parsed = subscription.parse_as("T", "a", kind, 1)
            self.assertTrue(parsed.is_tag)
            self.assertEqual(parsed.tags_set, {"a"})
