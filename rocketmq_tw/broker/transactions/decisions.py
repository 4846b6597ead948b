"""
What was decided on each half message: the machine behind transactions. It does no I/O.

A half message is *pending* until its producer has decided, or until it was asked often
enough::

    pending --commit----> committed
       |   --roll back--> rolled back
       |   --asked in vain, or too old--> given up --commit--> committed
       +---an operation message, read at the start--> ended
       +---far behind the others--> moved: a copy of it is pending

Half messages are in one queue, so a decision is a byte in a row of bytes: a million of
them take a megabyte. The row begins some way before the first that is pending, which
:attr:`Decisions.start` is the queue offset of. A broker of Apache RocketMQ goes on from
there, and from the operation messages behind it; so does this one after a restart
(:mod:`rocketmq_tw.broker.transactions.journal`).

Source: ``TransactionalMessageServiceImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import IntEnum

#: How many decisions before the first pending half message are remembered, so that a
#: request that is repeated is not carried out again.
HISTORY = 65_536


class Decision(IntEnum):
    """What was decided."""

    #: Nothing so far.
    PENDING = 0
    COMMITTED = 1
    ROLLED_BACK = 2
    #: Something, before this broker was started.
    ENDED = 3
    #: Its producers were asked in vain, or it is not stored any more.
    GIVEN_UP = 4
    #: Nothing so far on its copy, which was stored because it was far behind.
    MOVED = 5


_PENDING = bytes([Decision.PENDING])


class Decisions:
    """
    The decisions on half messages, by queue offset.

    :param start: the queue offset of the first half message that may be pending.
    :param history: how many before it are remembered.
    """

    # The row has the decisions from _base on; behind its end all are pending.
    # _base <= _start <= _base + len(_row); what is before _start is not pending, and
    # _start is, or it is the end of the row. _ahead is how many in the row behind
    # _start are not pending.

    def __init__(self, start: int, history: int = HISTORY) -> None:
        self._history = history
        self._row = bytearray()
        self._base = self._start = start
        self._ahead = 0

    @property
    def start(self) -> int:
        """The queue offset of the first that is pending, or the next one stored."""
        return self._start

    def pending(self, end: int) -> int:
        """Return how many are pending; ``end`` is that of the queue."""
        return max(0, end - self._start - self._ahead)

    def of(self, offset: int) -> Decision | None:
        """Return what was decided; None if that is not remembered."""
        at = offset - self._base
        if at < 0:
            return None
        return Decision(self._row[at]) if at < len(self._row) else Decision.PENDING

    def is_pending(self, offset: int) -> bool:
        """Whether nothing was decided; quicker than :meth:`of`."""
        at = offset - self._base
        return at >= 0 and (at >= len(self._row) or not self._row[at])

    def decide(self, offset: int, decision: Decision) -> None:
        """
        Record a decision.

        :param offset: before the end of the queue, which bounds what this keeps.
        :param decision: not ``PENDING``.
        """
        at = offset - self._base
        if at < 0:
            return
        row = self._row
        if at >= len(row):
            row.extend(bytes(at + 1 - len(row)))
        if not row[at]:
            self._ahead += 1
        row[at] = decision
        if offset == self._start:
            self._advance()

    def skip_to(self, offset: int, decision: Decision = Decision.GIVEN_UP) -> None:
        """
        Decide what is pending before an offset.

        :param decision: by default it is given up, as it is not stored any more.
        """
        if offset <= self._start:
            return
        row, first, end = self._row, self._start - self._base, offset - self._base
        if end >= len(row):
            self._row, self._ahead = bytearray(), 0
            self._base = self._start = offset
            return
        skipped = row[first:end]
        self._ahead += skipped.count(_PENDING)
        row[first:end] = skipped.replace(_PENDING, bytes([decision]))
        self._advance()

    def next_pending(self, offset: int, end: int) -> int | None:
        """Return the first one from an offset on that is pending; None if none is."""
        offset = max(offset, self._start)
        if offset >= end:
            return None
        row_end = self._base + len(self._row)
        if offset < row_end:
            at = self._row.find(Decision.PENDING, offset - self._base)
            offset = row_end if at < 0 else self._base + at
        return offset if offset < end else None

    def _advance(self) -> None:
        """Move the start to the next one that is pending."""
        row, base = self._row, self._base
        at = row.find(Decision.PENDING, self._start - base)
        start = base + (len(row) if at < 0 else at)
        self._ahead -= start - self._start
        self._start = start
        surplus = start - base - self._history
        if surplus > self._history:
            del row[:surplus]
            self._base += surplus
