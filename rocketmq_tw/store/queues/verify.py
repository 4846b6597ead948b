"""
Verifies entries and records of an earlier run, and repairs damaged queues.

A disk may return other bytes than were written. Entries and records of this run are
trusted; older ones are compared with each other when they are first read: 2.1 us each.
For each queue the range verified last is remembered. An entry that does not match the
log is rebuilt from the log between its neighbours; a damaged record is skipped for
good, and a warning is logged.

A wrong tags code can hide a message from a consumer that filters. One that is too large
for a hash is compared with the record; a smaller one is trusted, because the records of
messages that do not match are not read.
"""

from zlib import crc32

from twisted.logger import Logger

from rocketmq_tw.store.files.reads import Steps, piece
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.log.scan import SLICE, Scan
from rocketmq_tw.store.queues.consumequeue import PRE_BLANK_SIZE, ConsumeQueue, entries
from rocketmq_tw.store.queues.dispatch import UNQUEUED, is_queued, record_code
from rocketmq_tw.store.queues.fetch import Fetched, FetchRequest, StoreView, fetch
from rocketmq_tw.wire import record_layout as layout
from rocketmq_tw.wire.record import Checked

#: Bytes of log searched behind an entry's neighbour for its record: 5 s.
_FAR = 1 << 30
#: Bytes of log searched in one reactor iteration: 5 ms.
_AT_ONCE = 1 << 20
#: How many neighbours are examined to bound the search.
_NEIGHBOURS = 64
#: Java's hashes are signed 32-bit numbers.
_LARGEST_HASH = 0x7FFFFFFF


class VerifiedFetch:
    """Fetches, and verifies what an earlier run wrote the first time it is read."""

    def __init__(self, log: CommitLog, delay_levels_ms: tuple[int, ...]) -> None:
        """Verify against ``log``."""
        self._log = log
        self._delay_levels_ms = delay_levels_ms

    def fetch(
        self, store: StoreView, queue: ConsumeQueue, request: FetchRequest
    ) -> Steps[Fetched]:
        """Fetch like :func:`.queues.fetch.fetch`, and repair damaged entries first."""
        is_filtered = request.matches is not None
        while True:
            found = yield from fetch(store, queue, request)
            start, end = queue.verified
            if start <= request.queue_offset and found.next_offset <= end:
                return found
            verification = Verification(
                log=self._log,
                queue=queue,
                queue_offset=request.queue_offset,
                found=found,
                is_filtered=is_filtered,
                delay_levels_ms=self._delay_levels_ms,
            )
            if not (yield from verification.repair()):
                if not is_filtered:
                    queue.add_verified(request.queue_offset, found.next_offset)
                return found


class Verification:
    """
    Compares the result of a fetch with the queue and the log.

    :param is_filtered: whether the fetch may have skipped records that do not match.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        log: CommitLog,
        queue: ConsumeQueue,
        queue_offset: int,
        found: Fetched,
        is_filtered: bool,
        delay_levels_ms: tuple[int, ...],
    ) -> None:
        """Verify ``found``, fetched from ``queue_offset`` on."""
        self._commit_log = log
        self._queue = queue
        self._first = queue_offset
        self._found = found
        self._is_filtered = is_filtered
        self._delays = delay_levels_ms

    def repair(self) -> Steps[bool]:
        """Repair the first wrong entry; return whether there was one."""
        end = min(self._found.next_offset, self._queue.unverified_end)
        raw = self._queue.read(self._first, max(0, end - self._first))
        wrong = self._wrong(raw, end)
        if wrong is None:
            return False
        yield from self._repair(wrong)
        return True

    def _wrong(self, raw: bytes, end: int) -> int | None:
        """Return the first entry that differs from its record; None if none does."""
        data, log = self._found.data, self._commit_log
        at, behind, offset = 0, log.min_offset, self._first
        for log_offset, size, code in entries(raw):
            if (
                size == PRE_BLANK_SIZE
                or 0 <= log_offset < log_offset + size <= log.min_offset
            ):
                pass  # the record is no longer in the log
            elif _queue_offset_at(data, at) == offset:
                if not self._matches(data, at, offset, log_offset, size):
                    # A wrong entry also garbles the records of the entries behind it.
                    return self._first_wrong(raw)
                at += size
            elif (
                self._is_filtered
                and behind <= log_offset < log_offset + size <= log.end
            ):
                if code > _LARGEST_HASH and not self._is_code(log_offset, code):
                    return offset
                behind = log_offset + size
            elif not self._is_record(offset, log_offset, size):
                return offset
            offset += 1
        if at < len(data) and end == self._found.next_offset:
            return self._first_wrong(raw)
        return None

    def _first_wrong(self, raw: bytes) -> int | None:
        """
        Return the first entry whose record is not in the log; None if there is none.
        """
        for number, (log_offset, size, _) in enumerate(entries(raw)):
            is_gone = 0 <= log_offset < self._commit_log.min_offset
            if size != PRE_BLANK_SIZE and not is_gone:
                if not self._is_record(self._first + number, log_offset, size):
                    return self._first + number
        return None

    def _is_code(self, log_offset: int, code: int) -> bool:
        """Return whether the record at ``log_offset`` has this tags code."""
        found = self._commit_log.facts_at(log_offset)
        return found is not None and record_code(found, self._delays) == code

    def _is_record(self, queue_offset: int, log_offset: int, size: int) -> bool:
        """Return whether the log holds the record of an entry at ``log_offset``."""
        if not self._commit_log.min_offset <= log_offset < self._commit_log.end:
            return False
        data = (
            self._commit_log.read(log_offset, size)
            if 0 < size <= layout.MAX_RECORD_SIZE
            else b""
        )
        return len(data) == size and self._matches(
            data, 0, queue_offset, log_offset, size
        )

    def _matches(
        self, data: bytes, at: int, queue_offset: int, position: int, size: int
    ) -> bool:
        """
        Return whether the complete record of an entry begins at ``at``.

        Checks less than :func:`rocketmq_tw.wire.record.check`, in a third of the time.
        """
        if size < layout.FIXED_SIZE or at + size > len(data):
            return False
        own, magic, crc, queue_id, own_offset, own_position, flags = (
            layout.VERIFIED.unpack_from(data, at)
        )
        body = at + layout.body_at(flags)
        length = int.from_bytes(data[body - 4 : body], "big")
        width = 1 if magic == layout.MAGIC_V1 else 2
        topic = body + length + width
        queue = self._queue
        behind = topic + len(queue.topic) + 2
        properties = int.from_bytes(data[behind - 2 : behind], "big")
        return (
            (own, own_offset, own_position) == (size, queue_offset, position)
            and magic in (layout.MAGIC_V1, layout.MAGIC_V2)
            and not flags & UNQUEUED
            and queue_id == queue.queue_id
            and behind + properties == at + size
            and int.from_bytes(data[topic - width : topic], "big") == len(queue.topic)
            and data[topic : topic + len(queue.topic)] == queue.topic
            and (
                not length or crc32(data[body : body + length]) & layout.CRC_MASK == crc
            )
        )

    def _repair(self, queue_offset: int) -> Steps[None]:
        """Find the record of an entry in the log, or mark the entry as lost."""
        queue = self._queue
        start, stop = self._bounds(queue_offset)
        log_offset = self._near(queue_offset, start, stop)
        if log_offset is None:
            log_offset = yield from self._search(queue_offset, start, stop)
        if not queue.min_offset <= queue_offset < queue.next:
            return  # the topic was deleted, or retention removed the entry
        found = None if log_offset is None else self._commit_log.facts_at(log_offset)
        if log_offset is None or found is None:
            queue.replace(queue_offset, start, PRE_BLANK_SIZE, 0)
            self._report(queue_offset, "lost: the log has no complete record of it")
            return
        code = record_code(found, self._delays)
        queue.replace(queue_offset, log_offset, found.size, code)
        self._report(queue_offset, "rebuilt")

    def _near(self, queue_offset: int, start: int, stop: int) -> int | None:
        """Try the offset in the entry, and those that differ from it by one bit."""
        entry = self._queue.entry(queue_offset)
        log_offset = -1 if entry is None else entry[0]
        for guess in (log_offset, *(log_offset ^ (1 << bit) for bit in range(63))):
            if start <= guess < stop:
                found = self._commit_log.facts_at(guess)
                if found is not None and self._is_wanted(found, guess, queue_offset):
                    return guess
        return None

    def _search(self, queue_offset: int, start: int, stop: int) -> Steps[int | None]:
        """Search the log; after the first mebibyte, let the reactor run in between."""
        files = self._commit_log.files
        stop = min(stop, self._commit_log.end, start + _FAR)
        scan, next_pause = (
            Scan(self._commit_log, start, stop, crc=False),
            start + _AT_ONCE,
        )
        for log_offset, found in scan:
            if log_offset >= stop:
                break
            if self._is_wanted(found, log_offset, queue_offset):
                return log_offset
            if scan.position >= next_pause:
                yield [piece(files, scan.position, SLICE)]
                next_pause = scan.position + SLICE
        return None

    def _is_wanted(self, found: Checked, log_offset: int, queue_offset: int) -> bool:
        """Return whether a record is the one of this queue and queue offset."""
        queue = self._queue
        whose = (found.topic, found.queue_id, found.queue_offset)
        return whose == (queue.topic, queue.queue_id, queue_offset) and (
            found.commit_log_offset == log_offset and is_queued(found.sys_flag)
        )

    def _bounds(self, queue_offset: int) -> tuple[int, int]:
        """Return the commit log offsets between which an entry's record must be."""
        queue, log = self._queue, self._commit_log
        start, stop = log.min_offset, log.end
        lowest = max(queue_offset - _NEIGHBOURS, queue.min_offset)
        for offset in range(queue_offset - 1, lowest - 1, -1):
            entry = queue.entry(offset)
            if entry is not None and self._is_record(offset, entry[0], entry[1]):
                start = entry[0] + entry[1]
                break
        for offset in range(queue_offset + 1, queue_offset + _NEIGHBOURS):
            entry = queue.entry(offset)
            if entry is not None and self._is_record(offset, entry[0], entry[1]):
                stop = entry[0]
                break
        return start, stop

    def _report(self, queue_offset: int, what: str) -> None:
        """Log a warning about a damaged entry."""
        self._log.warn(
            "message {offset} of {topic}/{queue_id} was damaged; its entry is {what}",
            offset=queue_offset,
            topic=self._queue.topic.decode("utf-8", "replace"),
            queue_id=self._queue.queue_id,
            what=what,
        )


def _queue_offset_at(data: bytes, at: int) -> int:
    """Return the queue offset of the record that begins there; -1 behind the end."""
    field = data[at + layout.QUEUE_OFFSET.start : at + layout.QUEUE_OFFSET.stop]
    return int.from_bytes(field, "big") if len(field) == 8 else -1
