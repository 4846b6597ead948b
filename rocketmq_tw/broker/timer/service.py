"""
Delivers timed messages.

Messages come from the timer's queue. They are linked into the slots of a wheel
(:mod:`rocketmq_tw.store.timer`), and slots are emptied when their time has passed. All
that is done in steps of a millisecond, and among other work
(:mod:`rocketmq_tw.remoting.pacing`). It costs the same whether a hundred messages wait
or a million.

Nothing runs, and there are no files, until the first timed message comes.

Source: ``TimerMessageStore`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.timer.empties import Empties
from rocketmq_tw.broker.timer.linking import Linking
from rocketmq_tw.broker.timer.opening import Opened, Opening
from rocketmq_tw.broker.timer.progress import Progress
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.store.timer.timers import Chain, Timers

#: Seconds until what was stored just now is linked.
LINK_DELAY = 0.01
#: Seconds until another try, while the store accepts nothing.
BACKOFF = 0.2
#: Seconds between two lines of the log about that.
_REPORT_PERIOD = 10.0
#: Empty slots that are passed in one step: some 1 ms.
_SLOTS_AT_ONCE = 2000
#: Seconds; added so that a slot is not looked at just before its time has passed.
_MARGIN = 0.001


class TimerService:
    """
    The loop.

    :param may_empty: whether slots may be emptied now, which then is not done before
        all messages are linked; None empties them always.
    :ivar timers: the messages that wait; None until there was one.
    """

    _log = Logger()

    # While it runs, either a pass is scheduled, or one is being done, or it is asleep
    # because there was no timed message yet. Only a pass changes timers.

    def __init__(
        self,
        *,
        opening: Opening,
        linking: Linking,
        emptying: Empties,
        progress: Progress,
        pacer: Pacer,
        clock: IReactorTime,
        may_empty: Callable[[], bool] | None = None,
        backoff: float = BACKOFF,
    ) -> None:
        self._opening = opening
        self._linking = linking
        self._emptying = emptying
        self._progress = progress
        self._pacer = pacer
        self._clock = clock
        self._may_empty = may_empty
        self._backoff = backoff
        self._wall_time = wall_time(clock)
        self.timers: Timers | None = None
        self._chain: Chain | None = None
        self._recalled: Recalled | None = None
        self._scheduled: IDelayedCall | None = None
        self._is_woken = False
        self._is_passing = False
        self._is_running = False
        self._stopping: Deferred[None] | None = None
        self._reported = 0.0
        self._idle_wait: float | None = None

    def open(self) -> Deferred[Any] | None:
        """
        Open what is there from before.

        :raises StoreUnreadable: it cannot be used; so fails the Deferred.
        """
        if not self._opening.is_needed():
            return None
        steps = self._open(is_start=True)
        opened = self._pacer.run(steps, None, key=self)
        return opened if isinstance(opened, Deferred) else None

    def start(self) -> None:
        """Start to link and to deliver."""
        self._is_running = True
        self._schedule(LINK_DELAY)

    def stop(self) -> Deferred[None]:
        """Stop; fires when the step that is being done is complete."""
        self._is_running = False
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        if not self._is_passing:
            return succeed(None)
        self._stopping = Deferred()
        return self._stopping

    def wake(self) -> None:
        """Link what is stored just now, soon."""
        if self._is_running and not self._is_woken and not self._is_passing:
            self._schedule(LINK_DELAY)
            self._is_woken = True
            # With SYNC_FLUSH it can be read after the next fsync.
            self._idle_wait = BACKOFF

    @property
    def is_in_slot(self) -> bool:
        """Whether some messages of a slot may be delivered, and others not."""
        return self._chain is not None

    def is_full(self, slot_ms: int, limit: int) -> bool:
        """Return whether so many messages, and recalls, are due in a slot."""
        timers = self.timers
        if timers is None or timers.fullest < limit:
            return False
        slot = timers.wheel.get(slot_ms)
        return slot is not None and max(slot.count, slot.total) >= limit

    def _schedule(self, wait: float) -> None:
        """Begin the next pass in so many seconds."""
        if self._scheduled is not None:
            self._scheduled.cancel()
        self._scheduled = self._clock.callLater(wait, self._begin)

    def _begin(self) -> None:
        """Begin a pass."""
        self._scheduled = None
        self._is_woken = False
        self._is_passing = True
        done: Any = None
        try:
            done = self._pacer.run(self._pass(), None, key=self)
        except Exception:
            self._failed(Failure())
        if isinstance(done, Deferred):
            done.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        """Try again later."""
        if self._is_running:
            self._schedule(self._backoff)
        now = self._clock.seconds()
        if now < self._reported + _REPORT_PERIOD:
            return
        self._reported = now
        if failure.check(RocketMQError, OSError):
            why = failure.getErrorMessage()
            self._log.error("timed messages are not delivered now: {why}", why=why)
        else:
            self._log.failure("timed messages are not delivered now", failure)

    def _pass(self) -> Steps[None]:
        """Do what is to be done now, then sleep until the next slot."""
        wait: float | None = None
        try:
            wait = yield from self._work()
        finally:
            self._is_passing = False
            if self._stopping is not None:
                stopping, self._stopping = self._stopping, None
                stopping.callback(None)
        if wait is not None and self._is_running:
            self._schedule(wait)

    def _work(self) -> Steps[float | None]:
        """Link and deliver; return how long there is nothing to do."""
        if self.timers is None:
            if not self._linking.has_more():
                return self._idle_wait
            yield from self._open()
        timers = self.timers
        assert timers is not None
        while self._is_running:
            write_ms = timers.write_time(self._now_ms())
            is_linking = timers.may_link(write_ms) and self._linking.has_more()
            if is_linking:
                is_linking = yield from self._linking.link_some(timers)
            is_emptying = False
            if self._may_empty is None or not is_linking and self._may_empty():
                is_emptying = yield from self._empty_some(timers, write_ms)
            if not is_linking and not is_emptying:
                break
            yield None
        now_ms = self._now_ms()
        next_ms = timers.placement.write_time(now_ms) + timers.placement.precision_ms
        return (next_ms - now_ms) / 1000 + _MARGIN

    def _open(self, is_start: bool = False) -> Steps[None]:
        """Open the files."""
        opened: Opened = yield from self._opening.run(self._now_ms(), is_start)
        self._linking.begin(opened)
        self._progress.begin(opened)
        opened.timers.begin()
        # Until now nothing was changed that the last check point does not say.
        yield self._progress.write()
        self.timers = opened.timers

    def _empty_some(self, timers: Timers, write_ms: int) -> Steps[bool]:
        """Deliver some messages of a slot; return whether there may be more."""
        if self._chain is None:
            chain = timers.next_chain(write_ms, _SLOTS_AT_ONCE)
            if chain is None:
                return timers.read_ms < write_ms
            self._progress.slot_begins()
            self._chain, self._recalled = chain, None
        chain = self._chain
        if self._recalled is None:
            self._recalled = yield from self._emptying.prepare(chain)
        if len(chain):
            yield from self._emptying.deliver(chain, len(chain), self._recalled)
        if not len(chain):
            timers.done(chain)
            self._chain = self._recalled = None
            self._progress.slot_ends()
        return True

    def _now_ms(self) -> int:
        return int(self._wall_time() * 1000)
