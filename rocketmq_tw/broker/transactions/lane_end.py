"""
Ends transactions that are in the usual form: 6 microseconds instead of 24.

The record of the half message is not decoded: the few properties that matter are looked
for, and its text becomes that of the committed message but for two of them. Whatever
is special, or wrong, is left to
:class:`~rocketmq_tw.broker.transactions.ending.EndProcessor`.

Source: as of that module.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.late_checks import LateChecks
from rocketmq_tw.broker.send.lane_forms import END_CODE
from rocketmq_tw.broker.send.lane_parts import LaneParts
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.ending import EndProcessor
from rocketmq_tw.broker.transactions.half import HALF_TOPIC
from rocketmq_tw.broker.transactions.lane_batch import Batch, HalfRun
from rocketmq_tw.broker.transactions.lane_recent import RecentHalves
from rocketmq_tw.broker.transactions.stored import STORED_MS, without_half
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    CHECK_IMMUNITY_TIME_IN_SECONDS,
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TAGS,
    TRAN_PREPARED_QUEUE_OFFSET,
    WAIT,
)
from rocketmq_tw.model.subscription import LONGEST_KEPT, kept_hash
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.run import RunMessage
from rocketmq_tw.wire.properties import last_value
from rocketmq_tw.wire.record_layout import (
    BODY_AT,
    FIXED_SIZE,
    HEAD_V4,
    MAGIC_V1,
    MAX_TOPIC_V1,
    SHORT_LENGTH,
)
from rocketmq_tw.wire.requests.transaction import EndTransaction

_V6 = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
_ENDS = {sysflag.COMMIT: Decision.COMMITTED, sysflag.ROLLBACK: Decision.ROLLED_BACK}
_PAIR_END = b"\x02"


def _start(name: str) -> bytes:
    """Return what a property begins with, behind another one."""
    return f"\x02{name}\x01".encode()


_PGROUP, _TAGS = _start(PGROUP), _start(TAGS)
_REAL_TOPIC, _REAL_QUEUE_ID = _start(REAL_TOPIC), _start(REAL_QUEUE_ID)
_WAIT, _WAITS = _start(WAIT), _start(WAIT) + b"true\x02"
#: Parts of the names of properties that make an end special: this is a copy, or it may
#: not be ended at any time.
_SPECIAL = (
    CHECK_IMMUNITY_TIME_IN_SECONDS.encode(),
    TRAN_PREPARED_QUEUE_OFFSET.encode(),
    STORED_MS.encode(),
)
_QUEUE = (HALF_TOPIC, 0)
#: No queue id has more digits.
_DIGITS = 9


class LaneEnds:
    """
    Ends transactions.

    :param ending: says what has ended already.
    :param recent: the half messages that need not be read.
    :param permit: asked for topics if there is access control.
    """

    def __init__(
        self,
        parts: LaneParts,
        *,
        store: IMessageStore,
        ending: EndProcessor,
        recent: RecentHalves,
        permit: LateChecks,
    ) -> None:
        self._get = store.get_now
        self._find_queue = parts.runs.find_queue
        self._max_size = parts.max_size
        self._waits = parts.log is not None
        self._ending = ending
        self._recent = recent
        self._permit = permit

    def add(self, request: EndTransaction, batch: Batch, opaque: int | None) -> bool:
        """
        Add what ends a transaction.

        :param opaque: the number that its response bears; None if it is one-way.
        :returns: False if that is special, or wrong; nothing was added then.
        """
        decision = _ENDS.get(request.commit_or_rollback)
        offset = request.tran_state_table_offset
        size = batch.ended_size + len(str(offset)) + 1
        if (
            decision is None
            or offset in batch.ended
            or not self._ending.is_simple(offset, len(batch.ended), size)
        ):
            return False
        half = self._half(request, batch)
        if half is None or half.group != request.producer_group:
            return False
        named = (request.topic or "").encode()
        if named != half.topic and (
            # Whether this is permitted is decided by its handler.
            self._permit.is_used or named not in (b"", HALF_TOPIC)
        ):
            return False
        if self._waits and not _waits(half.properties):
            return False
        # Nothing is stored of one that is rolled back.
        is_stored = decision is Decision.COMMITTED
        waiting = END_CODE if self._waits and is_stored else 0
        if opaque is not None and not batch.may_respond(waiting):
            return False
        if is_stored:
            message = self._committed(half)
            if message is None or message.size > batch.capacity:
                return False
            batch.prepared.append((len(batch.run), half.commit_log_offset))
            batch.add(message)
        batch.ended[offset] = decision, half
        batch.ended_size = size
        if opaque is not None:
            batch.respond(opaque, None, waiting)
        return True

    def _half(self, request: EndTransaction, batch: Batch) -> HalfRun | None:
        """
        Return the half message that a request names; None if it is another one, or no
        more is to be read for this batch.
        """
        offset, at = request.tran_state_table_offset, request.commit_log_offset
        queue = self._find_queue(_QUEUE)
        if queue is None or not queue.min_offset <= offset < queue.next:
            return None
        half = self._recent.find(offset)
        if half is None and batch.readable >= 0:
            record = self._get(TRANS_HALF_TOPIC, 0, offset)
            if record is not None:
                batch.readable -= len(record)
                half = read(record, queue)
        if half is None or half.commit_log_offset != at or half.queue_offset != offset:
            return None
        return half

    def _committed(self, half: HalfRun) -> RunMessage | None:
        """Return the message that consumers get; None if it is special."""
        queue = self._find_queue((half.topic, half.named_queue))
        if queue is None or queue.is_delayed:
            return None
        if len(half.body) > self._max_size or len(half.topic) > MAX_TOPIC_V1:
            return None
        text = half.properties
        if half.own_until:
            text = text[: half.own_from] + text[half.own_until :]
        else:
            text = without_half(text)
        return RunMessage(
            queue,
            FIXED_SIZE + len(half.body) + len(half.topic) + len(text),
            half.flag,
            half.sys_flag & ~sysflag.TRANSACTION_MASK | sysflag.COMMIT,
            half.born_time_ms,
            half.born_host,
            half.body,
            text,
            half.tags_code,
            half.reconsume_times,
        )


def read(record: bytes, queue: ConsumeQueue) -> HalfRun | None:
    """
    Read the record of a half message as it was when it was to be stored.

    :returns: None if it is not in the usual form, or an end of it is special.
    """
    head = HEAD_V4.unpack_from(record)
    size, magic, _, _, flag, queue_offset, position, sys_flag = head[:8]
    born_time_ms, born_host, _, _, reconsume_times, _, length = head[8:]
    topic_at = BODY_AT + length
    if (
        size != len(record)
        or magic != MAGIC_V1
        or sys_flag & _V6
        or record[topic_at] != len(HALF_TOPIC)
    ):
        return None
    text = record[topic_at + 1 + len(HALF_TOPIC) + SHORT_LENGTH.size :]
    found = _read_properties(text)
    if found is None:
        return None
    half = HalfRun(
        queue,
        size,
        flag,
        sys_flag,
        born_time_ms,
        born_host,
        record[BODY_AT:topic_at],
        text,
        found.tags_code,
        reconsume_times,
        position,
        queue_offset,
    )
    half.topic, half.named_queue = found.topic, found.queue_id
    half.group = found.group
    return half


def _read_properties(text: bytes) -> _Found | None:
    """Look for the properties that matter; None if an end of such is special."""
    marked = _PAIR_END + text
    if not marked.endswith(_PAIR_END) or any(name in marked for name in _SPECIAL):
        return None
    topic = last_value(marked, _REAL_TOPIC, _PAIR_END)
    queue_id = last_value(marked, _REAL_QUEUE_ID, _PAIR_END)
    group = last_value(marked, _PGROUP, _PAIR_END)
    tag = last_value(marked, _TAGS, _PAIR_END)
    if not topic or topic == HALF_TOPIC or not queue_id or not group or tag == b"":
        return None
    if not queue_id.isdigit() or len(queue_id) > _DIGITS:
        return None
    tags = "" if tag is None else tag.decode("utf-8", "replace")
    if len(tags) > LONGEST_KEPT:
        return None
    code = kept_hash(tags) if tags else 0
    return _Found(topic, int(queue_id), group.decode("utf-8", "replace"), code)


class _Found(msgspec.Struct, frozen=True, gc=False):
    """The properties that matter; the topic and the queue are the real ones."""

    topic: bytes
    queue_id: int
    group: str
    tags_code: int


def _waits(text: bytes) -> bool:
    """Whether the sender waits until the message is safe, written as usual."""
    marked = _PAIR_END + text
    return _WAIT not in marked or _WAITS in marked
