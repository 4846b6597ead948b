"""Tests of the hash of keys."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.store.index.hash import KeyHash


class KeyHashTests(SynchronousTestCase):
    """The hash is that of Java, made positive."""

    def test_known_values(self) -> None:
        """Values that a JVM computed."""
        self.assertEqual(KeyHash()(b"TopicTest#k1"), 2746024)
        # Its hash in Java is the least number, which has no positive counterpart.
        self.assertEqual(KeyHash()(b"polygenelubricants"), 0)

    def test_other_characters(self) -> None:
        """Characters are UTF-16 units, not bytes."""
        self.assertEqual(KeyHash()("\u6807\u7b7e".encode()), 857175)

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=600))
    def test_is_the_slow_one(self, text: str) -> None:
        """All texts hash as if done character by character, twice the same."""
        text = text.encode("utf-8", "replace").decode()
        expected = abs(java_hash(text)) % 0x80000000
        key_hash = KeyHash()
        for _ in range(2):
            self.assertEqual(key_hash(text.encode()), expected)

    def test_keeps_a_bounded_number(self) -> None:
        """Beginnings that never come again take no memory for ever."""
        key_hash = KeyHash()
        for number in range(10_000):
            key_hash(b"%020d" % (number << 30))
        self.assertLessEqual(len(key_hash._heads), 4096)

    def test_keeps_no_long_ones(self) -> None:
        """A bounded number of beginnings has a bound in bytes, too."""
        key_hash = KeyHash()
        key_hash(b"k" * 600)
        self.assertEqual(len(key_hash._heads), 0)
        key_hash(b"k" * 500)
        self.assertEqual(len(key_hash._heads), 1)
