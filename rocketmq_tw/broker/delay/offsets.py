"""
The delivered offset of each delay level: ``delayOffset.json``.

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


class DelayOffsets:
    """
    The document and its version.

    :ivar saved: the queue offset of each level, as last written.
    :ivar version: changes with each write.
    """

    def __init__(self, file: JsonFile) -> None:
        self.saved: dict[int, int] = {}
        self._file = file
        self.version = DataVersion()

    def load(self) -> dict[int, int]:
        """
        Return the offsets in the file that are not below zero; empty without a file.

        :raises DamagedDocument: neither the file nor its backup is such a table.
        """
        stored = self._file.load_as(DelayOffsetTable.decode) or DelayOffsetTable()
        self.version = stored.data_version or DataVersion()
        return {level: at for level, at in stored.offset_table.items() if at >= 0}

    def next_document(self, offsets: Mapping[int, int], now: float) -> bytes:
        """Encode the offsets under a new version with this time."""
        self.version = self.version.next(int(now * 1000))
        return self.document(offsets)

    def document(self, offsets: Mapping[int, int]) -> bytes:
        """Encode the offsets as in the file and in the response to slaves."""
        table = {str(level): offset for level, offset in sorted(offsets.items())}
        return fastjson.dumps(
            {"dataVersion": msgspec.to_builtins(self.version), "offsetTable": table}
        )

    def adopt(self, offsets: dict[int, int], version: DataVersion | None) -> None:
        """Write the offsets of a slave's master under its version, if they are new."""
        known = self.version
        self.version = known if version is None else version
        if offsets != self.saved or self.version != known:
            self.save(self.document(offsets), offsets)

    def save(self, document: bytes, offsets: dict[int, int]) -> None:
        """Write the file; ``offsets`` are those of the document."""
        self._file.save(document)
        self.saved = offsets
