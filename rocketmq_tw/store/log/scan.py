"""
Reads the records of a commit log in sequence and skips damaged parts.

Up to a *trusted* offset the log is known to be complete: invalid bytes there are damage
and are skipped. Behind it, the first invalid record is the end of the log.
"""

from collections.abc import Iterator

from twisted.logger import Logger

from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.wire.record import BLANK, Checked, check
from rocketmq_tw.wire.record_layout import (
    COMMIT_LOG_OFFSET,
    MAGICS,
    MAX_RECORD_SIZE,
)

#: Bytes read at a time; the reactor does other work in between, after some 4 ms.
SLICE = 256 << 10


class Scan:
    """
    Reads the records of a commit log from one offset on.

    ``position`` is the end of the last valid record, or the start of the file behind a
    blank. ``damaged`` counts the parts that were skipped.
    """

    _log = Logger()

    def __init__(self, log: CommitLog, start: int, trusted: int, crc: bool) -> None:
        """Start at ``start``, which must be the start of a record."""
        self.position = start
        self.damaged = 0
        self._commit_log = log
        self._trusted = trusted
        self._crc = crc

    def __iter__(self) -> Iterator[tuple[int, Checked]]:
        """Yield the offset and the facts of each record, until the log ends."""
        while True:
            data = self._chunk()
            at, limit = 0, len(data)
            start = self.position
            found = check(data, at, limit, self._crc)
            while isinstance(found, Checked):
                if is_torn(found) and not self._continues_at(start + at + found.size):
                    return
                self.position = start + at + found.size
                yield start + at, found
                at += found.size
                found = check(data, at, limit, self._crc)
            if at:
                continue
            if self._blank(data):
                base = self._commit_log.files.base_of(self.position)
                self.position = base + self._commit_log.files.file_size
            elif self.position >= self._trusted:
                return
            else:
                self._skip_damage()

    def _chunk(self) -> bytes:
        """Read one slice, or one complete record if that is longer."""
        files = self._commit_log.files
        data = files.read(self.position, SLICE)
        size = int.from_bytes(data[:4], "big")
        if data[4:8] in MAGICS and len(data) < size < MAX_RECORD_SIZE:
            data = files.read(self.position, size)
        return data

    def _blank(self, data: bytes) -> bool:
        """Return whether the rest of this file is filler."""
        files = self._commit_log.files
        left = files.file_size - self.position % files.file_size
        return len(data) >= 8 and check(data[:8], 0, left, False) is BLANK

    def _continues_at(self, position: int) -> bool:
        """Return whether the log continues at ``position``."""
        data = self._commit_log.files.read(position, 8)
        return data[4:] in MAGICS or self._blank(data) or position < self._trusted

    def _skip_damage(self) -> None:
        """Skip to the next record or file behind the damage."""
        files = self._commit_log.files
        start = self.position
        end = files.base_of(start) + files.file_size
        position = self._next_record(start + 1, min(end, self._trusted))
        if position is None:
            later = [base for base in files.bases if base > start]
            position = min([*later[:1], max(self._trusted, start)])
        self.position = position
        self.damaged += 1
        self._log.warn(
            "{path} is damaged at {at}: {size} bytes of the commit log, from"
            " {start} on, are skipped",
            path=files.path(files.base_of(start)),
            at=start % files.file_size,
            size=position - start,
            start=start,
        )

    def _next_record(self, position: int, end: int) -> int | None:
        """Return the start of the next record whose stored offset is its own."""
        files = self._commit_log.files
        while position < end:
            data = files.read(position, SLICE)
            for magic in MAGICS:
                at = data.find(magic, 4)
                while at >= 0:
                    offset = position + at - 4
                    if offset < end and self._is_record(offset):
                        return offset
                    at = data.find(magic, at + 1)
            position += max(len(data) - 7, 1)
        return None

    def _is_record(self, position: int) -> bool:
        """Return whether a complete record with this offset is stored there."""
        head = self._commit_log.files.read(position, COMMIT_LOG_OFFSET.stop)
        if int.from_bytes(head[COMMIT_LOG_OFFSET], "big") != position:
            return False
        return self._commit_log.facts_at(position) is not None


def is_torn(found: Checked) -> bool:
    """
    Return whether the end of a record seems to be missing; no checksum covers it.

    An interrupted write leaves zeros; properties and topics never end in one.
    """
    return (found.properties or found.topic)[-1:] == b"\0"
