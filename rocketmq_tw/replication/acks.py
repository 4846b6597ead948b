"""
Sends that wait for slaves.

A send to a SYNC_MASTER is acknowledged when so many slaves have reported an offset
behind its record; with SYNC_FLUSH the record must be on the master's own disk too. Both
are offsets of one log, so whoever waits is released up to the smaller one, once for
each report or fsync, however many messages that covers.

=============================================  ========================
what is missing at the end of its time         response
=============================================  ========================
slaves, after ``slaveTimeout``                 ``FLUSH_SLAVE_TIMEOUT``
slaves, and too few follow                     ``SLAVE_NOT_AVAILABLE``
the fsync, after ``syncFlushTimeout``          ``FLUSH_DISK_TIMEOUT``
=============================================  ========================

The message is stored in all these cases.

Source: ``GroupTransferService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.replication.master import MasterService
from rocketmq_tw.store.interfaces import FlushWaiter
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

    :param needed: how many slaves must have a message.
    :param slave_timeout: seconds to wait for them; ``flush_timeout`` for the disk.
    """

    _log = Logger()

    # flushed is None where no fsync is waited for. Everybody in _waiting waits for an
    # offset above the smaller one of flushed and replicated.

    def __init__(
        self,
        *,
        master: MasterService,
        log: FlushedLog,
        clock: IReactorTime,
        needed: int,
        slave_timeout: float,
        flush_timeout: float,
    ) -> None:
        self._master = master
        self._own_log = log
        self._clock = clock
        self._needed = needed
        self._slave_timeout = slave_timeout
        self._flush_timeout = flush_timeout
        self._waiting: dict[SendWaiter, None] = {}
        self._flushed: int | None = None
        self._replicated = -1
        self._timer: IDelayedCall | None = None
        self._as_flush_waiter = _OwnFlush(self)
        master.on_ack = self.acked

    def __len__(self) -> int:
        return len(self._waiting)

    def now(self) -> float:
        """Return the time, in seconds."""
        return self._clock.seconds()

    def await_flush(self, waiter: SendWaiter, end: int) -> bool:
        """
        Call ``waiter`` when the log is safe up to ``end``, which never decreases.

        :returns: False if it is.
        :raises StoreNotWriteable: the disk failed before.
        """
        waits_for_disk = self._own_log.await_flush(self._as_flush_waiter, end)
        if waits_for_disk:
            self._flushed = -1 if self._flushed is None else self._flushed
        else:
            self._flushed = None
        if not waits_for_disk and end <= self._replicated:
            return False
        self._waiting[waiter] = None
        if self._timer is None:
            wait = min(self._slave_timeout, self._flush_timeout)
            self._timer = self._clock.callLater(wait, self._expire)
        self._master.send_now()
        return True

    def acked(self) -> None:
        """Release those whose messages enough slaves have."""
        replicated = self._master.acked_by(self._needed)
        if replicated > self._replicated:
            self._replicated = replicated
            self._release()

    def flushed(self, end: int) -> bool:
        """Release those whose messages are on disk too."""
        self._flushed = end
        self._release()
        return bool(self._waiting)

    def failed(self, error: Exception) -> None:
        """Fail all: their messages may be lost."""
        waiting, self._waiting = self._waiting, {}
        self._stop_timer()
        for waiter in waiting:
            self._notify(lambda each: each.failed(error), waiter)

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

    def _expire(self) -> None:
        """Release what has waited too long, and wait for the next deadline."""
        self._timer = None
        now = self._clock.seconds()
        is_available = self._master.in_sync >= self._needed
        late = (
            ResponseCode.FLUSH_SLAVE_TIMEOUT
            if is_available
            else ResponseCode.SLAVE_NOT_AVAILABLE
        )

        def code_for(end: int, since: float) -> ResponseCode | None:
            if end > self._replicated:
                return late if since <= now - self._slave_timeout else None
            is_late = since <= now - self._flush_timeout
            return ResponseCode.FLUSH_DISK_TIMEOUT if is_late else None

        waiting, self._waiting = self._waiting, {}
        oldest = []
        for waiter in waiting:
            since = self._notify(lambda each: each.expire(code_for), waiter)
            if since is not None:
                self._waiting[waiter] = None
                oldest.append(since)
        if oldest and self._timer is None:
            wait = min(oldest) + min(self._slave_timeout, self._flush_timeout) - now
            self._timer = self._clock.callLater(max(wait, 0.01), self._expire)

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
