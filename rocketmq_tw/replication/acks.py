"""
Sends that wait for slaves.

A send to a SYNC_MASTER is acknowledged when so many slaves have reported an offset
behind its record (:mod:`rocketmq_tw.replication.quorum`); with SYNC_FLUSH the record
must be on the master's own disk too. Both are offsets of one log, so whoever waits is
released up to the smaller one, once for each report or fsync, however many messages
that covers.

=================================================  ========================
what is missing when the wait is over              response
=================================================  ========================
slaves, whether they are connected or not          ``FLUSH_SLAVE_TIMEOUT``
the fsync alone                                    ``FLUSH_DISK_TIMEOUT``
both                                               ``FLUSH_SLAVE_TIMEOUT``
=================================================  ========================

The wait for slaves ends after ``slaveTimeout``, the one for the fsync after
``syncFlushTimeout``; the response leaves when both waits are over. The message is
stored in all these cases. What was late, but came before the response left, is not
reported as missing; Apache RocketMQ reports it.

Source: ``GroupTransferService`` and ``CommitLog.handleDiskFlushAndHA`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.replication.master import MasterService
from rocketmq_tw.replication.needs import Needs
from rocketmq_tw.replication.quorum import Quorum
from rocketmq_tw.replication.until_safe import UntilSafe
from rocketmq_tw.wire.codes import ResponseCode

#: Returns the code for a message that ends at an offset and has waited since a time;
#: None lets it wait on.
CodeFor = Callable[[int, float], ResponseCode | None]


class SendWaiter(Protocol):
    """Somebody who waits for a log to be safe, up to one offset or several."""

    def flushed(self, end: int) -> bool:
        """The log is safe up to ``end``; return whether to call again."""

    def expire(self, code_for: CodeFor) -> float | None:
        """
        Stop waiting for what there is a code for.

        :returns: since when the rest has been waited for; None if there is no rest.
        """

    def failed(self, error: Exception) -> None:
        """Stop waiting: nothing gets on disk any more."""


class FlushedLog(Protocol):
    """The master's own log."""

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """Call ``waiter`` when the log is on disk; False if it need not wait."""


class SlaveAcks:
    """
    The log of a SYNC_MASTER, as those who send to it wait for it.

    :param quorum: how many brokers must have a message.
    :param slave_timeout: seconds to wait for slaves; ``flush_timeout`` for the disk.
    :ivar alive: how many brokers of this name the name servers know, itself included;
        counts where the quorum is checked.
    """

    _log = Logger()

    # _flushed is None where no fsync is waited for. Everybody in _waiting waits for an
    # offset above the smaller one of _flushed and _replicated. _is_overdue: one of the
    # two waits of a message is over, and it is reported when the other one is. If the
    # quorum is not checked, all messages need _slaves, and _needs has one part.

    def __init__(
        self,
        *,
        master: MasterService,
        log: FlushedLog,
        clock: IReactorTime,
        quorum: Quorum,
        alive: int = 1,
        slave_timeout: float,
        flush_timeout: float,
    ) -> None:
        self._master = master
        self._own_log = log
        self._clock = clock
        self._quorum = quorum
        self.alive = alive
        self._slave_timeout = slave_timeout
        self._flush_timeout = flush_timeout
        self._is_checked = quorum.is_checked
        self._slaves = quorum.replicas - 1
        self._needs = Needs(self._slaves)
        self._waiting: dict[SendWaiter, None] = {}
        self._flushed: int | None = None
        self._replicated = -1
        self._is_overdue = False
        self._timer: IDelayedCall | None = None
        self._as_flush_waiter = _OwnFlush(self)
        self._until_safe = UntilSafe()
        master.on_ack = self.acked

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def in_sync(self) -> int:
        """How many brokers are in sync, this one included."""
        return min(self.alive, 1 + self._master.in_sync)

    @property
    def has_enough(self) -> bool:
        """Whether messages may be stored."""
        quorum = self._quorum
        return not quorum.is_checked or quorum.is_met(self.in_sync)

    @property
    def is_within_reach(self) -> bool:
        """Whether as many slaves as needed are in sync now."""
        return self._quorum.needed(self.in_sync) <= 1 + self._master.in_sync

    def now(self) -> float:
        """Return the time, in seconds."""
        return self._clock.seconds()

    def await_flush(self, waiter: SendWaiter, end: int) -> bool:
        """
        Call ``waiter`` when the log is safe up to ``end``, which never decreases.

        :returns: False if it is.
        :raises StoreNotWriteable: the disk failed before.
        """
        if self._is_checked:
            self._note_need(end)
        waits_for_disk = self._own_log.await_flush(self._as_flush_waiter, end)
        if waits_for_disk:
            self._flushed = -1 if self._flushed is None else self._flushed
        else:
            self._flushed = None
            if end <= self._replicated or self._slaves <= 0:
                return False
        self._waiting[waiter] = None
        if self._timer is None:
            wait = min(self._slave_timeout, self._flush_timeout)
            self._timer = self._clock.callLater(wait, self._expire)
        self._master.send_now()
        return True

    def when_safe(self, end: int) -> Deferred[ResponseCode | None] | None:
        """
        Return a Deferred for when the log is safe up to ``end``; None if it is.

        :returns: fires with None, or with the code of what is missing.
        """
        if not self.await_flush(self._until_safe, end):
            return None
        return self._until_safe.add(end, self.now())

    def acked(self) -> None:
        """Release those whose messages enough slaves have."""
        acked_by = self._master.acked_by
        checked = self._is_checked
        replicated = self._needs.safe(acked_by) if checked else acked_by(self._slaves)
        if replicated > self._replicated:
            self._replicated = replicated
            self._release()

    def flushed(self, end: int) -> bool:
        """Release those whose messages are on disk too."""
        self._flushed = end
        if self._slaves <= 0:
            self._replicated = max(
                self._replicated, self._needs.safe(self._master.acked_by)
            )
        self._release()
        return bool(self._waiting)

    def failed(self, error: Exception) -> None:
        """Fail all: their messages may be lost."""
        waiting, self._waiting = self._waiting, {}
        self._stop_timer()
        for waiter in waiting:
            self._notify(lambda each: each.failed(error), waiter)

    def stop(self) -> None:
        """Let nobody wait any more: the slaves are disconnected."""
        self._stop_timer()
        late = ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.FLUSH_SLAVE_TIMEOUT
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            self._notify(
                lambda each: each.expire(lambda end, _: late[end > self._replicated]),
                waiter,
            )

    def _note_need(self, end: int) -> None:
        """Note how many slaves the message that ends at ``end`` needs."""
        needs, slaves = self._needs, self._quorum.needed(self.in_sync) - 1
        if slaves != self._slaves:
            self._slaves = slaves
            needs.change(slaves)
            # What slaves had before does not count for a message that needs more.
            safe = needs.safe(self._master.acked_by)
            self._replicated = max(min(self._replicated, needs.end), safe)
        needs.end = max(needs.end, end)

    def _release(self) -> None:
        """Notify everybody of the offset up to which the log is safe."""
        safe = self._replicated
        if self._flushed is not None:
            safe = min(safe, self._flushed)
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if self._notify(lambda each: each.flushed(safe), waiter):
                self._waiting[waiter] = None
        if not self._waiting:
            self._stop_timer()
        elif self._is_overdue:
            self._stop_timer()
            self._expire()

    def _expire(self) -> None:
        """Release what has waited too long, and wait for the next deadline."""
        self._timer = None
        self._is_overdue = False
        now = self._clock.seconds()
        waits = sorted((self._slave_timeout, self._flush_timeout))
        ends: list[int] = []

        def code_for(end: int, since: float) -> ResponseCode | None:
            code = self._code(end, now - since)
            if code is None:
                ends.append(end)
            return code

        waiting, self._waiting = self._waiting, {}
        deadlines = []
        for waiter in waiting:
            since = self._notify(lambda each: each.expire(code_for), waiter)
            if since is not None:
                self._waiting[waiter] = None
                is_overdue = now >= since + waits[0]
                self._is_overdue = self._is_overdue or is_overdue
                deadlines.append(since + waits[is_overdue])
        if deadlines and self._timer is None:
            wait = max(min(deadlines) - now, 0.01)
            self._timer = self._clock.callLater(wait, self._expire)
        if len(self._needs) > 1:
            self._needs.drop_before(min(ends, default=self._needs.end + 1))
            self.acked()

    def _code(self, end: int, waited: float) -> ResponseCode | None:
        """Return the code of a message whose waits are over; None if they are not."""
        is_flushed = self._flushed is None or end <= self._flushed
        if end <= self._replicated:
            is_over = not is_flushed and waited >= self._flush_timeout
            return ResponseCode.FLUSH_DISK_TIMEOUT if is_over else None
        is_over = waited >= self._slave_timeout
        if not is_flushed:
            is_over = is_over and waited >= self._flush_timeout
        return ResponseCode.FLUSH_SLAVE_TIMEOUT if is_over else None

    def _notify(
        self, call: Callable[[SendWaiter], float | None], waiter: SendWaiter
    ) -> float | None:
        try:
            return call(waiter)
        except Exception:
            self._log.failure("a sender was not notified")
            return None

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class _OwnFlush:
    """Waits for the fsync of the master's own log, on behalf of all."""

    def __init__(self, acks: SlaveAcks) -> None:
        self._acks = acks

    def flushed(self, end: int) -> bool:
        """The log is on disk up to ``end``."""
        return self._acks.flushed(end)

    def expired(self, before: float) -> float | None:
        """Wait on: those who wait have deadlines of their own."""
        return self._acks.now() if len(self._acks) else None

    def failed(self, error: Exception) -> None:
        """Nothing gets on disk any more."""
        self._acks.failed(error)
