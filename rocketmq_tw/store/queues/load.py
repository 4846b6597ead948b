"""
Loading the consume queues: where each ends, and which are damaged.

They are derived from the commit log, so nothing here is fatal: a queue that is missing,
cut, or does not agree with the log goes to ``damaged`` and is rebuilt.

What is looked at does not grow with the store: of each queue the last entry and what
stands behind it. What is damaged further back shows when it is read.
"""

from collections.abc import Iterator

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

#: So many queues in one reactor iteration: some 4 ms.
_AT_A_TIME = 50


class QueueLoading:
    """
    Loads the queues of a store that is being opened; changes no file.

    ``damaged`` says of each queue to be rebuilt what is wrong. ``cut`` are those
    behind whose end something stands that recovery is to wipe.
    """

    def __init__(
        self, queues: ConsumeQueues, log: CommitLog, known: QueueCheckpoint
    ) -> None:
        """Load into ``queues``."""
        self.damaged: dict[tuple[bytes, int], str] = {}
        self.cut: list[ConsumeQueue] = []
        self._queues = queues
        self._log = log
        self._known = known
        self._expected = {(each.topic, each.queue_id): each for each in known.queues}

    def load(self, end: int | None, limit: int, was_aborted: bool) -> Iterator[None]:
        """
        Load in slices.

        :param end: up to there the queues must hold all that the log has; None where
            that is not known.
        :param limit: entries of records from there on do not count.
        :raises StoreUnreadable: a file is misplaced or has a wrong length, and that may
            be the configuration's fault.
        """
        for number, queue in enumerate(self._queues.found()):
            why = self._load(queue, end, limit, was_aborted)
            if why:
                self.damaged[queue.topic, queue.queue_id] = why
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                yield
        if end is not None:
            self._add_missing()

    def _load(
        self, queue: ConsumeQueue, end: int | None, limit: int, was_aborted: bool
    ) -> str:
        """Load one queue; return what is wrong with it."""
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
            return f"its entry {queue.next - 1} does not fit the commit log"
        if expected is not None and _lacks(queue, expected, end):
            return f"it ends at {queue.next}, and {expected.next} is known of"
        return self._behind(queue) if was_aborted else ""

    def _behind(self, queue: ConsumeQueue) -> str:
        """Look behind the end of a queue that was being written."""
        data = queue.files.read(queue.next * ENTRY_SIZE, ENTRY_SIZE)
        if any(data):
            self.cut.append(queue)
            if not self._is_in_log(queue, queue.next):
                return f"its entry {queue.next} does not fit the commit log"
        elif not self._known.is_same_boot:
            self.cut.append(queue)  # a page further on may have reached the disk
        return ""

    def _is_in_log(self, queue: ConsumeQueue, queue_offset: int) -> bool:
        """Return whether the log has the record of an entry, as far as it goes back."""
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
        """Make the queues known that had entries and have no directory."""
        for topic, queue_id in self._expected:
            if (topic, queue_id) not in self._queues.table:
                try:
                    self._queues.create(topic, queue_id)
                except IllegalTopic:
                    continue
                self.damaged[topic, queue_id] = "it is missing"


def _agrees(queue: ConsumeQueue, expected: KnownQueue | None) -> bool:
    """Return whether a queue ends as it is known to."""
    if expected is None:
        return queue.next == queue.min_offset
    return (queue.next, queue.log_end) == (expected.next, expected.log_end)


def _lacks(queue: ConsumeQueue, expected: KnownQueue, end: int) -> bool:
    """Return whether a queue lacks entries that it had."""
    if expected.log_end > end:
        return False
    return queue.next < expected.next or queue.min_offset > expected.first
