"""The reading half of a store, shared by the store on disk and the one in memory."""

from collections.abc import Callable, Collection, Sequence

from twisted.internet.defer import Deferred

from rocketmq_tw.store.files.reads import Steps
from rocketmq_tw.store.interfaces import CountedQueue
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.fetch import FetchRequest, Matches, fetch
from rocketmq_tw.store.queues.fetched import Fetched, FetchStatus, QueueEntry
from rocketmq_tw.store.queues.records import StoreView
from rocketmq_tw.store.queues.search import (
    offset_by_time,
    queue_entries,
    queue_store_time,
    record_at,
    record_store_time,
    records_at,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.store.queues.warm import fetch_warm, record_warm

#: Reads records of one queue, in steps.
Fetch = Callable[[StoreView, ConsumeQueue, FetchRequest], Steps[Fetched]]


class ReadableStore:
    """
    The reading methods of :class:`IMessageStore`.

    A base class and not a part, which saves a call on the path of every pull.
    """

    def __init__(
        self, *, view: StoreView, queues: ConsumeQueues, fetch_unverified: Fetch = fetch
    ) -> None:
        """
        Read from ``view`` and ``queues``.

        :param fetch_unverified: reads entries that an earlier run wrote.
        """
        self._view = view
        self._reads = view.reads
        self._queues = queues
        self._fetch_unverified = fetch_unverified

    def get(
        self,
        topic: str,
        queue_id: int,
        queue_offset: int,
        max_count: int,
        max_size: int,
        matches: Matches | None,
    ) -> "Fetched | Deferred[Fetched]":
        """
        Read records of one queue: see :func:`.queues.fetch.fetch`.

        On the path of every pull; therefore what is in memory is tried first.
        """
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        verified, end = queue.verified
        is_old = queue_offset < queue.unverified_end
        if matches is None and (not is_old or verified <= queue_offset < end):
            found = fetch_warm(self._view, queue, queue_offset, max_count, max_size)
            if found is not None and (not is_old or found.next_offset <= end):
                return found
        read = self._fetch_unverified if is_old else fetch
        request = FetchRequest(queue_offset, max_count, max_size, matches)
        return self._reads.run(read(self._view, queue, request))

    def get_now(self, topic: str, queue_id: int, queue_offset: int) -> bytes | None:
        """Return one record, if it is in memory: see :class:`IMessageStore`."""
        queue = self._queues.find(topic, queue_id)
        if queue is None or queue_offset < queue.unverified_end:
            return None
        return record_warm(self._view, queue, queue_offset)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return how many reads and queries wait, and how many could not."""
        return {
            "waitingReads": lambda: self._reads.waiting,
            "waitingReadsRefused": lambda: self._reads.refused,
            "waitingQueries": lambda: 0,
            "waitingQueriesRefused": lambda: 0,
            "mappedReadSize": lambda: 0,
            "unflushedMessages": lambda: 0,
            "unflushedSize": lambda: 0,
            "unflushedRefused": lambda: 0,
        }

    def min_offset(self, topic: str, queue_id: int) -> int:
        """Return the oldest message's queue offset; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        return 0 if queue is None else queue.min_offset

    def max_offset(self, topic: str, queue_id: int) -> int:
        """Return the next message's queue offset; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        return 0 if queue is None else queue.next

    def offset_by_time(
        self, topic: str, queue_id: int, time_ms: int, upper: bool = False
    ) -> "int | Deferred[int]":
        """Return the queue offset for a time; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return 0
        return self._reads.run(offset_by_time(self._view, queue, time_ms, upper))

    def store_time(
        self, topic: str, queue_id: int, queue_offset: int
    ) -> "int | Deferred[int]":
        """Return when a message was stored, in ms; -1 if unknown."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return -1
        return self._reads.run(queue_store_time(self._view, queue, queue_offset))

    def entries(
        self, topic: str, queue_id: int, queue_offset: int, count: int
    ) -> "list[QueueEntry] | Deferred[list[QueueEntry]]":
        """Return entries of a queue: see :class:`.interfaces.IMessageStore`."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return []
        return self._reads.run(queue_entries(self._view, queue, queue_offset, count))

    def record_at(
        self, commit_log_offset: int
    ) -> "bytes | None | Deferred[bytes | None]":
        """Return the record that begins at this offset; None if none does."""
        return self._reads.run(record_at(self._view, commit_log_offset))

    def records_at(
        self, offsets: Sequence[int], sizes: Sequence[int]
    ) -> "list[bytes | None] | Deferred[list[bytes | None]]":
        """Return the records at these offsets: see :func:`.search.records_at`."""
        return self._reads.run(records_at(self._view, offsets, sizes))

    def earliest_store_time(self) -> "int | Deferred[int]":
        """Return when the oldest message was stored, in ms; -1 if there is none."""
        first = self._view.log.min_offset
        return self._reads.run(record_store_time(self._view, first))

    def counted_queues(self, topic: str | None = None) -> Sequence[CountedQueue]:
        """Return the queues of a topic, or all: see :class:`.IMessageStore`."""
        return self._queues.of_topic(topic)

    def changed_queues(self) -> Collection[CountedQueue] | None:
        """Return which may have changed: see :class:`.IMessageStore`."""
        return self._queues.take_changed()

    def queues(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic that has queues."""
        return self._queues.by_topic()

    @property
    def commit_log_min(self) -> int:
        """Return the first offset in the commit log."""
        return self._view.log.min_offset

    @property
    def commit_log_max(self) -> int:
        """Return the offset that the next record gets."""
        return self._view.log.end
