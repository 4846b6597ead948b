"""The keys of a table in chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.chunks import (
    AT_ONCE,
    Chunks,
    are_same,
    in_turns,
    spans_of,
    sums,
)


class Recorded:
    """A chunk that remembers whether it was closed."""

    def __init__(self, keys: list[int]) -> None:
        self.keys = keys
        self.is_closed = False

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True


class ChunksTests(SynchronousTestCase):
    """Which keys are where."""

    def setUp(self) -> None:
        """Start without keys."""
        self.chunks: Chunks[int, Recorded] = Chunks(Recorded, 4)

    def test_only_what_changed(self) -> None:
        """A chunk whose keys stay is not made again."""
        self.chunks.update(list(range(8)))
        first, second = self.chunks
        self.chunks.update([0, 1, 2, 3, 5, 6, 7])
        self.assertIn(first, list(self.chunks))
        self.assertTrue(second.is_closed)
        [changed] = [each for each in self.chunks if each is not first]
        self.assertEqual(changed.keys, [5, 6, 7])

    def test_capacity_is_used(self) -> None:
        """A new key goes where there is capacity."""
        self.chunks.update([1, 2, 3, 4, 5])
        self.chunks.update([1, 2, 3, 4, 5, 6])
        self.assertEqual(len(self.chunks), 2)
        self.assertEqual(sorted(len(each.keys) for each in self.chunks), [2, 4])

    def test_remade(self) -> None:
        """A chunk is made again for one of its keys; unknown keys are no error."""
        self.chunks.update([1, 2])
        [before] = self.chunks
        self.chunks.remake([2, 9])
        [after] = self.chunks
        self.assertTrue(before.is_closed and after is not before)
        self.assertEqual(after.keys, [1, 2])

    @given(st.lists(st.sets(st.integers(0, 40)), max_size=12))
    def test_as_a_set(self, steps: list[set[int]]) -> None:
        """All keys are in just one chunk, which is open."""
        chunks: Chunks[int, Recorded] = Chunks(Recorded, 4)
        for keys in steps:
            chunks.update(list(keys))
            found = [key for each in chunks for key in each.keys]
            self.assertEqual(sorted(found), sorted(keys))
            for each in chunks:
                self.assertFalse(each.is_closed)
                self.assertTrue(1 <= len(each.keys) <= 4)


class ListTests(SynchronousTestCase):
    """Operations on whole lists."""

    def test_same(self) -> None:
        """Equal objects are not the same."""
        one, other = [1], [1]
        self.assertTrue(are_same([one], [one]))
        self.assertFalse(are_same([one], [other]))
        self.assertFalse(are_same([one], [one, one]))

    def test_sums(self) -> None:
        """Each span is added up; an empty one is 0."""
        self.assertEqual(sums([1, 2, 3], spans_of([2, 0, 1])), [3, 0, 3])

    def test_in_turns(self) -> None:
        """A step ends where it has looked at enough; a large chunk ends one alone."""
        weights = [1, AT_ONCE, 5, AT_ONCE - 5, 1]
        found = list(in_turns(weights, int))
        self.assertEqual(found, [1, AT_ONCE, None, 5, AT_ONCE - 5, None, 1])
