"""
Queries messages by key; runs in a thread.

An entry of an index file holds only a hash. Each record it points at is read, and
returned if its topic, key and store time match. A search examines at most a million
entries, however many keys share a slot or a hash; reading a record counts as twenty.
Files are opened here, so nothing is shared with the reactor.

Source: ``DefaultMessageStore.queryMessage`` and ``IndexService.queryOffset``.
"""

import os
from collections.abc import Callable, Iterator, Sequence

import msgspec

from rocketmq_tw.store.index.file import IndexFile, Steps
from rocketmq_tw.store.index.keys import keys_of, unique_key
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.wire.record import Checked, check
from rocketmq_tw.wire.record_layout import MAX_RECORD_SIZE

#: Index entries that one search may examine: 0.6 s if no record is read.
MAX_STEPS = 1_000_000
_RECORD_STEPS = 20
#: The size of one result, in bytes; the first record is returned even if longer.
MAX_RESULT = 8 << 20


class Wanted(msgspec.Struct, frozen=True):
    """What is searched for; times are store times in ms, both included."""

    topic: bytes
    key: bytes
    hash_code: int
    max_count: int
    begin_ms: int
    end_ms: int
    is_unique: bool
    matches: Callable[[bytes], bool] | None = None
    before: int | None = None

    def is_met_by(self, record: bytes, found: Checked) -> bool:
        """Return whether a record matches; ``found`` is what was read of it."""
        if found.topic != self.topic:
            return False
        if not self.begin_ms <= found.store_time_ms <= self.end_ms:
            return False
        if self.is_unique:
            has_key = unique_key(found.properties) == self.key
        else:
            has_key = self.key in keys_of(found.properties)
        return has_key and (self.matches is None or self.matches(record))


class Search:
    """
    One search. ``records`` are the records found, by commit log offset.

    ``gap`` is the reason why the result may be incomplete; None if it is complete.
    ``stopped_at`` is the offset of the last record that was read, if there were too
    many entries; where the search began if none was.
    """

    def __init__(
        self,
        log: CommitLog,
        files: Sequence[IndexFile],
        max_steps: int = MAX_STEPS,
    ) -> None:
        """
        Search ``files``, which are in order of age, and read records from ``log``.
        """
        self.records: dict[int, bytes] = {}
        self.gap: str | None = None
        self.stopped_at: int | None = None
        self._commit_log = log
        self._files = list(files)
        self._max_steps = max_steps
        self._steps = Steps(max_steps)
        self._size = 0
        self._descriptors: dict[str, int] = {}

    def run(self, wanted: Wanted) -> None:
        """
        Find records, newest first.

        :raises OSError: a file cannot be read.
        """
        seen: set[int] = set()
        offset = wanted.before
        try:
            for offset in self._offsets(wanted):
                if offset in seen:
                    continue
                seen.add(offset)
                self._steps.left -= _RECORD_STEPS
                record = self._read(offset, wanted)
                if record is not None and not self._take(offset, record, wanted):
                    return
        finally:
            for descriptor in self._descriptors.values():
                os.close(descriptor)
        if self._steps.left <= 0:
            self.gap = f"stopped after {self._max_steps} index entries; narrow the time"
            self.stopped_at = offset

    def _offsets(self, wanted: Wanted) -> Iterator[int]:
        """Yield the commit log offsets of candidates, newest first."""
        begin, end = wanted.begin_ms, wanted.end_ms
        for file in reversed(self._files):
            if file.overlaps(begin, end):
                try:
                    found = file.find(wanted.hash_code, begin, end, self._steps)
                    for offset in found:
                        if wanted.before is None or offset < wanted.before:
                            yield offset
                except FileNotFoundError:
                    continue  # deleted by retention meanwhile

    def _take(self, offset: int, record: bytes, wanted: Wanted) -> bool:
        """Keep a record; return whether the search should continue."""
        if self.records and self._size + len(record) > MAX_RESULT:
            self.gap = f"the messages found are larger than {MAX_RESULT} bytes"
            return False
        self.records[offset] = record
        self._size += len(record)
        return len(self.records) < wanted.max_count

    def _read(self, offset: int, wanted: Wanted) -> bytes | None:
        """Return the record at an offset; None if it does not match."""
        files = self._commit_log.files
        base = files.base_of(offset)
        try:
            descriptor = self._descriptor(files.path(base))
        except FileNotFoundError:
            return None
        head = os.pread(descriptor, 4, offset - base)
        size = int.from_bytes(head, "big")
        if not 0 < size <= min(MAX_RECORD_SIZE, base + files.file_size - offset):
            return None
        data = os.pread(descriptor, size, offset - base)
        if len(data) < size:
            return None
        found = check(data, 0, size, True)
        if not isinstance(found, Checked) or found.commit_log_offset != offset:
            return None
        return data if wanted.is_met_by(data, found) else None

    def _descriptor(self, path: str) -> int:
        """Return a descriptor of a file of the log; each is opened once."""
        found = self._descriptors.get(path, -1)
        if found < 0:
            found = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._descriptors[path] = found
        return found
