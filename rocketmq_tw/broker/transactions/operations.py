"""
Operation messages: which half messages are decided, in Apache RocketMQ's form.

The body has the queue offsets of half messages, each followed by a comma; that of
RocketMQ 4 has one, without. It does not say what was decided.

Source: ``TransactionalOpBatchService`` and ``TransactionalMessageUtil`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque

import msgspec

from rocketmq_tw.wire.properties import whole_number

#: The tag of operation messages; what has another is ignored.
TAG = "d"
_SEPARATOR = ","
#: Digits of the largest queue offset.
_DIGITS = 19
#: How many operation messages are remembered as one.
SEGMENT = 256


def offset_text(offset: int) -> str:
    """Return a queue offset as in the body."""
    return f"{offset}{_SEPARATOR}"


def parse(body: bytes) -> list[int]:
    """Return the queue offsets in a body; what is no number is left out."""
    pieces = body.decode("ascii", "replace").split(_SEPARATOR)
    numbers = [whole_number(each.strip(), _DIGITS) for each in pieces]
    return [each for each in numbers if each is not None]


class _Segment(msgspec.Struct):
    """
    Some operation messages that follow one another.

    :ivar first: the queue offset of the first.
    :ivar highest: the highest queue offset of a half message in them.
    """

    first: int
    highest: int


class OperationOffsets:
    """
    Up to where operation messages are needed no more.

    One is needed until all half messages that it names are before the first that is
    pending. So 256 of them, which take an entry here, are needed as long as one of
    them is.

    :param start: the queue offset of the first that may be needed.
    """

    # The segments are in order, and end at _end.

    def __init__(self, start: int) -> None:
        self._segments: deque[_Segment] = deque()
        self._end = start

    def __len__(self) -> int:
        return len(self._segments)

    def add(self, offset: int, highest: int) -> None:
        """
        Remember an operation message.

        :param offset: its queue offset, which grows.
        :param highest: the highest one of a half message in it; -1 for none.
        """
        last = self._segments[-1] if self._segments else None
        if last is None or offset - last.first >= SEGMENT:
            self._segments.append(_Segment(offset, highest))
        else:
            last.highest = max(last.highest, highest)
        self._end = offset + 1

    def done(self, pending: int) -> int:
        """
        Return the queue offset of the first that is needed, or the next one stored.

        :param pending: the queue offset of the first half message that is pending.
        """
        segments = self._segments
        while segments and segments[0].highest < pending:
            segments.popleft()
        return segments[0].first if segments else self._end
