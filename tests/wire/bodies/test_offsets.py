"""Tables of offsets."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.offsets import (
    ConsumerOffsetTable,
    DelayOffsetTable,
    QueueOffset,
    ResetOffsetBodyForC,
)
from rocketmq_tw.wire.errors import BadField


class OffsetTests(SynchronousTestCase):
    """Offsets of groups and of delay levels."""

    def test_files_of_4_9(self) -> None:
        """Bare numbers are keys, and a version is absent."""
        table = ConsumerOffsetTable.decode(b'{"offsetTable":{"T@G":{0:7,1:"8"}}}')
        self.assertEqual(table.offset_table, {"T@G": {0: 7, 1: 8}})
        self.assertIsNone(table.data_version)
        self.assertEqual(
            DelayOffsetTable.decode(b'{"offsetTable":{3:12}}').offset_table, {3: 12}
        )

    def test_no_number(self) -> None:
        """A queue id that is no number is refused."""
        text = b'{"offsetTable":{"T@G":{"one":7}}}'
        self.assertRaises(BadField, ConsumerOffsetTable.decode, text)

    def test_for_c(self) -> None:
        """C++ clients get a flat list, in the order of queues."""
        offsets = {MessageQueue("T", "b", 1): 7, MessageQueue("T", "a", 9): 8}
        self.assertEqual(
            ResetOffsetBodyForC.of(offsets).offset_table,
            (QueueOffset("T", "a", 9, 8), QueueOffset("T", "b", 1, 7)),
        )
