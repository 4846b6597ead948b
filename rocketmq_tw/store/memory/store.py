"""
A store in memory, for tests and trials: nothing survives the process.

Its size is bounded. The oldest messages are dropped for new ones and the queues' first
offsets advance, as when retention deletes files.
"""

from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.store.admission import NOT_OPEN
from rocketmq_tw.store.config import RetentionConfig, StoreConfig
from rocketmq_tw.store.errors import RecordTooLong, StoreNotWriteable
from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.index.keys import unique_key
from rocketmq_tw.store.interfaces import (
    Appended,
    Arrival,
    FlushOutcome,
    IMessageStore,
    KeyQuery,
    Queried,
)
from rocketmq_tw.store.log.batch import append_and_dispatch, check_batch, new_queue
from rocketmq_tw.store.memory.log import MemoryLog
from rocketmq_tw.store.memory.queues import MemoryQueues
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.records import store_view
from rocketmq_tw.store.reading import ReadableStore
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.record import Checked, Draft, check

#: The default limit of the records' size, in bytes.
MAX_SIZE = 256 << 20


@implementer(IMessageStore)
class MemoryMessageStore(ReadableStore):
    """Keeps messages as long as the object lives, whether open or closed."""

    def __init__(
        self, config: StoreConfig | None = None, max_size: int = MAX_SIZE
    ) -> None:
        """
        :param max_size: bytes of records and keys; each message needs 20 more in a
            queue.
        """
        config = config or StoreConfig()
        self._largest = config.max_message_size
        self._max_size = max_size
        self._log = MemoryLog(max_size, config.store_host)
        self._memory_queues = MemoryQueues()
        super().__init__(
            view=store_view(self._log, Reads(), config, memory_size=max_size),
            queues=self._memory_queues,
        )
        self._dispatcher = Dispatcher(
            queues=self._queues, delay_levels_ms=config.delay_levels_ms
        )
        self._is_open = False
        self.runs: RunWriter | None = None

    def open(self) -> "Deferred[None]":
        """Accept messages from now on."""
        self._is_open = True
        return succeed(None)

    def close(self) -> "Deferred[None]":
        """Accept no more messages."""
        self._is_open = False
        return succeed(None)

    def put(self, draft: Draft, now: float) -> Appended:
        """Store one message; errors as in :class:`IMessageStore`."""
        return self.put_batch([draft], now)[0]

    def put_batch(self, drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue, all or none."""
        if not self._is_open:
            raise StoreNotWriteable(NOT_OPEN)
        if not drafts:
            return []
        check_batch(drafts, self._largest)
        size = sum(len(draft.body) for draft in drafts)
        if size > self._max_size:
            raise RecordTooLong(size, self._max_size)
        first, store_time_ms = drafts[0], int(now * 1000)
        queue = self._queues.table.get((first.topic, first.queue_id))
        if queue is None:
            queue = new_queue(self._queues, first)
        before = self._log.min_offset
        stored = append_and_dispatch(
            self._log, self._dispatcher, queue, drafts, store_time_ms
        )
        if self._log.min_offset > before:
            self._memory_queues.forget_before(self._log.min_offset)
        return stored

    def add_listener(self, listener: Arrival) -> None:
        """Call ``listener`` with each arrival: see :class:`IMessageStore`."""
        self._dispatcher.add_listener(listener)

    def remove_listener(self, listener: Arrival) -> None:
        """Stop calling ``listener``."""
        self._dispatcher.remove_listener(listener)

    def when_flushed(self, end: int) -> "Deferred[FlushOutcome] | None":
        """Return None: there is no disk to wait for."""
        return None

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """Return False: there is no disk to wait for."""
        return False

    def flush(self) -> "Deferred[None]":
        """Fire at once: there is no disk to wait for."""
        return succeed(None)

    def query(self, query: KeyQuery) -> "Deferred[Queried]":
        """Find messages by key: see :class:`IMessageStore`."""
        records: dict[int, bytes] = {}
        key = query.key.encode()
        for offset in self._log.offsets_of(query.topic.encode(), key):
            if len(records) >= query.max_count:
                break
            if query.before is not None and offset >= query.before:
                continue
            size = int.from_bytes(self._log.in_window(offset, 4), "big")
            record = bytes(self._log.in_window(offset, size))
            found = check(record, 0, len(record), False)
            if not isinstance(found, Checked):
                continue
            if query.begin_ms <= found.store_time_ms <= query.end_ms:
                has_key = not query.is_unique or unique_key(found.properties) == key
                if has_key and (query.matches is None or query.matches(record)):
                    records[offset] = record
        sorted_records = [record for _, record in sorted(records.items())]
        log = self._log
        return succeed(Queried(sorted_records, log.last_store_time_ms, log.last_offset))

    def delete_topic(self, topic: str) -> "Deferred[None]":
        """Delete a topic's queues; its messages stay in the commit log."""
        self._queues.delete_topic(topic)
        return succeed(None)

    def trim_queues(self) -> "Deferred[None]":
        """Fire at once: there are no files."""
        return succeed(None)

    def set_retention(self, config: RetentionConfig) -> None:
        """Do nothing: there are no files."""

    def delete_expired(self) -> None:
        """Do nothing: the oldest messages are dropped for new ones."""

    @property
    def flushed(self) -> int:
        """Return the end of the log: there is no disk to wait for."""
        return self.commit_log_max

    @property
    def failure(self) -> str | None:
        """Return why messages are refused now; None if they are not."""
        return None if self._is_open else NOT_OPEN
