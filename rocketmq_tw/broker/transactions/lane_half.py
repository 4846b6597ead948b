"""
Makes half messages of sends in the usual form: 2 microseconds instead of 14.

What differs from the usual form in any way is left to
:class:`~rocketmq_tw.broker.transactions.half.HalfMessages`, which also says what is
wrong with it.

Source: as of that module.
"""

from __future__ import annotations

from functools import lru_cache

from rocketmq_tw.broker.send.lane_parts import NOT_PLAIN, LaneParts
from rocketmq_tw.broker.send.properties import asks_besides, waits_for_flush
from rocketmq_tw.broker.transactions.decisions import Decisions
from rocketmq_tw.broker.transactions.half import HALF_TOPIC, OF_BROKERS, RESERVED
from rocketmq_tw.broker.transactions.lane_batch import Batch, HalfRun
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import (
    CHECK_IMMUNITY_TIME_IN_SECONDS,
    PGROUP,
    REAL_QUEUE_ID,
    REAL_TOPIC,
    TAGS,
    TRAN_MSG,
    TRANSACTION_ID,
    UNIQ_KEY,
)
from rocketmq_tw.model.subscription import LONGEST_KEPT, kept_hash
from rocketmq_tw.wire.properties import (
    MAX_PROPERTIES,
    NAME_END,
    PAIR_END,
    last_value,
)
from rocketmq_tw.wire.record_layout import FIXED_SIZE
from rocketmq_tw.wire.requests.send import SendMessageV2

#: The property that makes a half message, as all clients write it.
_MARK = f"{PAIR_END}{TRAN_MSG}{NAME_END}true{PAIR_END}"
_UNIQ_KEY = f"{PAIR_END}{UNIQ_KEY}{NAME_END}"
_PGROUP = f"{PAIR_END}{PGROUP}{NAME_END}"
_PAIR_END = PAIR_END.encode()
_ID = f"{TRANSACTION_ID}{NAME_END}".encode()
_TAGS = f"{PAIR_END}{TAGS}{NAME_END}"
#: A part of the name of each property that only brokers write; TRAN is in TRAN_MSG.
_TRAN, _REAL, _UNDERSCORES = "TRAN", "REAL_", "__"
assert all(
    any(part in name for part in (_TRAN, _REAL, _UNDERSCORES)) for name in OF_BROKERS
)
_QUEUE = (HALF_TOPIC, 0)


class LaneHalves:
    """
    Makes half messages.

    :param limit: how many there may be from the first on that is pending.
    """

    def __init__(self, parts: LaneParts, *, decisions: Decisions, limit: int) -> None:
        self._find_target = parts.targets.known.get
        self._find_queue = parts.runs.find_queue
        self._added = parts.added
        self._max_size = parts.max_size
        self._waits = parts.log is not None
        self._decisions = decisions
        self._limit = limit

    def message(
        self, request: SendMessageV2, body: bytes, batch: Batch
    ) -> HalfRun | None:
        """Return the half message of a send; None if it is not in the usual form."""
        text = request.properties or ""
        found = read(text)
        target = self._find_target(request.topic)
        queue = self._find_queue(_QUEUE)
        if found is None or target is None or queue is None or request.batch:
            return None
        behind = queue.next + len(batch.halves) - self._decisions.start
        if not 0 <= request.queue_id < target.queues or behind >= self._limit:
            return None
        sys_flag = request.sys_flag
        if sys_flag & sysflag.TRANSACTION_MASK == sysflag.PREPARED:
            sys_flag &= ~sysflag.TRANSACTION_MASK
        if sys_flag & NOT_PLAIN or (self._waits and not waits_for_flush(text)):
            return None
        if len(body) > self._max_size or target.topic != request.topic.encode():
            return None
        code, key, group = found
        half = HalfRun(
            queue,
            0,
            request.flag,
            sys_flag,
            request.born_timestamp,
            batch.host,
            body,
            b"",
            code,
            request.reconsume_times or 0,
            topic=target.topic,
            named_queue=request.queue_id,
            key=key.encode(),
            group=group,
        )
        return half if self._set_properties(half, text) else None

    def _set_properties(self, half: HalfRun, text: str) -> bool:
        """Set the properties, those of the message and ours; False if too long."""
        kept = text.encode() + self._added
        own = _own_properties(half.topic, half.named_queue)
        half.own_from, half.own_until = len(kept), len(kept) + len(own)
        half.properties = b"".join((kept, own, _ID, half.key, _PAIR_END))
        half.size = FIXED_SIZE + len(half.body) + len(HALF_TOPIC) + len(half.properties)
        return len(half.properties) <= MAX_PROPERTIES - RESERVED


@lru_cache(maxsize=1024)
def _own_properties(topic: bytes, queue_id: int) -> bytes:
    """Encode the properties that only half messages have."""
    return b"%b\x01%b\x02%b\x01%d\x02" % (
        REAL_TOPIC.encode(),
        topic,
        REAL_QUEUE_ID.encode(),
        queue_id,
    )


def read(text: str) -> tuple[int, str, str] | None:
    """
    Read a properties text.

    :returns: the tags code, the unique key and the producer's group. None if the
        message asks for no transaction, or for something else, too, or is written in
        another way.
    """
    marked = PAIR_END + text
    if (
        _MARK not in marked
        or text[-1] != PAIR_END
        or marked.count(_TRAN) != 1
        or _REAL in marked
        or _UNDERSCORES in marked
        or CHECK_IMMUNITY_TIME_IN_SECONDS in marked
        or asks_besides(marked)
    ):
        return None
    key = last_value(marked, _UNIQ_KEY, PAIR_END)
    group = last_value(marked, _PGROUP, PAIR_END)
    tag = last_value(marked, _TAGS, PAIR_END)
    if not key or not group or not (key.isascii() and key.isalnum()):
        return None
    if tag is None:
        return 0, key, group
    return (kept_hash(tag), key, group) if 0 < len(tag) <= LONGEST_KEPT else None
