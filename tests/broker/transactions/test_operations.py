"""Tests of rocketmq_tw.broker.transactions.operations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.operations import (
    SEGMENT,
    OperationOffsets,
    offset_text,
    parse,
)


class BodyTests(SynchronousTestCase):
    """The body of an operation message."""

    def test_as_apache_writes_it(self) -> None:
        """Each offset with a comma; duplicates are possible."""
        self.assertEqual(parse(bytes.fromhex("302c302c302c312c")), [0, 0, 0, 1])
        self.assertEqual("".join(map(offset_text, (17, 18, 25))), "17,18,25,")

    def test_of_version_4(self) -> None:
        """One offset, without a comma."""
        self.assertEqual(parse(b"17"), [17])

    def test_junk(self) -> None:
        """What is no offset is left out."""
        self.assertEqual(
            parse(b"1,x,,-2,3 , 4,5.0,\xff,99999999999999999999,"), [1, 3, 4]
        )
        self.assertEqual(parse(b""), [])


class OffsetsTests(SynchronousTestCase):
    """Which operation messages are needed."""

    def test_done(self) -> None:
        """Those whose half messages are all before the first that is pending."""
        offsets = OperationOffsets(7)
        self.assertEqual(offsets.done(0), 7)
        offsets.add(7, 5)
        self.assertEqual(offsets.done(5), 7)
        self.assertEqual(offsets.done(6), 8)
        offsets.add(8, -1)
        self.assertEqual(offsets.done(0), 9)

    def test_many_take_little(self) -> None:
        """256 of them are one entry."""
        offsets = OperationOffsets(0)
        for offset in range(10 * SEGMENT):
            offsets.add(offset, offset)
        self.assertEqual(len(offsets), 10)

    @given(st.lists(st.integers(-1, 2000), max_size=600), st.integers(0, 2001))
    def test_none_is_done_early(self, named: list[int], pending: int) -> None:
        """All before what is said to be done name nothing that may be pending."""
        offsets = OperationOffsets(0)
        for offset, highest in enumerate(named):
            offsets.add(offset, highest)
        done = offsets.done(pending)
        self.assertTrue(all(each < pending for each in named[:done]))
        if all(each < pending for each in named):
            self.assertEqual(done, len(named))
