"""
A store in memory, for tests and for trying things out: nothing outlives the process.

It holds a bounded number of bytes; the oldest messages make room for new ones, and the
queues' first offsets move on, as with files that are deleted for age.
"""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import RecordTooLong, StoreNotWriteable
from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.index.keys import unique_key
from rocketmq_tw.store.interfaces import (
    Appended,
    Arrival,
    FlushOutcome,
    IMessageStore,
    Queried,
)
from rocketmq_tw.store.log.batch import (
    append_all,
    check_batch,
    dispatch_all,
    new_queue,
)
from rocketmq_tw.store.memory.log import MemoryLog
from rocketmq_tw.store.memory.queues import MemoryQueues
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus, fetch
from rocketmq_tw.store.queues.search import (
    offset_by_time,
    queue_store_time,
    record_at,
    record_store_time,
)
from rocketmq_tw.wire.record import Checked, Draft, check

#: Bytes of records kept when nothing else is said.
MAX_SIZE = 256 << 20
_CLOSED = "it is not open"


@implementer(IMessageStore)
class MemoryMessageStore:
    """Keeps messages in memory, closed or open, as long as it lives itself."""

    def __init__(
        self, config: StoreConfig | None = None, max_size: int = MAX_SIZE
    ) -> None:
        """:param max_size: bytes of records; queues need 20 more for each message."""
        self._config = config or StoreConfig()
        self._log = MemoryLog(max_size, self._config.store_host)
        self._max_size = max_size
        self._queues = MemoryQueues()
        self._dispatcher = Dispatcher(
            queues=self._queues, delay_levels_ms=self._config.delay_levels_ms
        )
        self._reads = Reads()
        self._is_open = False

    def open(self) -> "Deferred[None]":
        """Take messages from now on."""
        self._is_open = True
        return succeed(None)

    def close(self) -> "Deferred[None]":
        """Take no more messages."""
        self._is_open = False
        return succeed(None)

    def put(self, draft: Draft, now: float) -> Appended:
        """Store one message; errors as in :class:`IMessageStore`."""
        return self.put_batch([draft], now)[0]

    def put_batch(self, drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue, all or none."""
        if not self._is_open:
            raise StoreNotWriteable(_CLOSED)
        if not drafts:
            return []
        check_batch(drafts, self._config.max_message_size)
        size = sum(len(draft.body) for draft in drafts)
        if size > self._max_size:
            raise RecordTooLong(size, self._max_size)
        first, store_time_ms = drafts[0], int(now * 1000)
        queue = self._queues.table.get((first.topic, first.queue_id))
        if queue is None:
            queue = new_queue(self._queues, first)
        before = self._log.min_offset
        stored = append_all(self._log, drafts, queue.next, store_time_ms)
        if self._log.min_offset > before:
            self._queues.forget_before(self._log.min_offset)
        dispatch_all(self._dispatcher, queue, drafts, stored)
        return stored

    def add_listener(self, listener: Arrival) -> None:
        """Call ``listener`` with each arrival: see :class:`IMessageStore`."""
        self._dispatcher.add_listener(listener)

    def remove_listener(self, listener: Arrival) -> None:
        """Call ``listener`` no more."""
        self._dispatcher.remove_listener(listener)

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """Wait for nothing: memory is all there is."""
        return None

    def force(self) -> "Deferred[None]":
        """Wait for nothing: memory is all there is."""
        return succeed(None)

    def get(
        self,
        topic: str,
        queue_id: int,
        queue_offset: int,
        max_count: int,
        max_size: int,
        matches: Callable[[int], bool] | None,
    ) -> "Fetched | Deferred[Fetched]":
        """Read records of one queue: see :func:`.queues.fetch.fetch`."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return Fetched(FetchStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        known = (self._log, queue, self._reads, self._config, self._max_size)
        what = (queue_offset, max_count, max_size, matches)
        return self._reads.run(fetch(*known, *what))

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
        """Return the queue offset a time points at; 0 for an unknown queue."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return 0
        known = (self._log, queue, self._reads)
        return self._reads.run(offset_by_time(*known, time_ms, upper))

    def store_time(
        self, topic: str, queue_id: int, queue_offset: int
    ) -> "int | Deferred[int]":
        """Return when a message was stored, in ms; -1 when that is unknown."""
        queue = self._queues.find(topic, queue_id)
        if queue is None:
            return -1
        known = (self._log, queue, self._reads)
        return self._reads.run(queue_store_time(*known, queue_offset))

    def record_at(
        self, commit_log_offset: int
    ) -> "bytes | None | Deferred[bytes | None]":
        """Return the record that begins exactly there; None when none does."""
        return self._reads.run(record_at(self._log, self._reads, commit_log_offset))

    def query(
        self,
        topic: str,
        key: str,
        max_count: int,
        begin_ms: int,
        end_ms: int,
        unique: bool,
    ) -> "Deferred[Queried]":
        """Find messages by key: see :class:`IMessageStore`."""
        records: dict[int, bytes] = {}
        raw = key.encode()
        for place in self._log.places_of(topic.encode(), raw):
            if len(records) >= max_count:
                break
            record = self._log.in_window(place, self._log.end - place)
            found = check(record, 0, len(record), False)
            if isinstance(found, Checked) and begin_ms <= found.store_time_ms <= end_ms:
                if not unique or unique_key(found.properties) == raw:
                    records[place] = record[: found.size]
        sorted_records = [record for _, record in sorted(records.items())]
        log = self._log
        return succeed(Queried(sorted_records, log.last_store_time_ms, log.last_offset))

    def earliest_store_time(self) -> "int | Deferred[int]":
        """Return when the oldest message was stored, in ms; -1 when there is none."""
        first = self._log.min_offset
        return self._reads.run(record_store_time(self._log, self._reads, first))

    def queues(self) -> dict[str, list[int]]:
        """Return the queue ids of every topic that has queues."""
        return self._queues.by_topic()

    def delete_topic(self, topic: str) -> None:
        """Forget a topic's queues; its messages stay in the commit log."""
        self._queues.delete_topic(topic)

    @property
    def failure(self) -> str | None:
        """Return why no messages are taken now; None while they are."""
        return None if self._is_open else _CLOSED

    @property
    def is_writeable(self) -> bool:
        """Return whether messages are taken now."""
        return self._is_open

    @property
    def commit_log_min(self) -> int:
        """Return the first offset that the commit log holds."""
        return self._log.min_offset

    @property
    def commit_log_max(self) -> int:
        """Return the offset that the next record gets."""
        return self._log.end
