# ruff: noqa: N805 (the methods of an interface have no self)
"""What a broker asks of a store."""

from collections.abc import Callable, Sequence
from enum import Enum

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.wire.record import Draft

__all__ = [
    "Appended",
    "Arrival",
    "FetchStatus",
    "Fetched",
    "FlushOutcome",
    "IMessageStore",
    "Queried",
]

#: Topic, queue id, next queue offset, tags code, store time in ms.
Arrival = Callable[[bytes, int, int, int, int], None]


class FlushOutcome(Enum):
    """How waiting for the disk ended; an error is a failure, not an outcome."""

    ON_DISK = "ON_DISK"
    #: The message is stored, and the promise not kept in time; it may be later.
    TIMED_OUT = "TIMED_OUT"


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Where a message was stored; ``size`` is that of its record, in bytes."""

    commit_log_offset: int
    size: int
    queue_offset: int
    store_time_ms: int


class Queried(msgspec.Struct, frozen=True):
    """
    What a query by key found.

    ``records`` are whole, oldest first. ``last_time_ms`` and ``last_offset`` are store
    time and commit log offset of the newest message indexed. ``gap`` says in a sentence
    why there may be more than was found; None when all was looked through.
    """

    records: list[bytes]
    last_time_ms: int = 0
    last_offset: int = 0
    gap: str | None = None


class IMessageStore(Interface):
    """Keeps messages; topics are text, times ``*_ms`` milliseconds since the epoch."""

    failure: str | None = Attribute("Why no messages are taken; None while they are.")
    is_writeable: bool = Attribute("Whether messages are taken now.")
    commit_log_min: int = Attribute("The first offset that the commit log holds.")
    commit_log_max: int = Attribute("The offset that the next record gets.")

    def add_listener(listener: Arrival) -> None:
        """
        Call ``listener`` once for each message that became readable, in order.

        It must not store messages itself. One that is registered stays so, once.
        """

    def remove_listener(listener: Arrival) -> None:
        """Call ``listener`` no more; nothing if it is not registered."""

    def open() -> "Deferred[None]":
        """
        Lock, load and recover; fires when messages may come.

        Fails with StoreLocked or StoreUnreadable.
        """

    def close() -> "Deferred[None]":
        """Flush all and unlock; fires when the store may be opened again."""

    def put(draft: Draft, now: float) -> Appended:
        """
        Store one message; it outlives this process.

        It is readable at once, or when it is on disk if the store flushes first.

        :raises StoreNotWriteable: the store is closed, or its disk fails.
        :raises DiskFull: nothing was written.
        :raises RecordTooLong: the body is over the limit.
        :raises PropertiesTooLong: the properties text is over 32,767 bytes.
        :raises TopicTooLong: the topic is over 127 bytes, %RETRY% and %DLQ% over 255.
        :raises IllegalTopic: the topic may not be a path.
        """

    def put_batch(drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue, all or none; errors as :meth:`put`."""

    def when_flushed(end: int) -> "Deferred[FlushOutcome] | None":
        """
        Wait until the commit log is on disk up to ``end``, where a message ends.

        None where nothing is to be waited for: it is there, or messages of this store
        are not promised to outlive a power cut. Fails with StoreNotWriteable when the
        disk does: the message may be lost.

        :raises StoreNotWriteable: the disk failed before.
        """

    def flush() -> "Deferred[None]":
        """
        Flush all messages to disk, whatever is promised; fires when they are there.

        Fails with OSError or StoreNotWriteable when the disk does.
        """

    def get(
        topic: str,
        queue_id: int,
        queue_offset: int,
        max_count: int,
        max_size: int,
        matches: Callable[[int], bool] | None,
    ) -> "Fetched | Deferred[Fetched]":
        """
        Read whole records; ``matches`` takes a tags code, None lets all pass.

        What this and the methods below give is there at once, or later where the disk
        must be waited for; then it fails with TooManyReads when too many wait already.
        """

    def min_offset(topic: str, queue_id: int) -> int:
        """Return the oldest message's queue offset; 0 for an unknown queue."""

    def max_offset(topic: str, queue_id: int) -> int:
        """Return the next message's queue offset; 0 for an unknown queue."""

    def offset_by_time(
        topic: str, queue_id: int, time_ms: int, upper: bool = False
    ) -> "int | Deferred[int]":
        """Return the queue offset that a time points at; 0 for an unknown queue."""

    def store_time(
        topic: str, queue_id: int, queue_offset: int
    ) -> "int | Deferred[int]":
        """Return when a message was stored, in ms; -1 when that is unknown."""

    def record_at(
        commit_log_offset: int,
    ) -> "bytes | None | Deferred[bytes | None]":
        """Return the record that begins exactly there; None when none does."""

    def query(
        topic: str, key: str, max_count: int, begin_ms: int, end_ms: int, unique: bool
    ) -> "Deferred[Queried]":
        """
        Find messages by one of their keys, the newest first until ``max_count``.

        ``begin_ms`` and ``end_ms`` bound the store time, both included. ``unique``
        looks at the unique key only; else that and KEYS are looked at.
        """

    def queues() -> dict[str, list[int]]:
        """Return the ids of all queues that hold or held messages, by topic."""

    def delete_topic(topic: str) -> None:
        """Forget a topic's queues; the commit log keeps the messages."""

    def earliest_store_time() -> "int | Deferred[int]":
        """Return when the oldest message was stored, in ms; -1 when there is none."""
