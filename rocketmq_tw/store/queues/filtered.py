"""
Fetching records that a filter chooses by their properties.

These are in the records, so each has to be read, whether it is wanted or not. One fetch
looks at a limited number of them, fewer if the filter is costly, and says up to which
queue offset: the consumer asks again from there.

Source: ``DefaultMessageStore.getMessage`` and
``ExpressionMessageFilter.isMatchedByCommitLog`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from rocketmq_tw.store.files.reads import Steps
from rocketmq_tw.store.queues.consumequeue import PRE_BLANK_SIZE, entries
from rocketmq_tw.store.queues.fetched import Fetched, FetchStatus, Picked
from rocketmq_tw.store.queues.records import StoreView, read_cold, read_warm
from rocketmq_tw.wire.record import Checked, check
from rocketmq_tw.wire.record_layout import SIZE

#: Parts of filters that are evaluated in one fetch: some 3 ms.
MOST_PARTS = 20_000
#: Bytes of records that one fetch looks at, unless the first record has more.
MOST_BYTES = 1 << 20
#: What reading the properties of a record takes, in parts of a filter.
_RECORD_PARTS = 25


@runtime_checkable
class RecordFilter(Protocol):
    """A filter of records; as a filter of tags codes it lets all pass."""

    @property
    def cost(self) -> int:
        """Return how many parts it has, each of which takes some 0.1 microseconds."""

    def __call__(self, tags_code: int) -> bool:
        """Return True."""

    def accepts(self, properties: bytes) -> bool:
        """Return whether a record with these properties is wanted."""


class Limits(msgspec.Struct, frozen=True):
    """The largest response: messages, and bytes unless the first one has more."""

    count: int
    size: int


def fetch_accepted(
    store: StoreView,
    data: bytes,
    queue_offset: int,
    limits: Limits,
    accepts: RecordFilter,
) -> Steps[Fetched]:
    """
    Read the records that a filter accepts.

    :param data: entries of a consume queue from ``queue_offset`` on; the result has no
        offsets of the queue itself.
    """
    looked = look(data, store.log.min_offset, accepts.cost)
    end = queue_offset + looked.scanned
    if not looked.offsets:
        status = FetchStatus.NO_MATCHED_MESSAGE
        if looked.was_removed:
            status = FetchStatus.MESSAGE_WAS_REMOVING
        return Fetched(status, end, 0, 0)
    found = read_warm(store, looked.offsets, looked.sizes)
    if found is None:
        found = yield from read_cold(store.log, looked.offsets, looked.sizes)
    records, count = found
    if not count:
        return Fetched(FetchStatus.MESSAGE_WAS_REMOVING, end, 0, 0)
    return _accepted(records, end, limits, accepts)


def look(data: bytes, log_min: int, cost: int) -> Picked:
    """Choose the entries whose records are looked at."""
    most = max(1, MOST_PARTS // (cost + _RECORD_PARTS))
    looked = Picked([], [])
    total = 0
    for offset, size, _ in entries(data):
        if offset < log_min or size == PRE_BLANK_SIZE:
            looked.was_removed = True
        elif looked.offsets and (
            len(looked.offsets) >= most or total + size > MOST_BYTES
        ):
            break
        else:
            looked.offsets.append(offset)
            looked.sizes.append(size)
            total += size
        looked.scanned += 1
    return looked


def _accepted(
    records: bytes, end: int, limits: Limits, accepts: RecordFilter
) -> Fetched:
    """Keep the records that are accepted, up to the limits of the response."""
    kept: list[bytes] = []
    at = total = last = 0
    while at < len(records):
        size = int.from_bytes(records[at : at + SIZE.stop], "big")
        found = check(records, at, at + size, False)
        if isinstance(found, Checked) and accepts.accepts(found.properties):
            if kept and (len(kept) >= limits.count or total + size > limits.size):
                end = found.queue_offset
                break
            kept.append(records[at : at + size])
            total += size
            last = found.commit_log_offset
        at += max(size, SIZE.stop)
    if not kept:
        return Fetched(FetchStatus.NO_MATCHED_MESSAGE, end, 0, 0)
    return Fetched(FetchStatus.FOUND, end, 0, 0, len(kept), b"".join(kept), last)
