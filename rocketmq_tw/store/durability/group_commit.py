"""
Group commit: the senders that wait until the commit log is on disk.

While one fsync runs, the next group gathers. When it ends, every waiter whose records
it covers is released.

A waiter is usually a connection with all its responses. It is called once for each
fsync, however many of its messages that covers.

Source: ``CommitLog.GroupCommitService`` and ``FlushDiskWatcher`` of RocketMQ 5.
"""

from collections import deque
from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.store.interfaces import FlushOutcome

#: Seconds for which a group may gather after the last fsync.
_LONGEST = 0.005


class Gathering:
    """
    Counts the messages that the next fsync is to cover, and decides when to begin it.

    ``count`` are those stored since the last one began. One sender alone never waits:
    it has only as many messages on their way as the last group had. Nobody waits for
    more than 5 ms, whoever else sends.
    """

    def __init__(self) -> None:
        self.count = 0
        # How many were there when an iteration ended, how many the fsync that runs
        # covers, and how many senders are likely to send to the next group.
        self._seen = 0
        self._flushing = 0
        self._expected = 0
        self._until = 0.0

    def is_complete(self, now: float) -> bool:
        """Return whether to begin; ask once at the end of each reactor iteration."""
        if self.count >= self._expected or self.count == self._seen:
            return True
        if self._seen == 0:
            self._until = now + _LONGEST
        self._seen = self.count
        return now >= self._until

    def begin(self) -> None:
        """The fsync begins: whatever is stored now belongs to the next group."""
        self._flushing, self.count, self._seen = self.count, 0, 0

    def end(self) -> None:
        """The fsync has ended: its senders are about to send again."""
        self._expected = self._flushing + self.count


class FlushWaiters:
    """
    Those who wait for the commit log.

    One timer serves all: each waiter keeps its own times and says when the next is up.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, timeout: float) -> None:
        """:param timeout: the longest time to wait, in seconds."""
        self._clock = clock
        self._timeout = timeout
        # A dictionary keeps their order.
        self._waiting: dict[FlushWaiter, None] = {}
        self._deferreds = WaitingDeferreds()
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiter: FlushWaiter) -> None:
        """Call ``waiter`` from now on, until it waits for nothing any more."""
        self._waiting[waiter] = None
        if self._timer is None:
            self._timer = self._clock.callLater(self._timeout, self._expire)

    def wait(self, end: int) -> "Deferred[FlushOutcome]":
        """Return a Deferred for the log up to ``end``, which never decreases between
        calls.
        """
        self.add(self._deferreds)
        return self._deferreds.add(end, self._clock.seconds())

    def reached(self, flushed: int) -> None:
        """Release those whose records are on disk now."""
        # A waiter that is called may add itself, or others, for later records.
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            try:
                if waiter.flushed(flushed):
                    self._waiting[waiter] = None
            except Exception:
                self._log.failure("a sender was not notified of a flush")

    def fail(self, error: Exception) -> None:
        """Fail all waiters: their messages may be lost."""
        waiting, self._waiting = self._waiting, {}
        self.stop()
        for waiter in waiting:
            try:
                waiter.failed(error)
            except Exception:
                self._log.failure("a sender was not notified of a failed flush")

    def stop(self) -> None:
        """Stop the timer of the deadlines."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _expire(self) -> None:
        """
        Release what has waited too long, and set the timer for the next deadline.
        """
        self._timer = None
        before = self._clock.seconds() - self._timeout
        waiting, self._waiting = self._waiting, {}
        oldest = []
        for waiter in waiting:
            try:
                since = waiter.expired(before)
            except Exception:
                self._log.failure("a sender was not notified of a slow flush")
                continue
            if since is not None:
                self._waiting[waiter] = None
                oldest.append(since)
        if oldest and self._timer is None:
            wait = max(0.0, min(oldest) - before)
            self._timer = self._clock.callLater(wait, self._expire)


class _Waiting(msgspec.Struct):
    """Waits until the log is on disk up to ``end``."""

    end: int
    since: float
    done: "Deferred[FlushOutcome]"


class WaitingDeferreds:
    """A :class:`FlushWaiter` for those who want a Deferred."""

    # In the order of their commit log offsets, which is that of their times.

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()

    def add(self, end: int, now: float) -> "Deferred[FlushOutcome]":
        """Return a Deferred for the log up to ``end``."""
        done: Deferred[FlushOutcome] = Deferred()
        self._waiting.append(_Waiting(end, now, done))
        return done

    def flushed(self, end: int) -> bool:
        """Fire those whose records are on disk now."""
        self._fire(lambda first: first.end <= end, FlushOutcome.ON_DISK)
        return bool(self._waiting)

    def expired(self, before: float) -> float | None:
        """Fire those that have waited since ``before`` or longer."""
        self._fire(lambda first: first.since <= before, FlushOutcome.TIMED_OUT)
        return self._waiting[0].since if self._waiting else None

    def failed(self, error: Exception) -> None:
        """Fail all."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            if not each.done.called:
                each.done.errback(error)

    def _fire(self, is_due: Callable[[_Waiting], bool], outcome: FlushOutcome) -> None:
        """Fire the Deferreds that are due and were not cancelled."""
        due = []
        while self._waiting and is_due(self._waiting[0]):
            due.append(self._waiting.popleft().done)
        for done in due:
            if not done.called:
                done.callback(outcome)
