"""
Which part of the log how many slaves must have.

The number may change from one message to the next
(:mod:`rocketmq_tw.replication.quorum`), and a message keeps the one with which it was
stored. So the log has parts, each with a number::

    | 2 slaves | 1 slave         | 2 slaves
    0          700               1900       end

A part ends where the next one begins. The first is dropped once all of its messages are
safe, or nobody waits for them any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec


class _Part(msgspec.Struct, frozen=True, gc=False):
    """Messages that end behind ``begin`` and need so many slaves."""

    begin: int
    slaves: int


class Needs:
    """
    The parts of the log that somebody may wait for.

    :param slaves: how many must have the messages of the first part.
    :ivar end: where the last message ends.
    """

    # There is one part at least; their beginnings increase.

    def __init__(self, slaves: int) -> None:
        self._parts = deque([_Part(-1, slaves)])
        self.end = -1

    def __len__(self) -> int:
        return len(self._parts)

    def change(self, slaves: int) -> None:
        """Let the messages that follow need so many slaves."""
        last = self._parts[-1]
        if last.begin == self.end:
            self._parts.pop()  # It has no message.
        self._parts.append(_Part(self.end, slaves))

    def safe(self, acked_by: Callable[[int], int]) -> int:
        """
        Return the offset up to which enough slaves have each message.

        :param acked_by: returns the offset up to which so many slaves have the log.
        """
        parts = self._parts
        while True:
            first = parts[0]
            acked = acked_by(first.slaves) if first.slaves > 0 else self.end
            if len(parts) == 1 or acked < parts[1].begin:
                return max(acked, first.begin)
            parts.popleft()

    def drop_before(self, end: int) -> None:
        """Drop the parts for which nobody waits: messages that end before ``end``."""
        parts = self._parts
        while len(parts) > 1 and parts[1].begin < end:
            parts.popleft()
