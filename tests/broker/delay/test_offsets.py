"""The document of what each delay level has delivered."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.delay.offsets import DelayOffsets
from rocketmq_tw.wire.errors import BadField
from tests.broker.doubles import MemoryFile


class DelayOffsetsTests(SynchronousTestCase):
    """``delayOffset.json``."""

    def test_no_file(self) -> None:
        """Without a file the table is empty, its version the first."""
        offsets = DelayOffsets(MemoryFile(None))
        self.assertEqual(offsets.load(), {})
        self.assertIn(b'"counter":1', offsets.next_document({}, now=1.5))

    def test_order_of_levels(self) -> None:
        """Keys are written as text, in the order of text: files stay comparable."""
        document = DelayOffsets(MemoryFile(None)).document({10: 1, 2: 5, 1: 7})
        self.assertEqual(
            document,
            b'{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},'
            b'"offsetTable":{"1":7,"10":1,"2":5}}',
        )

    def test_round_trip(self) -> None:
        """What is saved is loaded, and known to be saved."""
        file = MemoryFile()
        offsets = DelayOffsets(file)
        offsets.save(offsets.next_document({1: 7, 2: 5}, now=3.0), {1: 7, 2: 5})
        self.assertEqual(offsets.saved, {1: 7, 2: 5})
        assert file.text is not None
        again = DelayOffsets(MemoryFile(file.text))
        self.assertEqual(again.load(), {1: 7, 2: 5})
        self.assertIn(b'"counter":2', again.next_document({}, now=4.0))

    def test_numbers_as_text(self) -> None:
        """Numbers may be quoted, and 4.9 writes no version."""
        offsets = DelayOffsets(MemoryFile(b'{"offsetTable":{"3":"12"}}'))
        self.assertEqual(offsets.load(), {3: 12})

    def test_below_zero(self) -> None:
        """A level with an offset below zero delivered nothing yet."""
        offsets = DelayOffsets(MemoryFile(b'{"offsetTable":{"3":-1,"4":2}}'))
        self.assertEqual(offsets.load(), {4: 2})

    def test_something_else(self) -> None:
        """Another document is refused."""
        for text in (b'{"offsetTable":{"one":1}}', b'{"offsetTable":[1]}', b"[]"):
            self.assertRaises(BadField, DelayOffsets(MemoryFile(text)).load)
