"""
The master's check point of timed messages, kept by a slave.

A slave delivers no timed messages. But its folder may become a master's: then this says
which of the messages in the timer's queue are delivered.

Source: ``SlaveSynchronize.syncTimerCheckPoint`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.broker.tables.checks import MAX_LONG, check_range
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.store.timer.checkpoint import TimerCheckFile
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint


class FollowedTimer:
    """Copies the check point of a master; ``file`` is written if it has changed."""

    def __init__(self, file: TimerCheckFile) -> None:
        self._file = file
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
        kept = msgspec.structs.replace(
            found, log_position=0, master_queue_offset=found.queue_offset
        )
        if kept != self._written and kept.queue_offset:
            self._file.write_numbers(kept)
            self._written = kept
