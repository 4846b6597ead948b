"""
How far messages are linked and delivered, written every second.

The check point must not say more than the disk has: the commit log is flushed first,
then the timer's log and wheel, then the check point. If only the time went on, it is
written without that.

Source: ``TimerMessageStore.TimerFlushService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.linking import Linking
from rocketmq_tw.broker.timer.opening import Opened
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.checkpoint import OwnCheck
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.store.timer.timers import Timers
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint

#: Milliseconds by which the clock of a slave may be ahead of the master's.
MAX_AHEAD_MS = 10_000


class Progress:
    """Writes the check point."""

    _log = Logger()

    # _slot_from is set while a slot is being emptied. What is delivered of it is
    # behind that commit log offset.

    def __init__(
        self,
        *,
        files: TimerFiles,
        store: IMessageStore,
        linking: Linking,
        deliveries: Deliveries,
        wall_time: Callable[[], float],
    ) -> None:
        self._files = files
        self._store = store
        self._linking = linking
        self._deliveries = deliveries
        self._wall_time = wall_time
        self._timers: Timers | None = None
        self._version = DataVersion()
        self._slot_from: int | None = None
        self._deliveries_until_ms = self._deliveries_until = 0
        self._flushed: tuple[int, ...] = ()
        self._lock = DeferredLock()

    def begin(self, opened: Opened) -> None:
        """Begin with what was opened."""
        self._timers = opened.timers
        self._version = opened.version
        # The clock may have been set back since the last of them was delivered.
        latest = max(int(self._wall_time() * 1000), self._deliveries.until_ms)
        self._deliveries_until_ms = opened.timers.placement.write_time(latest)
        self._deliveries_until = self._store.max_offset(TIMER_TOPIC, 0)

    def slot_begins(self) -> None:
        """A slot is being emptied from now on."""
        self._slot_from = self._store.commit_log_max

    def slot_ends(self) -> None:
        """All messages of the slot are delivered."""
        self._slot_from = None

    def check_point(self) -> TimerCheckPoint:
        """Return how far messages are delivered now, for slaves."""
        timers, linked = self._timers, self._linking.queue_offset
        if timers is None:
            now_ms = int(self._wall_time()) * 1000
            return TimerCheckPoint(last_read_ms=now_ms, version=self._version)
        return TimerCheckPoint(
            last_read_ms=timers.read_ms,
            log_position=timers.log.end,
            queue_offset=linked,
            master_queue_offset=linked,
            version=self._version,
        )

    async def take_over(self, found: TimerCheckPoint) -> None:
        """
        Take over how far a slave that acted for this master has sent messages.

        Nothing of that is delivered here, also after another start.
        """
        timers = self._timers
        if timers is None or found.last_read_ms <= timers.read_ms:
            return
        if not self._version.is_older_than(found.version):
            return
        now_ms = int(self._wall_time() * 1000)
        if found.last_read_ms > now_ms + MAX_AHEAD_MS:
            self._log.warn(
                "a slave says that timed messages are sent up to {ahead} ms from now:"
                " its clock is wrong, and that does not count",
                ahead=found.last_read_ms - now_ms,
            )
            return
        self._log.info(
            "timed messages before {offset} in their queue, due up to {until} (ms),"
            " were sent to other masters by a slave",
            offset=found.queue_offset,
            until=found.last_read_ms,
        )
        self._linking.before.extend(found.queue_offset, found.last_read_ms)
        self._version = found.version
        self._flushed = ()
        await self.write()

    def flush(self, is_last: bool = False) -> Deferred[None]:
        """
        Write the check point; a failure is logged.

        :param is_last: nothing will be linked or delivered before the next start.
        """
        return self.write(is_last).addErrback(
            lambda failure: self._log.error(
                "timercheck was not written: {why}", why=failure.getErrorMessage()
            )
        )

    def write(self, is_last: bool = False) -> Deferred[None]:
        """Do as :meth:`flush`, but fail."""
        return self._lock.run(lambda: Deferred.fromCoroutine(self._flush(is_last)))

    async def _flush(self, is_last: bool) -> None:
        timers = self._timers
        if timers is None or not self._files.is_open:
            return
        self._forget_deliveries(timers)
        now_ms = int(self._wall_time() * 1000)
        changes = self._changes(timers)
        if changes != self._flushed:
            self._version = self._version.next(now_ms, self._version.state_version)
        numbers = self.check_point()
        own = OwnCheck(
            precision_ms=timers.placement.precision_ms,
            scan_from=self._scan_from(),
            is_clean=is_last
            and self._slot_from is None
            and self._deliveries.start is None,
            read_again_until=self._linking.before.queue_until,
            due_from_ms=self._linking.before.due_ms,
            passed=tuple(timers.passed),
        )
        if changes == self._flushed and not is_last:
            # Without an fsync: nothing else has changed.
            self._files.check.write(numbers, own)
            return
        await self._store.flush()
        await self._files.flush(numbers, own)
        self._flushed = changes
        await self._remove_old()

    async def _remove_old(self) -> None:
        removing: Any = self._files.remove_old(self._store.commit_log_min)
        if removing is not None:
            await removing

    def _changes(self, timers: Timers) -> tuple[int, ...]:
        """Return what changes whenever a message is linked or delivered."""
        emptying = self._linking.delivered
        return timers.log.end, self._linking.queue_offset, emptying

    def _scan_from(self) -> int:
        """Return where deliveries begin that the check point does not count."""
        start = self._slot_from
        if start is None:
            start = self._store.commit_log_max
        before = self._deliveries.start
        return start if before is None else min(start, before)

    def _forget_deliveries(self, timers: Timers) -> None:
        """Forget what was delivered before the start, once all of that is passed."""
        if self._deliveries.start is None:
            return
        is_passed = timers.read_ms > self._deliveries_until_ms
        if is_passed and self._linking.queue_offset >= self._deliveries_until:
            self._deliveries.forget()
