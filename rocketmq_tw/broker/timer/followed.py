"""
The master's check point of timed messages, kept by a slave.

A slave delivers no timed messages. But it may act for its master, or its folder may
become a master's: then this says which of the messages in the timer's queue are
delivered.

What the master has delivered may not be in the slave's commit log yet. So what is
written is what the master said one copy before, ten seconds ago or more. What it has
delivered since is recognised in the slave's commit log. None is lost.

Source: ``SlaveSynchronize.syncTimerCheckPoint`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.logger import Logger

from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.broker.tables.checks import MAX_LONG, check_range
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.checkpoint import OwnCheck
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint

#: Added to a version with which a slave begins to act: its master may have counted on
#: since that was copied, once a second.
AHEAD = 1_000


async def ask_check_point(ask: Ask) -> TimerCheckPoint | None:
    """
    Ask another broker how far timed messages are delivered.

    :returns: None if it is of release 4.9.
    :raises BadField: it is not usable.
    """
    try:
        body = (await ask(GetTimerCheckPoint())).body
    except BrokerError as error:
        if error.code == ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
            return None
        raise
    found = TimerCheckPoint.decode(body)
    check_range("read time", found.last_read_ms, MAX_LONG)
    check_range("queue offset", found.queue_offset, MAX_LONG)
    return found


class FollowedTimer:
    """
    Copies the check point of a master to the ``files`` of its slave.

    :ivar point: what is written, or was before the start.
    """

    _log = Logger()

    # _latest is what the master said last, and is written after the next copy. Of what
    # it has delivered since, the slave has copies in its log from the end on that it
    # had before, as part of a slot may have been delivered: _ends are the ends when the
    # master was asked the last two times. _scan_from is what is written; None if
    # nothing is, or by Apache RocketMQ.

    def __init__(self, files: TimerFiles, store: IMessageStore) -> None:
        self._files = files
        self._store = store
        self._latest: TimerCheckPoint | None = None
        self._ends: tuple[int, int] | None = None
        self._written: TimerCheckPoint | None = None
        self._scan_from: int | None = None
        self.point = self._before()

    def _before(self) -> TimerCheckPoint:
        """Return what was written before the start."""
        try:
            loaded = self._files.check.load()
        except (StoreUnreadable, OSError) as error:
            self._log.error(
                "it is not known how far timed messages are delivered: {why}",
                why=str(error),
            )
            loaded = None
        if loaded is None:
            return TimerCheckPoint(last_read_ms=0)
        point, own = loaded
        self._scan_from = None if own is None else own.scan_from
        return point

    async def copy(self, ask: Ask) -> None:
        """
        Copy the check point; masters of 4.9 have none.

        :raises BadField: it is not usable.
        """
        # What comes before the response is here is not counted by it.
        end = self._store.commit_log_max
        found = await ask_check_point(ask)
        if found is None:
            return
        # The timer's log is not copied, so there is none to be read.
        found = msgspec.structs.replace(
            found, log_position=0, master_queue_offset=found.queue_offset
        )
        kept, self._latest = self._latest, found
        scan_from, last = self._ends or (self._start(),) * 2
        self._ends = last, end
        if kept is None or kept == self._written or not kept.queue_offset:
            return
        if self._written is None:
            # Of a time as a master: it does not say what was delivered since. Nor does
            # the check point say how far its log is linked.
            self._files.remove_all()
        self._write(kept, scan_from)
        self._written = kept

    def prepare(self, files: TimerFiles) -> TimerCheckPoint:
        """
        Let a wheel be made in files that are loaded, from the check point.

        :returns: how far messages were delivered.
        :raises StoreUnreadable: the check point is damaged.
        """
        loaded = files.check.load()
        if files.has_log and loaded is not None:
            # It acted when it stopped; its master may have delivered messages since.
            point, own = loaded
            if own is not None and own.is_clean:
                own = msgspec.structs.replace(own, is_clean=False)
                files.check.write(point, own)
            return point
        if loaded is not None:
            self.point = loaded[0]
        own = None if loaded is None else loaded[1]
        version = self.point.version
        version = msgspec.structs.replace(version, counter=version.counter + AHEAD)
        point = msgspec.structs.replace(self.point, version=version)
        scan_from = self._start() if own is None else own.scan_from
        files.check.write(point, self._own(scan_from))
        return point

    def adopt(self, point: TimerCheckPoint, scan_from: int) -> None:
        """
        Note how far messages are sent now that the slave acts no more.

        :param scan_from: where its log ended when it began to.
        """
        self._latest = self._ends = None
        self._write(point, scan_from)
        self._written = point

    def _start(self) -> int:
        """Return where the first copy may be that is not counted as delivered."""
        if self._scan_from is None:
            return self._store.commit_log_min
        return self._scan_from

    def _write(self, point: TimerCheckPoint, scan_from: int) -> None:
        self._files.check.write(point, self._own(scan_from))
        self.point, self._scan_from = point, scan_from

    def _own(self, scan_from: int) -> OwnCheck:
        return OwnCheck(precision_ms=self._files.precision_ms, scan_from=scan_from)
