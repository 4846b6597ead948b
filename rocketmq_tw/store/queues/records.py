"""
Reads the records of chosen entries, as they are sent to a consumer.

One read fetches the records with everything between them, usually nothing or those of
the topic's other queues; from what was read they are copied once, joined. Bytes that
are not in the page cache are read in a thread (:mod:`rocketmq_tw.store.files.reads`).

Source: ``DefaultMessageStore.getMessage`` of RocketMQ 5.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.files.mapped_reads import MappedReads
from rocketmq_tw.store.files.reads import READ_AHEAD, Reads, Steps, piece
from rocketmq_tw.store.files.recent import RecentReads
from rocketmq_tw.store.files.segments import MappedFileQueue

#: Bytes; records that span more are read one by one.
MAX_SPAN = 512 << 10
#: Queues of which entries are kept: 2 MiB, if all have wide pulls.
_ENTRY_BLOCKS = 256
#: Bytes of entries behind those of a pull: of four pulls more, if there are 32 in one.
_ENTRIES_AHEAD = 2560


class ReadableLog(Protocol):
    """A log that can be read: a commit log, or one in memory."""

    @property
    def min_offset(self) -> int:
        """Return the commit log offset of the oldest record."""

    @property
    def end(self) -> int:
        """Return the end of the newest record."""

    @property
    def files(self) -> MappedFileQueue:
        """Return the files, for bytes outside the window."""

    def in_window(self, position: int, count: int) -> memoryview | None:
        """
        Return bytes that are in memory; None if they have to be read from the files.

        Use them at once: to keep them is to keep the memory that they are in.
        """


class StoreView(msgspec.Struct, frozen=True):
    """
    What readers use of a store.

    Records within ``memory_size`` bytes of the end of the log count as being in memory;
    for older ones, one fetch returns fewer messages. ``entries`` keeps what was read of
    consume queues for the last pulls; ``mapped`` reads from mapped parts of the log,
    None if that is in memory.
    """

    log: ReadableLog
    reads: Reads
    config: StoreConfig
    memory_size: int
    entries: RecentReads
    mapped: MappedReads | None


def store_view(
    log: ReadableLog,
    reads: Reads,
    config: StoreConfig,
    memory_size: int,
    mapped: MappedReads | None = None,
) -> StoreView:
    """Return what readers use of a store; nothing was read yet."""
    entries = RecentReads(reads, limit=_ENTRY_BLOCKS, ahead=_ENTRIES_AHEAD)
    return StoreView(log, reads, config, memory_size, entries, mapped)


def view_log(store: StoreView, position: int, size: int) -> memoryview | None:
    """
    Read at most to the end of one file; None if the bytes are not in memory.

    They are valid until the next read.
    """
    view = store.log.in_window(position, size)
    if view is None and store.mapped is not None:
        view = store.mapped.view(position, size)
    if view is None:
        view = store.reads.view_now(store.log.files, position, size)
    return view


def read_log(store: StoreView, position: int, size: int) -> bytes | None:
    """Do as :func:`view_log`, and copy the bytes."""
    view = view_log(store, position, size)
    return None if view is None else bytes(view)


def read_warm(
    store: StoreView, offsets: Sequence[int], sizes: Sequence[int]
) -> tuple[bytes, int] | None:
    """
    Read the records from memory and join them.

    :param offsets: the commit log offsets, at least one; ``sizes`` belong to them.
    :returns: the records still in the log and their number; None when some are not in
        memory.
    """
    first = offsets[0]
    span = offsets[-1] + sizes[-1] - first
    if 0 < span <= MAX_SPAN:
        view = view_log(store, first, span)
        if view is None:
            return None
        if len(view) == span:
            return cut(view, offsets, sizes), len(sizes)
    records = []
    for offset, size in zip(offsets, sizes, strict=True):
        record = read_log(store, offset, size)
        if record is None:
            return None
        records.append(record)
    return _joined(records, sizes)


def read_cold(
    log: ReadableLog, offsets: Sequence[int], sizes: Sequence[int]
) -> Steps[tuple[bytes, int]]:
    """Do as :func:`read_warm`, in a thread."""
    first = offsets[0]
    span = offsets[-1] + sizes[-1] - first
    if 0 < span <= MAX_SPAN:
        data = (yield [piece(log.files, first, span, READ_AHEAD)])[0]
        if len(data) == span:
            return cut(memoryview(data), offsets, sizes), len(sizes)
    records = yield [
        piece(log.files, offset, size)
        for offset, size in zip(offsets, sizes, strict=True)
    ]
    return _joined(records, sizes)


def cut(view: memoryview, offsets: Sequence[int], sizes: Sequence[int]) -> bytes:
    """
    Join the records that a view has from the first on, without what is between them.

    Copies each byte once: 3.6 us for 32 records of 1 KiB.
    """
    if len(view) == sum(sizes):
        return bytes(view)
    first = offsets[0]
    return b"".join(
        [
            view[(start := at - first) : start + size]
            for at, size in zip(offsets, sizes, strict=True)
        ]
    )


def _joined(records: list[bytes], sizes: Sequence[int]) -> tuple[bytes, int]:
    """Join the records that were read completely."""
    whole = [
        record
        for record, size in zip(records, sizes, strict=True)
        if len(record) == size
    ]
    return b"".join(whole), len(whole)
