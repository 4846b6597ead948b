"""
How long the requests of all connections may keep the reactor in one iteration.

A read brings up to 64 KiB, which may be hundreds of requests that are each legal and
not cheap. All of them at a stretch, of every connection that is ready, would stop the
others for seconds. So a connection handles what it has read for :data:`SLICE` at most,
and all of them together for :data:`LIMIT`; what is left waits for the next iteration,
and takes turns with what other connections have left. The first request of a read is
handled at once where those before it were cheap: who has one in flight does not wait
for those with many.

The time that was spent is set back by the first iteration after it was too much, not in
each iteration: as long as requests are cheap this costs nothing but two additions.

Source: none; Apache RocketMQ has a pool of threads for each kind of request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.remoting.joint_writes import JointWrites

#: Seconds in which one connection handles requests without a break.
SLICE = 0.005
#: Seconds in which all connections together do.
LIMIT = 0.015
#: Seconds; a read that took longer was costly, or another process had the processor.
COSTLY = 0.001
#: After so many costly reads in a row a connection waits for its turn.
COSTLY_READS = 2


class ReactorShare:
    """
    The time of the reactor that connections share.

    :ivar spent: seconds, since it was set back.
    :ivar joint_writes: writes what several of them are to be sent.
    """

    _log = Logger()

    __slots__ = ("_clock", "_is_scheduled", "_waiting", "joint_writes", "spent")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.spent = 0.0
        self.joint_writes = JointWrites(clock)
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    def deadline(self, now: float) -> float:
        """Return until when requests may be handled, in seconds of the clock."""
        left = LIMIT - self.spent
        return now + (left if left < SLICE else SLICE)

    def spend(self, seconds: float) -> bool:
        """Count what a connection has used; return whether that was costly."""
        self.spent += seconds
        if self.spent >= LIMIT:
            self._schedule()
        return seconds > COSTLY

    def postpone(self, resume: Callable[[], None]) -> None:
        """
        Call a function in another iteration, after those that wait already.

        :param resume: handles what is left, until :meth:`deadline`.
        """
        self._waiting.append(resume)
        self._schedule()

    def postpone_work(self, work: Callable[[], None]) -> None:
        """Like :meth:`postpone`, for work that does not count what it uses."""

        def resume() -> None:
            begin = self._clock.seconds()
            work()
            self.spent += self._clock.seconds() - begin

        self.postpone(resume)

    def _schedule(self) -> None:
        """Look again in the next iteration."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.callLater(0, self._run)

    def _run(self) -> None:
        """Begin to count again; let those continue that wait."""
        self._is_scheduled = False
        self.spent = 0.0
        for _ in range(len(self._waiting)):
            if self.spent >= LIMIT:
                break
            try:
                self._waiting.popleft()()
            except Exception:
                self._log.failure("what was left for this iteration failed")
        if self._waiting:
            self._schedule()
