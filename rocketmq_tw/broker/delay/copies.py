"""
The delivered offset of each delay level, copied from a master to its slaves.

Source: ``SlaveSynchronize.syncDelayOffset`` and ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.delay.schedule import ScheduleService
from rocketmq_tw.broker.slave.replicated import Ask
from rocketmq_tw.broker.tables.checks import MAX_LONG, check_range
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.offsets import DelayOffsetTable
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import GetAllDelayOffset

#: Bytes that the table may have: 18 levels take 400.
MAX_SIZE = 64 << 10


class DelayCopies:
    """Responds to slaves as a master, and copies from the master as a slave."""

    def __init__(self, schedule: ScheduleService) -> None:
        self._schedule = schedule

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(GetAllDelayOffset, self.all)

    def all(self, request: GetAllDelayOffset, call: Call) -> Response:
        """Return the delivered offsets of all levels."""
        return Response(body=self._schedule.document())

    async def copy(self, ask: Ask) -> None:
        """
        Have the delivered offsets of the master.

        :raises BadField: the response is too large, or an offset is out of range.
        """
        table = await _ask_for(ask)
        self._schedule.adopt(table.offset_table, table.data_version)

    async def take_back(self, ask: Ask) -> None:
        """
        Take over the offsets of a slave that has acted for this master.

        If they are no newer, an offset counts that is ahead of the master's.
        """
        table = await _ask_for(ask)
        self._schedule.take_back(table.offset_table, table.data_version)


async def _ask_for(ask: Ask) -> DelayOffsetTable:
    """Return the table of another broker. :raises BadField: it is not usable."""
    body = (await ask(GetAllDelayOffset())).body
    if len(body) > MAX_SIZE:
        raise BadField("body", f"{len(body)} bytes", f"{MAX_SIZE} at most")
    table = DelayOffsetTable.decode(body)
    for level, offset in table.offset_table.items():
        check_range(f"offset of level {level}", offset, MAX_LONG)
    return table
