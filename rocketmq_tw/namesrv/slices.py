"""
Does long work in steps, one in each reactor iteration, whoever asked for it.

A registration may have 50,000 topics. If every peer's work had a step of its own in
each iteration, many peers together could still stop the others.

Work with the same key is done in order: the registrations of one broker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.model.errors import RocketMQError

#: How much may wait, in bytes of requests.
MAX_WAITING = 64 << 20


class TooMuchWork(RocketMQError):
    """As much work waits as is allowed; the peer should try again."""

    def __str__(self) -> str:
        return "the name server is busy with other requests; try again"


class _Work(msgspec.Struct):
    """Work that is not finished; ``size`` counts in :data:`MAX_WAITING`."""

    steps: Iterator[None]
    size: int
    done: Deferred[None]


class Slices:
    """
    The work that is not finished.

    :param clock: runs the steps.
    :ivar waiting: bytes of the requests that wait.
    """

    def __init__(self, clock: IReactorTime, max_waiting: int = MAX_WAITING) -> None:
        self._clock = clock
        self._max_waiting = max_waiting
        self.waiting = 0
        # Of each key the first is being done; keys take turns.
        self._work: dict[str, deque[_Work]] = {}
        self._turns: deque[str] = deque()

    def run(
        self, key: str, steps: Iterator[None], size: int = 0
    ) -> Deferred[None] | None:
        """
        Do the first step now and the others later, unless the key has other work.

        :returns: fires when all is done, or fails; None if all is done already.
        :raises TooMuchWork: the work is not done.
        """
        if key not in self._work and not _has_more(steps):
            return None
        if self.waiting + size > self._max_waiting:
            raise TooMuchWork
        work = _Work(steps, size, Deferred())
        self.waiting += size
        if key in self._work:
            self._work[key].append(work)
            return work.done
        self._work[key] = deque((work,))
        self._turns.append(key)
        if len(self._turns) == 1:
            self._clock.callLater(0, self._step)
        return work.done

    def is_busy(self, key: str) -> bool:
        """Whether the key has work that is not finished."""
        return key in self._work

    def _step(self) -> None:
        """Do one step of one key."""
        key = self._turns.popleft()
        queue = self._work[key]
        work = queue[0]
        error: Exception | None = None
        try:
            has_more = _has_more(work.steps)
        except Exception as raised:
            has_more, error = False, raised
        if not has_more:
            queue.popleft()
            self.waiting -= work.size
        if queue:
            self._turns.append(key)
        else:
            del self._work[key]
        if self._turns:
            self._clock.callLater(0, self._step)
        if error is not None:
            work.done.errback(error)
        elif not has_more:
            work.done.callback(None)


def _has_more(steps: Iterator[None]) -> bool:
    """Do a step; return whether there are more."""
    try:
        next(steps)
    except StopIteration:
        return False
    return True
