"""
Recovery: finds the end of the commit log and completes the consume queues.

A file has its full length from the beginning, so its size does not show where the log
ends. Recovery reads the log from a position known to be good, record by record, until
the bytes are no valid record: that is the end.

========================  ==============================  ===========================
what is known             reading begins                  consume queues
========================  ==============================  ===========================
the queue checkpoint      where it says, if the record    cut there; those that are
                          before it is found              damaged are rebuilt
else, a clean stop (no    behind the newest record that   trusted
``abort``)                the checkpoint or a consume
                          queue knows
else                      the newest file that began      cut back to that position
                          before the checkpoint           and rebuilt from the log
========================  ==============================  ===========================

Cutting back makes a torn entry harmless. Rebuilding a queue reads the whole log, and
skips damage in the part that is known to be complete. Files behind the end, which
Apache RocketMQ allocates ahead, are removed.

Source: ``CommitLog.recoverNormally`` and ``recoverAbnormally`` of RocketMQ 5.
"""

import os
from collections.abc import Callable, Iterator

from twisted.logger import Logger

from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition, QueueCheckpoint
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.log.scan import SLICE, Scan, is_torn
from rocketmq_tw.store.queues.consumequeue import EVERYTHING
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.load import QueueLoading
from rocketmq_tw.store.queues.table import ConsumeQueues

#: Seconds between two log lines about the progress.
_REPORT_PERIOD = 3.0
_MIB = 1 << 20
#: Queues handled in one reactor iteration, where one that gets entries and perhaps its
#: first file counts as several: some 5 ms.
_QUEUES_AT_A_TIME = 2000
_WRITTEN = 80


class Recovery:
    """
    Opens a store's log and queues: first :meth:`load`, then :meth:`run`.

    :param now: returns the current time, in seconds.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        log: CommitLog,
        queues: ConsumeQueues,
        dispatcher: Dispatcher,
        checkpoint: StoreCheckpoint,
        known: QueueCheckpoint,
        check_crc: bool,
        now: Callable[[], float],
    ) -> None:
        """Recover these parts; the log and both checkpoints must be loaded already."""
        self._commit_log = log
        self._queues = queues
        self._dispatcher = dispatcher
        self._checkpoint = checkpoint
        self._known = known
        self._check_crc = check_crc
        self._now = now
        self._was_aborted = False
        self._verified: LogPosition | None = None
        self._loading = QueueLoading(queues, log, known)

    def load(self, was_aborted: bool) -> Iterator[None]:
        """
        Load the queues, in slices; this changes no file.

        :raises StoreUnreadable: a file has a wrong name, length or content.
        """
        self._was_aborted = was_aborted
        self._loading = QueueLoading(self._queues, self._commit_log, self._known)
        self._verified = self._find_verified()
        end = None if self._verified is None else self._verified.end
        limit = self._before_checkpoint() if was_aborted else EVERYTHING
        return self._loading.load(end, limit if end is None else end, was_aborted)

    def run(self) -> Iterator[None]:
        """Find the end of the log and add missing queue entries, in slices."""
        start, trusted = self._start()
        if self._loading.damaged:
            start = self._begin_rebuild(start)
        scan = Scan(self._commit_log, start, trusted, self._check_crc)
        yield from self._read(scan, start, trusted)
        yield from self._end(scan.position)

    def _read(self, scan: Scan, start: int, trusted: int) -> Iterator[None]:
        """Read the records and add the queue entries that are missing."""
        log = self._commit_log
        began = reported = self._now()
        due, count = start + SLICE, 0
        for offset, found in scan:
            # Behind that position, a queue offset that restarts at 0 means a deleted
            # topic.
            may_restart = self._verified is None or offset < trusted
            self._dispatcher.dispatch_record(offset, found, may_restart=may_restart)
            log.last_offset, log.last_store_time_ms = offset, found.store_time_ms
            count += 1
            if offset >= due:
                due = offset + SLICE
                if self._now() >= reported + _REPORT_PERIOD:
                    reported = self._now()
                    self._report(start, offset)
                yield
        if scan.position > start:
            self._log.info(
                "recovered: {count} messages read from {start} to {end} of the commit"
                " log in {seconds:.1f} s",
                count=count,
                start=start,
                end=scan.position,
                seconds=self._now() - began,
            )

    def _end(self, end: int) -> Iterator[None]:
        """Set the end of the log and cut the queues to it, in slices."""
        self._report_wiped(end)
        self._commit_log.set_end(end)
        if self._verified is not None:
            self._keep_offsets(self._verified.end)
        untouched, done = self._loading.untouched, 0
        for queue in self._queues.table.values():
            is_untouched = queue in untouched
            done += _WRITTEN if queue.tail or not is_untouched else 1
            queue.truncate(end)
            if not is_untouched:
                queue.correct_min(self._commit_log.min_offset)
            if done >= _QUEUES_AT_A_TIME:
                done = 0
                yield
        self._queues.note_all()
        untouched.clear()

    def _keep_offsets(self, verified: int) -> None:
        """Prevent queue offsets whose records are damaged from being assigned again."""
        for known in self._known.queues:
            key = (known.topic, known.queue_id)
            if key in self._loading.damaged and known.log_end <= verified:
                self._queues.table[key].fill_to(known.next, verified)

    def _find_verified(self) -> LogPosition | None:
        """
        Return the newest position in the queue checkpoint whose record is in the log.
        """
        log, known = self._commit_log, self._known
        for position in (known.written, known.flushed) if known.is_known else ():
            if position.end == 0 == log.min_offset:
                return position
            facts = log.facts_at(position.last)
            if (
                facts is None
                or facts.commit_log_offset != position.last
                or is_torn(facts)
            ):
                continue
            end = position.last + facts.size
            border = log.files.base_of(position.last) + log.files.file_size
            if position.end in (end, border):
                log.last_offset = position.last
                log.last_store_time_ms = facts.store_time_ms
                return position
        return None

    def _start(self) -> tuple[int, int]:
        """Return where to begin, and the offset up to which the log is known to be
        complete.
        """
        if self._verified is not None:
            for queue in self._loading.cut:
                queue.wipe()
            start = max(self._verified.end, self._commit_log.min_offset)
            return start, start
        known = None if self._was_aborted else self._behind_known()
        if known is not None:
            return known, known
        start = self._before_checkpoint()
        self._queues.truncate(start)
        if self._was_aborted:
            for queue in self._queues.table.values():
                queue.wipe()
        return start, start

    def _begin_rebuild(self, start: int) -> int:
        """Empty the damaged queues; return the commit log offset to read from."""
        damaged = sorted(self._loading.damaged.items())
        for (topic, queue_id), why in damaged[:10]:
            self._log.warn(
                "the consume queue {topic}/{queue_id} is rebuilt: {why}",
                topic=topic.decode("utf-8", "replace"),
                queue_id=queue_id,
                why=why,
            )
        self._log.warn(
            "{count} consume queues are rebuilt from the whole commit log",
            count=len(damaged),
        )
        for key in self._loading.damaged:
            self._queues.table[key].clear()
        return min(start, self._commit_log.min_offset)

    def _behind_known(self) -> int | None:
        """
        Return the end of the newest record that is known to be stored completely.

        None when the log lacks that record: the log then has to be read as after a
        crash.
        """
        log, checkpoint = self._commit_log, self._checkpoint
        end = self._queues.log_end()
        known = []
        if end > log.min_offset:
            queues = self._queues.table.values()
            newest = next(queue for queue in queues if queue.log_end == end)
            known.append(newest.read_written_entry(newest.next - 1)[0])
        # The queues of deleted topics are gone, and their records must not recreate
        # them. The checkpoint is used only if the last run wrote it: an older broker
        # leaves this offset as it was, but changes the time.
        confirmed = log.facts_at(checkpoint.confirmed_offset)
        if confirmed is not None and (
            confirmed.store_time_ms == checkpoint.commit_log_time_ms
            and confirmed.commit_log_offset == checkpoint.confirmed_offset
        ):
            known.append(checkpoint.confirmed_offset)
        if not known:
            return log.min_offset
        found = log.facts_at(max(known))
        if found is None or is_torn(found):
            return None
        log.last_offset, log.last_store_time_ms = max(known), found.store_time_ms
        return max(known) + found.size

    def _before_checkpoint(self) -> int:
        """
        Return the start of the newest file whose first record is certainly on disk.
        """
        log, known_ms = self._commit_log, self._checkpoint.recovery_time_ms
        for base in reversed(log.files.bases):
            first = log.facts_at(base)
            if first is not None and 0 < first.store_time_ms <= known_ms:
                return base
        return log.min_offset

    def _report(self, start: int, position: int) -> None:
        """Log the progress."""
        files = self._commit_log.files
        last = files.bases[-1]
        used = os.stat(files.path(last)).st_blocks * 512
        end = max(last + min(used, files.file_size), position + 1)
        self._log.info(
            "recovering: {done} of {size} MiB of the commit log read ({percent} %)",
            done=(position - start) // _MIB,
            size=(end - start) // _MIB,
            percent=(position - start) * 100 // (end - start),
        )

    def _report_wiped(self, end: int) -> None:
        """
        Log a warning if bytes that are no valid record stand behind the end of the log.
        """
        files = self._commit_log.files
        later = [base for base in files.bases if base > end]
        rest = files.read(end, _MIB)
        if any(rest):
            self._log.warn(
                "the commit log ends at {end}, in {path}: the bytes there are not a"
                " valid record; they and {later} later files are removed",
                end=end,
                path=files.path(files.base_of(end)),
                later=len(later),
            )
