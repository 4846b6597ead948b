# ruff: noqa: N805 (the methods of an interface have no self)
"""The interface of a message store, as the broker uses it."""

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.store.queues.fetched import QueueEntry
from rocketmq_tw.wire.record import Draft

if TYPE_CHECKING:
    from rocketmq_tw.store.config import RetentionConfig
    from rocketmq_tw.store.run_writer import RunWriter

__all__ = [
    "Appended",
    "Arrival",
    "FetchStatus",
    "Fetched",
    "FlushOutcome",
    "IMessageStore",
    "KeyQuery",
    "Queried",
    "QueueEntry",
]

#: Topic, queue id, next queue offset, tags code, store time in ms.
Arrival = Callable[[bytes, int, int, int, int], None]


class FlushOutcome(Enum):
    """How waiting for the fsync ended. A disk error is a failure, not an outcome."""

    ON_DISK = "ON_DISK"
    #: The message is stored but was not on disk in time; it may still get there.
    TIMED_OUT = "TIMED_OUT"


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Where a message was stored; ``size`` is the size of its record in bytes."""

    commit_log_offset: int
    size: int
    queue_offset: int
    store_time_ms: int


class KeyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    A query for messages by one of their keys.

    ``begin_ms`` and ``end_ms`` bound the store time, both included. ``is_unique``
    searches the unique keys only; otherwise KEYS are searched too. ``matches`` says of
    a record that has the key whether it is wanted; it is called in a thread. At most
    ``max_count`` messages are found, the newest. ``before`` bounds the commit log
    offset, and is not included; None does not.
    """

    topic: str
    key: str
    max_count: int
    begin_ms: int
    end_ms: int
    is_unique: bool = False
    matches: Callable[[bytes], bool] | None = None
    before: int | None = None


class Queried(msgspec.Struct, frozen=True):
    """
    The result of a query by key.

    ``records`` are complete, oldest first. ``last_time_ms`` and ``last_offset`` are the
    store time and commit log offset of the newest indexed message. ``gap`` is the
    reason why the result may be incomplete, as a sentence; None if it is complete.
    ``is_behind`` says that messages stored before the query are not indexed yet, so
    that it may find more soon. ``stopped_at`` is the commit log offset to which a
    search came that examined too many; a query for what is before that goes on.
    """

    records: list[bytes]
    last_time_ms: int = 0
    last_offset: int = 0
    gap: str | None = None
    is_behind: bool = False
    stopped_at: int | None = None


class CountedQueue(Protocol):
    """
    A queue with what was stored in it since the start, or since it was created.

    Copies of a master's messages do not count.

    :ivar size: of the records, in bytes.
    :ivar larger: those of more than 1,024 bytes: up to 4,096, up to 512 KiB, 1 MiB,
        2 MiB and 4 MiB, and all others; None while there were none.
    :ivar sampled: what the two were when statistics were last made, who set it.
    """

    sampled: tuple[int, int]

    @property
    def topic(self) -> bytes:
        """Return the topic."""

    @property
    def queue_id(self) -> int:
        """Return the queue id."""

    @property
    def messages(self) -> int:
        """Return how many messages."""

    @property
    def next(self) -> int:
        """Return the queue offset that the next message gets."""

    @property
    def min_offset(self) -> int:
        """Return the queue offset of the oldest message."""

    @property
    def larger(self) -> list[int] | None:
        """Return how many are larger than most, by their size."""

    @property
    def size(self) -> int:
        """Return how many bytes."""


class IMessageStore(Interface):
    """Stores messages. Topics are text; ``*_ms`` are milliseconds since the epoch."""

    failure: str | None = Attribute("Why messages are refused; None if they are not.")
    runs: "RunWriter | None" = Attribute("Stores many messages at once, if it can.")
    commit_log_min: int = Attribute("The first offset in the commit log.")
    commit_log_max: int = Attribute("The offset that the next record gets.")
    flushed: int = Attribute("Up to which offset everything is on disk.")

    def add_listener(listener: Arrival) -> None:
        """
        Call ``listener`` for each message that becomes readable, in order.

        It must not store messages itself. Adding it twice has no effect.
        """

    def remove_listener(listener: Arrival) -> None:
        """Stop calling ``listener``; does nothing if it is not registered."""

    def open() -> "Deferred[None]":
        """
        Lock, load and recover the store; fires when it accepts messages.

        Fails with StoreLocked or StoreUnreadable.
        """

    def close() -> "Deferred[None]":
        """Flush everything and unlock; fires when the store may be opened again."""

    def put(draft: Draft, now: float) -> Appended:
        """
        Store one message. It survives the end of this process.

        It is readable at once, or after the fsync with SYNC_FLUSH.

        :raises StoreNotWriteable: the store is closed, or its disk fails.
        :raises DiskFull: nothing was written.
        :raises RecordTooLong: the body is over the limit.
        :raises PropertiesTooLong: the properties text is over 32,767 bytes.
        :raises TopicTooLong: the topic is over 127 bytes, %RETRY% and %DLQ% over 255.
        :raises IllegalTopic: the topic contains characters not allowed in a path.
        """

    def put_batch(drafts: Sequence[Draft], now: float) -> list[Appended]:
        """Store messages of one queue, all or none; errors as :meth:`put`."""

    def when_flushed(end: int) -> "Deferred[FlushOutcome] | None":
        """
        Return a Deferred that fires when the log is on disk up to ``end``.

        None if there is nothing to wait for: it is on disk already, or the store does
        not use SYNC_FLUSH. The Deferred fails with StoreNotWriteable when the disk
        fails: the message may then be lost.

        :raises StoreNotWriteable: the disk failed before.
        """

    def await_flush(waiter: FlushWaiter, end: int) -> bool:
        """
        Call ``waiter`` once the log is on disk up to ``end``, which never decreases.

        For those who have many messages waiting: it is called once for each fsync.

        :returns: False if there is nothing to wait for, as with :meth:`when_flushed`.
        :raises StoreNotWriteable: the disk failed before.
        """

    def flush() -> "Deferred[None]":
        """
        Flush all messages to disk, in any flush mode; fires when they are there.

        Fails with OSError or StoreNotWriteable when the disk fails.
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
        Read complete records; ``matches`` takes a tags code, None accepts all.

        This method and those below return a value, or a Deferred if they have to wait
        for the disk. It fails with TooManyReads when too many reads wait already.
        """

    def get_now(topic: str, queue_id: int, queue_offset: int) -> bytes | None:
        """
        Return one record of this run of the store, if it is in memory.

        None says nothing: :meth:`get` may find it.
        """

    def min_offset(topic: str, queue_id: int) -> int:
        """Return the oldest message's queue offset; 0 for an unknown queue."""

    def max_offset(topic: str, queue_id: int) -> int:
        """Return the next message's queue offset; 0 for an unknown queue."""

    def offset_by_time(
        topic: str, queue_id: int, time_ms: int, upper: bool = False
    ) -> "int | Deferred[int]":
        """Return the queue offset for a time; 0 for an unknown queue."""

    def store_time(
        topic: str, queue_id: int, queue_offset: int
    ) -> "int | Deferred[int]":
        """Return when a message was stored, in ms; -1 if unknown."""

    def entries(
        topic: str, queue_id: int, queue_offset: int, count: int
    ) -> "list[QueueEntry] | Deferred[list[QueueEntry]]":
        """
        Return at most ``count`` entries of a queue; none from outside the queue.

        There may be fewer than there are in the queue, but at least one.
        """

    def record_at(
        commit_log_offset: int,
    ) -> "bytes | None | Deferred[bytes | None]":
        """Return the record that begins at this offset; None if none does."""

    def records_at(
        offsets: Sequence[int], sizes: Sequence[int]
    ) -> "list[bytes | None] | Deferred[list[bytes | None]]":
        """
        Return the records that begin at these offsets and have these sizes.

        None for each that is not there; bodies are not checked.
        """

    def query(query: KeyQuery) -> "Deferred[Queried]":
        """Find messages by key."""

    def counted_queues(topic: str | None = None) -> Sequence[CountedQueue]:
        """Return the queues of a topic that have been used, or of all topics."""

    def changed_queues() -> Collection[CountedQueue] | None:
        """
        Return the queues whose numbers may have changed since the last call.

        There is one who calls it. What changes while tails are written may be in what
        the next call but one returns.

        :returns: None if all may have, or if there are others than before.
        """

    def queues() -> dict[str, list[int]]:
        """Return the ids of all queues that hold or held messages, by topic."""

    def delete_topic(topic: str) -> "Deferred[None]":
        """
        Delete a topic's queues; the messages stay in the commit log.

        They are gone at once. The Deferred fires when they stay gone after a crash; the
        files are removed after that.

        :raises OSError: nothing was deleted.
        """

    def trim_queues() -> "Deferred[None]":
        """
        Remove the files of queues whose messages have all been deleted.

        :raises StoreNotWriteable: the store is not open.
        """

    def set_retention(config: "RetentionConfig") -> None:
        """Keep files for another time, or on a disk that may be fuller or less full."""

    def delete_expired() -> None:
        """Let the next checks of the disk delete files that are old enough."""

    def gauges() -> dict[str, Callable[[], int]]:
        """Return what operators are shown of the store, by its name."""

    def earliest_store_time() -> "int | Deferred[int]":
        """Return when the oldest message was stored, in ms; -1 if there is none."""
