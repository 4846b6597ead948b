"""Lines that are kept encoded, in blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.blocks import LINES, Blocks


class BlocksTests(SynchronousTestCase):
    """What is joined, and what is joined again."""

    def test_only_what_changed(self) -> None:
        """A block without changes is the same object as before."""
        blocks = Blocks()
        for number in range(2 * LINES):
            blocks.set(number, b"%d\n" % number)
        first = blocks.joined()
        self.assertEqual(len(first), 2)
        blocks.set(LINES, b"changed\n")
        second = blocks.joined()
        self.assertIs(second[0], first[0])
        self.assertTrue(second[1].startswith(b"changed\n"))

    def test_capacity_is_used(self) -> None:
        """What takes the capacity of removed lines makes no new block."""
        blocks = Blocks()
        for number in range(2 * LINES):
            blocks.set(number, b"x\n")
        for number in range(0, 2 * LINES, 2):
            blocks.remove(number)
        for number in range(LINES):
            blocks.set(("new", number), b"y\n")
        self.assertEqual(len(blocks.joined()), 2)
        self.assertEqual(len(blocks), 2 * LINES)

    def test_empty_blocks_go(self) -> None:
        """Without lines nothing is left."""
        blocks = Blocks()
        for number in range(LINES + 1):
            blocks.set(number, b"x\n")
        for number in range(LINES + 1):
            blocks.remove(number)
        blocks.remove("unknown")
        self.assertEqual((len(blocks), blocks.joined()), (0, []))

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=500))
    def test_as_a_dictionary(self, steps: list[tuple[bool, int]]) -> None:
        """It has the lines that a dictionary has, each once."""
        blocks, model = Blocks(), dict[int, bytes]()
        for count, (is_set, key) in enumerate(steps):
            if is_set:
                model[key] = b"%d %d\n" % (key, count)
                blocks.set(key, model[key])
            else:
                model.pop(key, None)
                blocks.remove(key)
            if count % 7 == 0:
                blocks.joined()
        lines = b"".join(blocks.joined()).splitlines(keepends=True)
        self.assertEqual(sorted(lines), sorted(model.values()))
        self.assertEqual(len(blocks), len(model))
