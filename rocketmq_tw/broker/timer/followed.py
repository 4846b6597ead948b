"""
The master's check point of timed messages, kept by a slave.

A slave delivers no timed messages. But its folder may become a master's: then this says
which of the messages in the timer's queue are delivered.

What the master has delivered may not be in the slave's commit log yet. So what is
written is what the master said one copy before, ten seconds ago or more: of those, some
messages come twice then, but none is lost.

Source: ``SlaveSynchronize.syncTimerCheckPoint`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.broker.tables.checks import MAX_LONG, check_range
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint


class FollowedTimer:
    """Copies the check point of a master to the ``files`` of its slave."""

    # _latest is what the master said last, and is written after the next copy.

    def __init__(self, files: TimerFiles) -> None:
        self._files = files
        self._latest: TimerCheckPoint | None = None
        self._written: TimerCheckPoint | None = None

    async def copy(self, ask: Ask) -> None:
        """
        Copy the check point; masters of 4.9 have none.

        :raises BadField: it is not usable.
        """
        try:
            body = (await ask(GetTimerCheckPoint())).body
        except BrokerError as error:
            if error.code == ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
                return
            raise
        found = TimerCheckPoint.decode(body)
        check_range("read time", found.last_read_ms, MAX_LONG)
        check_range("queue offset", found.queue_offset, MAX_LONG)
        # The timer's log is not copied, so there is none to be read.
        found = msgspec.structs.replace(
            found, log_position=0, master_queue_offset=found.queue_offset
        )
        kept, self._latest = self._latest, found
        if kept is None or kept == self._written or not kept.queue_offset:
            return
        self._files.check.write_numbers(kept)
        if self._written is None:
            # Of a time as a master: it does not say what was delivered since.
            self._files.remove_all()
        self._written = kept
