"""
How far each delay level was delivered: ``delayOffset.json``.

Source: ``ScheduleMessageService.encode`` of RocketMQ 5, which writes the levels as bare
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.offsets import DelayOffsetTable
from rocketmq_tw.wire.errors import BadField


class DelayOffsets:
    """
    The document, and its version.

    :ivar saved: the queue offset of each level, as the file has them.
    """

    def __init__(self, file: JsonFile) -> None:
        self.saved: dict[int, int] = {}
        self._file = file
        self._version = DataVersion()

    def load(self) -> dict[int, int]:
        """
        Read the file; without one the table is empty.

        :raises BadField: the file is JSON, but no such table.
        """
        stored = _table(self._file.load())
        self._version = stored.data_version or DataVersion()
        return dict(stored.offset_table)

    def next_document(self, offsets: Mapping[int, int], now: float) -> bytes:
        """Write the table under its next version, made at this time."""
        self._version = self._version.next(int(now * 1000))
        return self.document(offsets)

    def document(self, offsets: Mapping[int, int]) -> bytes:
        """Write the table as the file has it, and as slaves request it."""
        table = {str(level): offset for level, offset in sorted(offsets.items())}
        return fastjson.dumps(
            {"dataVersion": msgspec.to_builtins(self._version), "offsetTable": table}
        )

    def save(self, document: bytes, offsets: dict[int, int]) -> None:
        """Write the file; ``offsets`` are those of the document."""
        self._file.save(document)
        self.saved = offsets


def _table(document: object) -> DelayOffsetTable:
    """Convert what the file holds. :raises BadField: it is something else."""
    if document is None:
        return DelayOffsetTable()
    try:
        return msgspec.convert(document, DelayOffsetTable, strict=False, str_keys=True)
    except msgspec.ValidationError as error:
        raise BadField("delayOffset.json", "unreadable", str(error)) from None
