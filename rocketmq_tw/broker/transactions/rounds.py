"""
When a producer is asked how a transaction ended, and how often it was. No I/O.

A *round* asks about all half messages that are old enough, in the order of their queue.
So how often one was asked about follows from the rounds that passed it, which is one
entry for each round instead of one for each half message. Apache RocketMQ stores each
half message once more in every round, with a higher count; here it stays where it is.

Source: ``TransactionalMessageServiceImpl.check`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum

import msgspec

from rocketmq_tw.model.message import (
    CHECK_IMMUNITY_TIME_IN_SECONDS,
    TRANSACTION_CHECK_TIMES,
)

#: So many rounds are remembered.
REMEMBERED = 1000
_HOUR_MS = 3_600_000
#: The immunity of a message that has none of its own, as Apache RocketMQ reads it.
_NONE = -1


class Due(Enum):
    """What a round does about a half message."""

    #: It is too young, and all behind it are younger: the round ends.
    YOUNG = "young"
    #: It is too young by its own property; others may not be.
    IMMUNE = "immune"
    ASK = "ask"
    GIVE_UP = "give up"


class CheckLimits(msgspec.Struct, frozen=True):
    """
    The settings of rounds.

    :ivar timeout_ms: how old a half message has to be.
    :ivar most: how often its producers are asked.
    :ivar oldest_ms: an older one is given up.
    """

    timeout_ms: int
    most: int
    oldest_ms: int

    @classmethod
    def of(cls, timeout_ms: int, most: int, reserved_hours: int) -> CheckLimits:
        """Return the limits; a half message is kept as long as any message."""
        return cls(timeout_ms, most, reserved_hours * _HOUR_MS)

    def immunity_ms(self, properties: Mapping[str, str]) -> int | None:
        """Return the age from which a half message is asked about; None: the usual."""
        text = properties.get(CHECK_IMMUNITY_TIME_IN_SECONDS)
        if text is None:
            return None
        seconds = _number(text, _NONE)
        return self.timeout_ms if seconds == _NONE else seconds * 1000

    def due(self, age_ms: int, immunity_ms: int | None, times: int) -> Due:
        """
        Return what to do about a half message.

        :param age_ms: below zero if the clock was set back; it is asked about then.
        :param immunity_ms: by :meth:`immunity_ms`.
        :param times: how often it was asked about.
        """
        if times >= self.most or age_ms > self.oldest_ms:
            return Due.GIVE_UP
        if immunity_ms is not None:
            return Due.IMMUNE if age_ms <= immunity_ms else Due.ASK
        return Due.YOUNG if 0 <= age_ms <= self.timeout_ms else Due.ASK


def times_before(properties: Mapping[str, str]) -> int:
    """Return how often another broker has asked about a half message."""
    return max(0, _number(properties.get(TRANSACTION_CHECK_TIMES, ""), 0))


def _number(text: str, default: int) -> int:
    """Parse a property; the default if it is not a number, or has over 15 digits."""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 15
    return int(text) if is_number else default


class Round(msgspec.Struct, frozen=True, gc=False):
    """
    A round: when it began, and which queue offsets it passed.

    :ivar end: the queue offset behind the last one.
    """

    began_ms: int
    first: int
    end: int


class Rounds:
    """The rounds that have passed a half message which is pending."""

    def __init__(self) -> None:
        self._rounds: deque[Round] = deque(maxlen=REMEMBERED)

    def __len__(self) -> int:
        return len(self._rounds)

    def add(self, done: Round) -> None:
        """Remember a round that is over."""
        if done.end > done.first:
            self._rounds.append(done)

    def times(self, offset: int, due_ms: int) -> int:
        """
        Return how often a half message was asked about.

        :param due_ms: the time of day from which it was old enough.
        """
        return sum(
            each.first <= offset < each.end and each.began_ms > due_ms
            for each in self._rounds
        )

    def forget_before(self, pending: int) -> None:
        """Forget the rounds that have passed only what is decided."""
        while self._rounds and self._rounds[0].end <= pending:
            self._rounds.popleft()
