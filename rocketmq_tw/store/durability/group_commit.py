"""
Group commit: who waits until the commit log is on disk.

While one fsync runs, the next group gathers; when it ends, all whom it covers are
released at once.

Source: ``CommitLog.GroupCommitService`` and ``FlushDiskWatcher`` of RocketMQ 5.
"""

from collections import deque

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.store.interfaces import FlushOutcome


class _Waiter(msgspec.Struct):
    """One that waits: until the log is on disk up to ``end``, or ``deadline``."""

    end: int
    deadline: float
    done: "Deferred[FlushOutcome]"


class FlushWaiters:
    """
    Those who wait, in the order of the log.

    Offsets and deadlines rise together, so both are looked at from the front only, and
    one timer serves all.
    """

    def __init__(self, clock: IReactorTime, timeout: float) -> None:
        """Let nobody wait longer than ``timeout`` seconds."""
        self._clock = clock
        self._timeout = timeout
        self._waiting: deque[_Waiter] = deque()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, end: int) -> "Deferred[FlushOutcome]":
        """Wait for the log up to ``end``, which is no less than at the last call."""
        done: Deferred[FlushOutcome] = Deferred()
        deadline = self._clock.seconds() + self._timeout
        self._waiting.append(_Waiter(end, deadline, done))
        if self._timer is None:
            self._timer = self._clock.callLater(self._timeout, self._expire)
        return done

    def reached(self, flushed: int) -> None:
        """Release those whose messages are on disk."""
        due = []
        waiting = self._waiting
        while waiting and waiting[0].end <= flushed:
            due.append(waiting.popleft().done)
        _fire(due, FlushOutcome.ON_DISK)

    def fail(self, error: Exception) -> None:
        """Fail all who wait: their messages may be lost."""
        waiting, self._waiting = self._waiting, deque()
        self.stop()
        for each in waiting:
            if not each.done.called:
                each.done.errback(error)

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _expire(self) -> None:
        """Release those whose time is up, and look again when the next one's is."""
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
    """Fire those that were not cancelled."""
    for done in due:
        if not done.called:
            done.callback(outcome)
