"""
Reads the messages of one slot, in steps.

First its chain is followed, which leads from the last message to the first. Then the
records that cancel messages are read.

Source: ``TimerMessageStore.dequeue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.broker.timer.copies import Unusable, target_of
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.layout import DELETE, ROLL
from rocketmq_tw.store.timer.log import BlockMissing, TimerLog
from rocketmq_tw.store.timer.timers import Chain
from rocketmq_tw.wire.record import Checked, check

#: Records of the timer's log, and messages, that are handled in one step: some 0.5 ms,
#: or 1.5 ms if no message is usual.
LINKS_AT_ONCE, MESSAGES_AT_ONCE = 1000, 128
#: Messages of a slot that are looked at in one step for what cancels others.
FLAGS_AT_ONCE = 10_000
#: Bytes of messages that are read and stored in one step; one may be larger.
BYTES_AT_ONCE = 256 << 10
#: Flags of messages that cancel others, and do not roll.
_RECALLS = [each for each in range(256) if each & DELETE and not each & ROLL]


class SlotReader:
    """Reads slots of a timer's ``log``, and their messages in ``store``."""

    def __init__(self, store: IMessageStore, log: TimerLog) -> None:
        self._store = store
        self._log = log

    def prepare(self, chain: Chain) -> Steps[Recalled]:
        """Follow a chain; return what is recalled."""
        while True:
            try:
                if chain.follow(self._log, LINKS_AT_ONCE):
                    break
                yield None
            except BlockMissing as missing:
                waiting = self._log.load(missing.position)
                if waiting is not None:
                    yield waiting
        recalled = Recalled(_recalls(chain))
        begin = 0
        while begin < len(chain):
            some, begin = _next_cancelling(chain, begin)
            records = (yield from self.read(chain, some)) if some else []
            for record in records:
                _add_recalled(record, recalled)
            yield None
        return recalled

    def read(self, chain: Chain, indexes: Sequence[int]) -> Steps[list[bytes | None]]:
        """Read the records of messages in a chain."""
        found = yield from result_of(
            self._store.records_at(
                [chain.offsets[index] for index in indexes],
                [chain.sizes[index] for index in indexes],
            )
        )
        records: list[bytes | None] = found
        return records


def begin_of_step(chain: Chain, end: int) -> int:
    """Return the first of the messages before an index that are one step's."""
    start, left = end - 1, BYTES_AT_ONCE - chain.sizes[end - 1]
    while start > max(0, end - MESSAGES_AT_ONCE):
        left -= chain.sizes[start - 1]
        if left < 0:
            break
        start -= 1
    return start


def is_recall(flags: int) -> bool:
    """Return whether a message only cancels another."""
    return bool(flags & DELETE) and not flags & ROLL


def _add_recalled(record: bytes | None, recalled: Recalled) -> None:
    """Note which message a record recalls."""
    facts = None if record is None else check(record, 0, len(record), False)
    if not isinstance(facts, Checked):
        return
    try:
        target = target_of(facts)
    except Unusable:
        return
    recalled.add(target.topic, target.cancels or "")


def _recalls(chain: Chain) -> int:
    """Return how many messages of a slot cancel others."""
    flags = chain.flags.tobytes()
    return sum(flags.count(each) for each in _RECALLS)


def _next_cancelling(chain: Chain, begin: int) -> tuple[list[int], int]:
    """
    Return those of one step, from an index on, that cancel others.

    :returns: their indexes, and the first index that was not looked at.
    """
    found: list[int] = []
    end, left = min(begin + FLAGS_AT_ONCE, len(chain)), BYTES_AT_ONCE
    for index, flags in enumerate(chain.flags[begin:end], begin):
        if not is_recall(flags):
            continue
        left -= chain.sizes[index]
        if found and (left < 0 or len(found) == MESSAGES_AT_ONCE):
            return found, index
        found.append(index)
    return found, end
