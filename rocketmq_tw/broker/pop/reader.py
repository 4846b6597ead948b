"""
Pops messages: reads queues, and writes what was handed out.

A pop reads from the committed offset of the group and commits the next one, so pops and
pulls of a group may alternate.

Source: ``PopMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from msgspec import structs
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.errors import TooManyInFlight, TooManyOffsets
from rocketmq_tw.broker.pop.in_flight import Popped
from rocketmq_tw.broker.pop.journal import ReviveLog
from rocketmq_tw.broker.pop.orderly import ORDERED, OrderedPops, order_counts
from rocketmq_tw.broker.pop.queue_order import QueueOrder
from rocketmq_tw.broker.pop.records import offsets_of, with_receipts
from rocketmq_tw.broker.pull.filters import Matches
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.store.queues.fetch import page_cache_size
from rocketmq_tw.wire.receipts import (
    NORMAL,
    Receipt,
    encode_offsets,
    encode_starts,
    retry_mark,
)
from rocketmq_tw.wire.requests.pop import FROM_MIN, PopResponse

#: Bytes; the largest response, but for one message that is larger.
_MAX_BYTES = 256 << 10


class Wanted(msgspec.Struct, frozen=True):
    """
    What a pop asks for.

    :ivar queue_id: :data:`ALL_QUEUES` or one.
    :ivar matches: tests a tags code; None accepts all.
    :ivar from_min: whether a group without an offset begins with the oldest message.
    :ivar in_order: whether queues are blocked while messages are in flight.
    :ivar attempt_id: the same when such a pop is sent again.
    """

    topic: str
    group: str
    queue_id: int
    count: int
    invisible_ms: int
    matches: Matches
    from_min: bool
    in_order: bool = False
    attempt_id: str | None = None


class Found(msgspec.Struct):
    """
    What a pop has found so far.

    :ivar rest: how many messages are left in the queues that it looked at.
    :ivar end: where the last check point ends in the commit log.
    :ivar queues: queue id, messages and bytes of each queue of the topic itself.
    """

    pop_time_ms: int
    revive_queue: int
    count: int = 0
    rest: int = 0
    end: int = 0
    starts: list[str] = []
    offsets: list[str] = []
    records: list[bytes] = []
    order_counts: list[str] = []
    queues: list[tuple[int, int, int]] = []

    def response(self, invisible_ms: int) -> PopResponse:
        """Return the response that has the messages."""
        return PopResponse(
            pop_time=self.pop_time_ms,
            invisible_time=invisible_ms,
            revive_qid=self.revive_queue,
            rest_num=self.rest,
            start_offset_info=";".join(self.starts),
            msg_offset_info=";".join(self.offsets),
            order_count_info=";".join(self.order_counts) or None,
            remark="FOUND",
            body=b"".join(self.records),
        )


class PopReader:
    """
    Reads queues for pops.

    :param order: chooses the queues.
    :param most_in_flight: a queue of which more messages are in flight for a group is
        left out; None is no limit.
    :param memory_size: a queue whose first message is so close to the end of the log is
        young; None is the size of the page cache.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        order: QueueOrder,
        offsets: ConsumerOffsets,
        journal: ReviveLog,
        ordered: OrderedPops,
        broker_name: str,
        most_in_flight: int | None = None,
        memory_size: int | None = None,
    ) -> None:
        self._store = store
        self._order = order
        self._offsets = offsets
        self._journal = journal
        self._ordered = ordered
        self._broker_name = broker_name
        self._most_in_flight = most_in_flight
        self._memory_size = page_cache_size() if memory_size is None else memory_size
        #: Queues that are read from the disk for a group.
        self._reading: set[tuple[str, str, int]] = set()

    async def pop(self, wanted: Wanted, now_ms: int) -> Found:
        """
        Hand out messages.

        :raises TooManyInFlight: none was handed out because of that limit.
        :raises TooManyOffsets: likewise.
        :raises StoreError: likewise.
        """
        found = Found(now_ms, self._journal.next_queue())
        if wanted.in_order:
            found.revive_queue = ORDERED
        for topic, queue_id in self._order.of(
            wanted.topic, wanted.group, wanted.queue_id, wanted.in_order
        ):
            try:
                await self._pop_queue(topic, queue_id, wanted, found)
            except (TooManyInFlight, TooManyOffsets):
                if found.count:
                    return found
                raise
        return found

    def has_messages(
        self, topic: str, group: str, queue_id: int, in_order_at_ms: int | None = None
    ) -> bool:
        """
        Return whether there are messages that a group has not been handed out.

        :param in_order_at_ms: for a pop in order, the time; None for another.
        """
        in_order = in_order_at_ms is not None
        for name, each in self._order.of(topic, group, queue_id, in_order):
            end = self._store.max_offset(name, each)
            offset = self._offsets.query(group, name, each)
            if offset is None:
                offset = self._store.min_offset(name, each)
            if offset < end and (
                in_order_at_ms is None
                or not self._ordered.is_blocked(
                    (name, group, each), None, in_order_at_ms
                )
            ):
                return True
        return False

    async def _pop_queue(
        self, topic: str, queue_id: int, wanted: Wanted, found: Found
    ) -> None:
        """Hand out messages of one queue."""
        end = self._store.max_offset(topic, queue_id)
        group = wanted.group
        key = topic, group, queue_id
        if self._offsets.resets:
            self._learn(key)
        offset = self._offsets.query(group, topic, queue_id)
        if offset is not None and offset == end or not end:
            return  # as in most queues most of the time
        if wanted.in_order and self._ordered.is_blocked(
            key, wanted.attempt_id, found.pop_time_ms
        ):
            return
        if found.count >= wanted.count or key in self._reading or self._has_many(key):
            found.rest += max(0, end - (offset or 0))
            return
        if offset is None or offset > end:
            self._reading.add(key)
            try:
                offset = await self._first_offset(topic, queue_id, wanted)
            finally:
                self._reading.discard(key)
        fetched = await self._fetch(key, offset, wanted, found)
        if fetched.count:
            # Behind messages that are gone, if there were some.
            start = self._offsets.query(group, topic, queue_id)
            start = offset if start is None else start
            if wanted.in_order:
                self._hand_out_in_order(key, start, fetched, wanted, found)
                return
            self._hand_out(key, start, fetched, wanted, found)
        elif fetched.next_offset > offset:
            self._offsets.commit(group, topic, queue_id, fetched.next_offset)
        found.rest += max(0, fetched.max_offset - fetched.next_offset)

    def _learn(self, key: tuple[str, str, int]) -> None:
        """
        Continue from where an administrator has reset the group, if so.

        The offset is committed already. A queue is free, whatever is in flight in order
        of what comes again, or is skipped.
        """
        topic, group, queue_id = key
        if self._offsets.resets.take(group, topic, queue_id) is not None:
            self._ordered.forget(key)

    def _has_many(self, key: tuple[str, str, int]) -> bool:
        """Return whether so many messages are in flight that no more are handed out."""
        if self._most_in_flight is None:
            return False
        topic, group, queue_id = key
        in_flight = self._journal.in_flight
        return in_flight.messages_of(topic, group, queue_id) > self._most_in_flight

    async def _fetch(
        self, key: tuple[str, str, int], offset: int, wanted: Wanted, found: Found
    ) -> Fetched:
        """Read a queue; once more where its messages begin, if they are gone there."""
        topic, group, queue_id = key
        count = wanted.count - found.count
        fetched = await self._read(key, offset, count, wanted.matches)
        if not fetched.count and fetched.next_offset != offset:
            offset = fetched.next_offset
            self._offsets.commit(group, topic, queue_id, offset)
            fetched = await self._read(key, offset, count, wanted.matches)
        return fetched

    async def _read(
        self, key: tuple[str, str, int], offset: int, count: int, matches: Matches
    ) -> Fetched:
        """Read messages of a queue; no other pop of the group does so meanwhile."""
        topic, _, queue_id = key
        fetched = self._store.get(topic, queue_id, offset, count, _MAX_BYTES, matches)
        if not isinstance(fetched, Deferred):
            found: Fetched = fetched
            return found
        self._reading.add(key)
        try:
            read = await fetched
        finally:
            self._reading.discard(key)
        if self._offsets.query(key[1], topic, queue_id) == offset:
            return read
        # The group was reset meanwhile; the next pop reads from there.
        return structs.replace(read, count=0, data=b"", next_offset=offset)

    def _hand_out(
        self,
        key: tuple[str, str, int],
        offset: int,
        fetched: Fetched,
        wanted: Wanted,
        found: Found,
    ) -> None:
        """Write a check point for what was read, and commit the offset behind it."""
        topic, group, queue_id = key
        messages = offsets_of(fetched.data)
        popped = Popped(
            topic=topic,
            group=group,
            queue_id=queue_id,
            start_offset=offset,
            pop_time_ms=found.pop_time_ms,
            invisible_ms=wanted.invisible_ms,
            offsets=messages,
            revive_queue=found.revive_queue,
            pending=(1 << len(messages)) - 1,
        )
        in_flight = self._journal.in_flight
        if popped.key in in_flight:
            return  # after a reset within a millisecond; the next pop has them
        in_flight.check_capacity(group)
        self._offsets.commit(group, topic, queue_id, fetched.next_offset)
        try:
            appended = self._journal.begin(popped)
        except Exception:
            self._offsets.commit(group, topic, queue_id, offset)
            raise
        found.end = max(found.end, appended.commit_log_offset + appended.size)
        found.count += len(messages)
        mark = retry_mark(topic)
        found.starts.append(encode_starts(mark, queue_id, offset))
        found.offsets.append(encode_offsets(mark, queue_id, messages))
        data = fetched.data
        if mark != NORMAL:
            first = Receipt(
                start_offset=offset,
                pop_time_ms=found.pop_time_ms,
                invisible_ms=wanted.invisible_ms,
                revive_queue=found.revive_queue,
                retry=mark,
                broker_name=self._broker_name,
                queue_id=queue_id,
                offset=messages[0],
            )
            data = with_receipts(data, wanted.topic, first)
        else:
            found.queues.append((queue_id, len(messages), len(data)))
        found.records.append(data)

    def _hand_out_in_order(
        self,
        key: tuple[str, str, int],
        offset: int,
        fetched: Fetched,
        wanted: Wanted,
        found: Found,
    ) -> None:
        """Block the queue; the group's offset stays where it is."""
        queue_id = key[2]
        messages = offsets_of(fetched.data)
        counts = self._ordered.begin(
            key,
            messages,
            pop_time_ms=found.pop_time_ms,
            invisible_ms=wanted.invisible_ms,
            attempt_id=wanted.attempt_id,
        )
        found.count += len(messages)
        found.starts.append(encode_starts(NORMAL, queue_id, offset))
        found.offsets.append(encode_offsets(NORMAL, queue_id, messages))
        found.order_counts.append(order_counts(queue_id, messages, counts))
        found.queues.append((queue_id, len(messages), len(fetched.data)))
        found.records.append(fetched.data)

    async def _first_offset(self, topic: str, queue_id: int, wanted: Wanted) -> int:
        """Return and commit where a group begins, or begins again after a reset log."""
        first = self._store.min_offset(topic, queue_id)
        end = self._store.max_offset(topic, queue_id)
        known = self._offsets.query(wanted.group, topic, queue_id)
        if known is not None:
            begin = end
        elif wanted.from_min or is_retry(topic):
            begin = first
        elif first <= 0 and await self._is_young(topic, queue_id):
            begin = 0
        else:
            begin = max(0, end - 1)
        self._offsets.commit(wanted.group, topic, queue_id, begin)
        return begin

    async def _is_young(self, topic: str, queue_id: int) -> bool:
        """Return whether a queue's first message is in memory."""
        fetched = self._store.get(topic, queue_id, 0, 1, 1, None)
        if isinstance(fetched, Deferred):
            fetched = await fetched
        if not fetched.count:
            return False
        behind = self._store.commit_log_max - fetched.last_commit_log_offset
        return bool(behind <= self._memory_size)


def is_from_min(init_mode: int) -> bool:
    """Return whether a mode means the oldest message."""
    return init_mode == FROM_MIN
