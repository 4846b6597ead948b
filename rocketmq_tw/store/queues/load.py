"""
Loading the consume queues: where each one ends, and which are damaged.

Queues are derived from the commit log, so no damage here is fatal: a queue that is
missing, cut short or inconsistent with the log is put in ``damaged`` and rebuilt.

The work does not grow with the size of the queues: only the last entry of each and the
bytes behind it are checked. Damage further back is found when it is read. Most queues
are as the queue checkpoint says, and take one or two reads (:mod:`.untouched`).
"""

from collections.abc import Collection, Iterator

from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.store.durability.queue_checkpoint import KnownQueue, QueueCheckpoint
from rocketmq_tw.store.errors import FileLost, StoreUnreadable
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.consumequeue import (
    ENTRY,
    ENTRY_SIZE,
    PRE_BLANK_SIZE,
    ConsumeQueue,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.store.queues.untouched import load_untouched

#: Queues loaded in one reactor iteration, where one that is not as it is known counts
#: as several: some 6 ms.
_AT_A_TIME = 300
_CHANGED = 6


class QueueLoading:
    """
    Loads the queues of a store that is being opened; changes no file.

    ``damaged`` maps each queue that must be rebuilt to the reason. ``cut`` lists the
    queues with bytes behind their end that recovery must remove. ``untouched`` holds
    those whose first offset is right already.
    """

    def __init__(
        self, queues: ConsumeQueues, log: CommitLog, known: QueueCheckpoint
    ) -> None:
        """Load into ``queues``."""
        self.damaged: dict[tuple[bytes, int], str] = {}
        self.cut: list[ConsumeQueue] = []
        self.untouched: set[ConsumeQueue] = set()
        self._queues = queues
        self._log = log
        self._known = known
        self._expected = {(each.topic, each.queue_id): each for each in known.queues}

    def load(self, end: int | None, limit: int, was_aborted: bool) -> Iterator[None]:
        """
        Load in slices.

        :param end: the log offset up to which the queues must be complete; None if
            unknown.
        :param limit: entries whose records begin at or behind it are ignored.
        :raises StoreUnreadable: a file has a wrong name or length, and that may
            be caused by the configuration.
        """
        done = 0
        for queue in self._queues.found(self._known_ids()):
            if self._is_untouched(queue, end, was_aborted):
                self.untouched.add(queue)
                done += 1
            else:
                why = self._load(queue, end, limit, was_aborted)
                if why:
                    self.damaged[queue.topic, queue.queue_id] = why
                done += _CHANGED
            if done >= _AT_A_TIME:
                done = 0
                yield
        if end is not None:
            self._add_missing()

    def _known_ids(self) -> dict[bytes, Collection[int]]:
        """Return the queue ids of each topic that the queue checkpoint lists."""
        ids: dict[bytes, Collection[int]] = {}
        for topic, queue_id in self._expected:
            ids[topic] = (*ids.get(topic, ()), queue_id)
        return ids

    def _is_untouched(
        self, queue: ConsumeQueue, end: int | None, was_aborted: bool
    ) -> bool:
        """Load a queue if it is as the queue checkpoint says, and return whether."""
        known = self._expected.get((queue.topic, queue.queue_id))
        if known is None or end is None or known.log_end > end:
            return False
        if was_aborted and not self._known.is_same_boot:
            return False  # a page further on may have reached the disk
        return load_untouched(queue, known, self._log.min_offset)

    def _load(
        self, queue: ConsumeQueue, end: int | None, limit: int, was_aborted: bool
    ) -> str:
        """
        Load one queue; return the reason if it is damaged, otherwise an empty string.
        """
        try:
            queue.load(limit)
        except FileLost as error:
            return str(error)
        except StoreUnreadable as error:
            if not self._known.is_known:
                raise
            return str(error)
        if end is None:
            return ""
        expected = self._expected.get((queue.topic, queue.queue_id))
        if not _agrees(queue, expected) and not self._is_in_log(queue, queue.next - 1):
            return f"its entry {queue.next - 1} does not match the commit log"
        if expected is not None and _lacks(queue, expected, end):
            return f"it ends at {queue.next}, but it had {expected.next} entries"
        return self._behind(queue) if was_aborted else ""

    def _behind(self, queue: ConsumeQueue) -> str:
        """Check the bytes behind the end of a queue that was being written."""
        data = queue.files.read(queue.next * ENTRY_SIZE, ENTRY_SIZE)
        if any(data):
            self.cut.append(queue)
            if not self._is_in_log(queue, queue.next):
                return f"its entry {queue.next} does not match the commit log"
        elif not self._known.is_same_boot:
            self.cut.append(queue)  # a page further on may have reached the disk
        return ""

    def _is_in_log(self, queue: ConsumeQueue, queue_offset: int) -> bool:
        """
        Return whether the log has the record of an entry, or the record is too old.
        """
        data = queue.files.read(queue_offset * ENTRY_SIZE, ENTRY_SIZE)
        if len(data) < ENTRY_SIZE:
            return True  # there is no such entry
        offset, size, _ = ENTRY.unpack(data)
        if size == PRE_BLANK_SIZE or 0 <= offset < self._log.min_offset:
            return True
        found = self._log.facts_at(offset) if offset >= 0 else None
        return found is not None and (
            found.size,
            found.topic,
            found.queue_id,
            found.queue_offset,
        ) == (size, queue.topic, queue.queue_id, queue_offset)

    def _add_missing(self) -> None:
        """Add the queues that had entries but have no directory."""
        for topic, queue_id in self._expected:
            if (topic, queue_id) not in self._queues.table:
                try:
                    self._queues.create(topic, queue_id)
                except IllegalTopic:
                    continue
                self.damaged[topic, queue_id] = "it is missing"


def _agrees(queue: ConsumeQueue, expected: KnownQueue | None) -> bool:
    """Return whether a queue ends where the queue checkpoint says."""
    if expected is None:
        return queue.next == queue.min_offset
    return (queue.next, queue.log_end) == (expected.next, expected.log_end)


def _lacks(queue: ConsumeQueue, expected: KnownQueue, end: int) -> bool:
    """Return whether entries are missing that the queue checkpoint lists."""
    if expected.log_end > end:
        return False
    return queue.next < expected.next or queue.min_offset > expected.first
