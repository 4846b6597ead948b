"""Filters of subscriptions that come with pulls."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pull.filters import Filters
from rocketmq_tw.model.subscription import IllegalSubscription, java_hash
from rocketmq_tw.remoting.errors import Refused


class FiltersTests(SynchronousTestCase):
    """They are kept, within a limit of characters."""

    def test_kept(self) -> None:
        """The same text gives the same filter."""
        filters = Filters(100)
        self.assertIsNone(filters.of("T", "*"))
        self.assertIsNone(filters.of("T", None))
        first = filters.of("T", "A || B")
        assert first is not None
        self.assertTrue(first(java_hash("A")))
        self.assertFalse(first(java_hash("C")))
        held = filters.held
        self.assertIs(filters.of("T", "A || B"), first)
        self.assertEqual(filters.held, held)

    def test_long_texts(self) -> None:
        """A text over the limit is refused; one tag less is read."""
        filters = Filters(100)
        error = self.assertRaises(Refused, filters.of, "T", "A" * 101)
        self.assertIn("101 characters", error.remark)
        self.assertIsNotNone(filters.of("T", "A" * 100))
        self.assertRaises(IllegalSubscription, filters.of, "T", "||")

    def test_all_have_a_limit(self) -> None:
        """However many texts come, so many characters are kept and no more."""
        filters = Filters(1000, kept_characters=10_000)
        for number in range(1000):
            filters.of("T", f"{number:0500}")
            self.assertLessEqual(filters.held, 10_000)
            self.assertEqual(
                filters.held,
                sum(len(text or "") + 100 for text in filters._filters),
            )

    def test_too_long_to_be_kept(self) -> None:
        """A text that alone is over what may be kept is read each time."""
        filters = Filters(1000, kept_characters=500)
        self.assertIsNotNone(filters.of("T", "A" * 1000))
        self.assertEqual(filters.held, 0)
