"""
Delivers usual messages many at once: their copies are stored as one run.

A record of the timer's queue is usual if hosts have IPv4 addresses, if the properties
end with those that this broker adds to a timed message, and if the queue that they name
exists; its topic may not be so long that the record has another form. Then its copy
needs no decoded properties. Other records are left to
:mod:`rocketmq_tw.broker.timer.copies`, which says what is wrong with them, or makes
what they need (``tests/broker/timer/test_delivery_run.py`` compares both).
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from rocketmq_tw.broker.timer.copies import times
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import REAL_QUEUE_ID, REAL_TOPIC, UNIQ_KEY
from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX, TIMER_TOPIC
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.dispatch import UNQUEUED
from rocketmq_tw.store.run import CopyMessage
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record_layout import (
    BODY_AT,
    CRC_MASK,
    FIXED_SIZE,
    HEAD_V4,
    MAGIC_V1,
    MAX_TOPIC_V1,
    SHORT_LENGTH,
)
from rocketmq_tw.wire.record_tags import tags_code_of

_unpack = HEAD_V4.unpack_from
_unpack_length = SHORT_LENGTH.unpack_from
#: The topic in a record, behind its body.
_TOPIC: Final = bytes([len(TIMER_TOPIC)]) + TIMER_TOPIC.encode()
#: Flags of other records.
_UNUSUAL: Final = sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6 | UNQUEUED
#: Where the properties begin that say where a message goes; they are the last.
_TARGET: Final = f"\x02{REAL_TOPIC}\x01".encode()
_target = re.compile(
    _TARGET + rb"([^\x01\x02]+)\x02" + REAL_QUEUE_ID.encode() + rb"\x01([0-9]{1,9})\x02"
).fullmatch
#: Topics whose records another broker wrote.
_REVIVE_LOG: Final = REVIVE_LOG_PREFIX.encode()


class DeliveryRun:
    """
    The copies of one step.

    :param slot_ms: the slot of the messages.
    :param recalled: what is left out.
    :param max_size: the largest body that is stored, in bytes; it may be lower now than
        when messages were accepted.
    :ivar left_out: how many messages were.
    """

    # What a step has in common is found once: where the properties lead, and the
    # times. Queues may be removed between two steps.

    def __init__(
        self,
        runs: RunWriter,
        slot_ms: int,
        recalled: Recalled,
        *,
        max_size: int,
        now: float,
    ) -> None:
        self._runs = runs
        self._slot_ms = slot_ms
        self._recalled = recalled
        self._max_size = max_size
        self._now = now
        self._queues: dict[bytes, ConsumeQueue | None] = {}
        self._times: dict[int, bytes] = {}
        self._run: list[CopyMessage] = []
        self._capacity = runs.capacity
        self.left_out = 0

    def add(self, record: bytes | None, offset: int, delay_ms: int) -> bool:
        """
        Add a message.

        :param offset: the commit log offset of its record.
        :param delay_ms: from when it was linked to its slot.
        :returns: False if it is not usual, or does not fit.
        """
        if record is None or len(record) < FIXED_SIZE:
            return False
        copy = self._copy(record, offset, delay_ms)
        if copy is None:
            return False
        if len(self._recalled) and self._is_recalled(copy):
            self.left_out += 1
            return True
        if copy.size > self._capacity:
            return False
        self._capacity -= copy.size
        self._run.append(copy)
        return True

    def store(self) -> dict[bytes, int]:
        """Store the copies; return how many went to each topic."""
        run, self._run = self._run, []
        counts: dict[bytes, int] = {}
        if run:
            self._runs.put_copies(run, self._now)
            for each in run:
                topic = each.queue.topic
                counts[topic] = counts.get(topic, 0) + 1
        return counts

    def renew(self) -> None:
        """Something else was stored."""
        self._capacity = self._runs.capacity
        self._queues.clear()

    def _copy(self, record: bytes, offset: int, delay_ms: int) -> CopyMessage | None:
        """Copy a record; None if it is not usual."""
        _, magic, crc, _, flag, _, _, sys_flag, born, host, _, _, tries, _, length = (
            _unpack(record)
        )
        end = BODY_AT + length
        start = end + len(_TOPIC) + SHORT_LENGTH.size
        if magic != MAGIC_V1 or sys_flag & _UNUSUAL or start > len(record):
            return None
        if length > self._max_size or not record.startswith(_TOPIC, end):
            return None
        if start + _unpack_length(record, start - SHORT_LENGTH.size)[0] != len(record):
            return None
        body, kept = record[BODY_AT:end], record[start:]
        queue = self._queue(kept)
        if queue is None or body and crc32(body) & CRC_MASK != crc:
            return None
        added = self._times.get(delay_ms)
        if added is None:
            linked_ms = self._slot_ms - delay_ms
            added = times(linked_ms, int(self._now * 1000))
            self._times[delay_ms] = added
        text = kept + added
        if len(text) > MAX_PROPERTIES:
            return None
        return CopyMessage(
            queue,
            FIXED_SIZE + length + len(queue.topic) + len(text),
            flag,
            sys_flag,
            born,
            host,
            body,
            text,
            tags_code_of(kept),
            tries,
            body_crc=crc,
            source=offset + 1,
        )

    def _queue(self, kept: bytes) -> ConsumeQueue | None:
        """Return the queue that properties lead to; None if that is not usual."""
        at = kept.rfind(_TARGET)
        if at < 0:
            return None
        target = kept[at:]
        queues = self._queues
        if target in queues:
            return queues[target]
        queues[target] = queue = self._find(target)
        return queue

    def _find(self, target: bytes) -> ConsumeQueue | None:
        found = _target(target)
        if found is None or found[1].startswith((_REVIVE_LOG, _TOPIC[1:])):
            return None
        if len(found[1]) > MAX_TOPIC_V1:
            return None
        queue = self._runs.find_queue((found[1], int(found[2])))
        return None if queue is None or queue.is_delayed else queue

    def _is_recalled(self, copy: CopyMessage) -> bool:
        text = copy.properties.decode("utf-8", "replace")
        key = properties.find(text, UNIQ_KEY) or ""
        return self._recalled.holds(copy.queue.topic.decode(), key)
