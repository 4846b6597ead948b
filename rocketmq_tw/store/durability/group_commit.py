"""
Group commit: the senders that wait until the commit log is on disk.

While one fsync runs, the next group gathers. When it ends, every waiter whose records
it covers is released.

Source: ``CommitLog.GroupCommitService`` and ``FlushDiskWatcher`` of RocketMQ 5.
"""

from collections import deque

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.store.interfaces import FlushOutcome


class _Waiter(msgspec.Struct):
    """Waits until the log is on disk up to ``end``, or until ``deadline``."""

    end: int
    deadline: float
    done: "Deferred[FlushOutcome]"


class FlushWaiters:
    """
    The waiters, in the order of their commit log offsets.

    Offsets and deadlines increase together, so only the first waiters are examined and
    one timer serves all.
    """

    def __init__(self, clock: IReactorTime, timeout: float) -> None:
        """:param timeout: the longest time to wait, in seconds."""
        self._clock = clock
        self._timeout = timeout
        self._waiting: deque[_Waiter] = deque()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, end: int) -> "Deferred[FlushOutcome]":
        """Return a Deferred for the log up to ``end``, which never decreases between
        calls.
        """
        done: Deferred[FlushOutcome] = Deferred()
        deadline = self._clock.seconds() + self._timeout
        self._waiting.append(_Waiter(end, deadline, done))
        if self._timer is None:
            self._timer = self._clock.callLater(self._timeout, self._expire)
        return done

    def reached(self, flushed: int) -> None:
        """Release the waiters whose records are on disk now."""
        due = []
        waiting = self._waiting
        while waiting and waiting[0].end <= flushed:
            due.append(waiting.popleft().done)
        _fire(due, FlushOutcome.ON_DISK)

    def fail(self, error: Exception) -> None:
        """Fail all waiters: their messages may be lost."""
        waiting, self._waiting = self._waiting, deque()
        self.stop()
        for each in waiting:
            if not each.done.called:
                each.done.errback(error)

    def stop(self) -> None:
        """Stop the timer of the deadlines."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _expire(self) -> None:
        """
        Release the waiters past their deadline, and set the timer for the next one.
        """
        self._timer = None
        now = self._clock.seconds()
        due = []
        waiting = self._waiting
        while waiting and waiting[0].deadline <= now:
            due.append(waiting.popleft().done)
        if waiting:
            wait = waiting[0].deadline - now
            self._timer = self._clock.callLater(wait, self._expire)
        _fire(due, FlushOutcome.TIMED_OUT)


def _fire(due: "list[Deferred[FlushOutcome]]", outcome: FlushOutcome) -> None:
    """Fire the Deferreds that were not cancelled."""
    for done in due:
        if not done.called:
            done.callback(outcome)
