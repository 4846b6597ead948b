"""
Recovery: where the commit log ends, and which entries the consume queues lack.

A full file tells nothing of its end, so the log is read from a place known to be good,
record by record, until something is no record: there it ends.

========================  ==============================  ===========================
last run                  reading begins                  consume queues
========================  ==============================  ===========================
closed (no ``abort``)     behind the newest record that   trusted
                          the checkpoint or a consume
                          queue knows
not closed (``abort``)    the newest file that began      cut back to that place and
                          before the checkpoint           made anew from the log
========================  ==============================  ===========================

Cutting back is what makes a torn entry harmless. Files behind the end, which the
original allocates ahead, are removed.

Source: ``CommitLog.recoverNormally`` and ``recoverAbnormally`` of RocketMQ 5.
"""

from collections.abc import Iterator

from rocketmq_tw.store.checkpoint import StoreCheckpoint
from rocketmq_tw.store.commitlog import CommitLog
from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.consume_queues import ConsumeQueues
from rocketmq_tw.store.dispatch import dispatch
from rocketmq_tw.wire.record import BLANK, MAGIC_V1, MAGIC_V2, Checked, check

#: After so many bytes of log the reactor gets a turn: some 20 ms.
SLICE = 1 << 20
#: No record is longer: more than this announced is damage.
LONGEST = 128 << 20


class Walk:
    """
    Reads a commit log's records from one place on.

    ``position`` is behind the last whole record, or at the file that a blank led to.
    """

    def __init__(self, log: CommitLog, start: int, crc: bool) -> None:
        """Begin at ``start``, which must be the start of a record."""
        self.position = start
        self._log = log
        self._crc = crc

    def __iter__(self) -> Iterator[tuple[int, Checked]]:
        """Yield offset and facts of each record, up to the first that is none."""
        while True:
            data = self._chunk()
            at, limit = 0, len(data)
            start = self.position
            found = check(data, at, limit, self._crc)
            while isinstance(found, Checked):
                self.position = start + at + found.size
                yield start + at, found
                at += found.size
                found = check(data, at, limit, self._crc)
            if at == 0 and self._blank(data):
                base = self._log.files.base_of(self.position)
                self.position = base + self._log.files.file_size
            elif at == 0:
                return

    def _chunk(self) -> bytes:
        """Read on: a slice, or the whole of a record that is longer."""
        files = self._log.files
        data = files.read(self.position, SLICE)
        size = int.from_bytes(data[:4], "big")
        is_record = int.from_bytes(data[4:8], "big") in (MAGIC_V1, MAGIC_V2)
        if is_record and len(data) < size < LONGEST:
            data = files.read(self.position, size)
        return data

    def _blank(self, data: bytes) -> bool:
        """Return whether the rest of this file is filler."""
        room = self._log.files.file_size - self.position % self._log.files.file_size
        return len(data) >= 8 and check(data[:8], 0, room, False) is BLANK


def recover(
    log: CommitLog,
    queues: ConsumeQueues,
    checkpoint: StoreCheckpoint,
    config: StoreConfig,
    was_aborted: bool,
) -> Iterator[None]:
    """
    Find the end of the log and complete the consume queues, in slices.

    :returns: an iterator that does one slice of the work with each step.
    """
    start = None if was_aborted else _behind_known(log, queues, checkpoint)
    if start is None:
        start = _before_checkpoint(log, checkpoint)
        queues.truncate(start)
    walk = Walk(log, start, config.check_crc_on_recover)
    due = start + SLICE
    for offset, found in walk:
        dispatch(queues, offset, found, config.delay_levels_ms)
        log.last_offset, log.last_store_time_ms = offset, found.store_time_ms
        if offset >= due:
            due = offset + SLICE
            yield
    log.set_end(walk.position)
    queues.truncate(walk.position)
    queues.correct_min(log.min_offset)
    for queue in queues.table.values():
        queue.flush()


def _behind_known(
    log: CommitLog, queues: ConsumeQueues, checkpoint: StoreCheckpoint
) -> int | None:
    """
    Return where the newest record ends that was stored in full.

    None when the log does not bear that out: then all of it is to be looked at.
    """
    end = queues.log_end()
    known = []
    if end > log.min_offset:
        newest = next(queue for queue in queues.table.values() if queue.log_end == end)
        known.append(newest.read_written_entry(newest.next - 1)[0])
    # Queues of deleted topics tell nothing, and their records must not come back. The
    # checkpoint is believed if it is of the last run: an older broker leaves this
    # number as it was, but not the time.
    confirmed = log.facts_at(checkpoint.confirmed_offset)
    if confirmed is not None and (
        confirmed.store_time_ms == checkpoint.commit_log_time_ms
        and confirmed.commit_log_offset == checkpoint.confirmed_offset
    ):
        known.append(checkpoint.confirmed_offset)
    if not known:
        return log.min_offset
    found = log.facts_at(max(known))
    if found is None:
        return None
    log.last_offset, log.last_store_time_ms = max(known), found.store_time_ms
    return max(known) + found.size


def _before_checkpoint(log: CommitLog, checkpoint: StoreCheckpoint) -> int:
    """Return where the newest file begins whose first record is surely on disk."""
    for base in reversed(log.files.bases):
        first = log.facts_at(base)
        if first is not None and 0 < first.store_time_ms <= checkpoint.recovery_time_ms:
            return base
    return log.min_offset
