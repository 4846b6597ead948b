"""
The state of name servers and brokers.

Source: ``ClusterListSubCommand`` and ``BrokerStatusSubCommand`` of RocketMQ 5 for what
operators want to see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rocketmq_tw.admin.calls import Calls, Outcomes, registered
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NothingResponded
from rocketmq_tw.admin.results.cluster import (
    BrokerAddress,
    BrokerStatus,
    ClockReading,
    Clocks,
    ClusterStatus,
    NameServerStatus,
)
from rocketmq_tw.admin.texts import at, number, whole
from rocketmq_tw.clock import wall_time
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.route import GetClusterInfo

#: How a broker says for how long it has run.
_AGE = re.compile(r"(\d{1,9}) days, (\d+) hours, (\d+) minutes, (\d+) seconds")


class Cluster:
    """Asks name servers and brokers how they are."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def status(self) -> ClusterStatus:
        """
        Return the state of all name servers and brokers.

        :raises NothingResponded: no name server has responded.
        """
        names = await self._calls.each_name_server(GetClusterInfo)
        infos = {who: ClusterInfo.decode(each.body) for who, each in names.ok.items()}
        if not infos:
            raise NothingResponded("no name server responded", names.failed)
        brokers = self._brokers(infos)
        tables = await self._tables(brokers)
        return ClusterStatus(
            _name_servers(names, infos),
            tuple(
                _status(broker, tables.ok[broker.address])
                for broker in brokers
                if broker.address in tables.ok
            ),
            tables.failed,
        )

    @returning_deferred
    async def brokers(self) -> tuple[BrokerAddress, ...]:
        """Return the registered brokers, without asking them anything."""
        return (await self._calls.registered()).brokers

    @returning_deferred
    async def clocks(self) -> Clocks:
        """Compare the clocks of brokers with that of this host, to a second or so."""
        found = await self._calls.registered()
        names = {broker.address: broker.name for broker in found.brokers}
        clock = self._calls.session.clock
        wall = wall_time(clock)

        async def read(address: str) -> ClockReading | None:
            before = wall()
            response = await self._calls.broker(address, GetRuntimeInfo())
            after = wall()
            there = _time_there(KVTable.decode(response.body).table)
            if there is None:
                return None
            ahead = there + 0.5 - (before + after) / 2
            return ClockReading(
                names[address], address, ahead, 0.5 + (after - before) / 2
            )

        read_all = await self._calls.each({a: a for a in names}, read)
        return Clocks(
            tuple(each for each in read_all.ok.values() if each), read_all.failed
        )

    def _brokers(self, infos: Mapping[str, ClusterInfo]) -> list[BrokerAddress]:
        """Return the brokers that any name server knows."""
        translate = self._calls.session.translate
        found = {
            broker
            for info in infos.values()
            for broker in registered(info, translate).brokers
        }
        return sorted(found)

    async def _tables(self, brokers: list[BrokerAddress]) -> Outcomes[dict[str, str]]:
        """Ask brokers for their statistics."""

        async def read(address: str) -> dict[str, str]:
            response = await self._calls.broker(address, GetRuntimeInfo())
            return KVTable.decode(response.body).table

        addresses = {broker.address: broker.address for broker in brokers}
        return await self._calls.each(addresses, read)


def _name_servers(
    names: Outcomes[Response], infos: Mapping[str, ClusterInfo]
) -> tuple[NameServerStatus, ...]:
    """Return the state of the name servers, sorted by address."""
    up = [
        NameServerStatus(who, True, len(registered(info).brokers))
        for who, info in infos.items()
    ]
    down = [NameServerStatus(who, False, 0, why) for who, why in names.failed.items()]
    return tuple(sorted([*up, *down], key=lambda each: each.address))


def _status(broker: BrokerAddress, table: Mapping[str, str]) -> BrokerStatus:
    """Read the statistics of a broker; what it does not say has its default."""

    def count(name: str) -> int:
        return whole(table.get(name))

    disk = table.get("commitLogDiskRatio")
    writable = table.get("storeWriteable")
    return BrokerStatus(
        cluster=broker.cluster,
        name=broker.name,
        id=broker.id,
        address=broker.address,
        version=table.get("brokerVersionDesc", ""),
        is_active=table.get("brokerActive", "true") == "true",
        in_rate=number(table.get("putTps")),
        out_rate=number(table.get("getTransferredTps", table.get("getTransferedTps"))),
        in_today=count("msgPutTotalTodayNow") - count("msgPutTotalTodayMorning"),
        in_yesterday=count("msgPutTotalTodayMorning")
        - count("msgPutTotalYesterdayMorning"),
        out_today=count("msgGetTotalTodayNow") - count("msgGetTotalTodayMorning"),
        out_yesterday=count("msgGetTotalTodayMorning")
        - count("msgGetTotalYesterdayMorning"),
        disk_used=None if disk is None else number(disk),
        commit_log_min=count("commitLogMinOffset"),
        commit_log_max=count("commitLogMaxOffset"),
        dispatch_behind=count("dispatchBehindBytes"),
        timer_behind=number(table.get("timerReadBehind")),
        timer_unread=count("timerOffsetBehind"),
        timer_waiting=count("timerCongestNum"),
        send_queue_wait=count("sendThreadPoolQueueHeadWaitTimeMills") / 1000,
        earliest_message_time=at(count("earliestMessageTimeStamp")),
        started=at(count("bootTimestamp")),
        is_writable=None if writable is None else writable == "true",
        store_failure=table.get("storeFailure", ""),
    )


def _time_there(table: Mapping[str, str]) -> float | None:
    """Return the time of day at a broker, down to the second; None if unknown."""
    age = _AGE.search(table.get("runtime", ""))
    began = whole(table.get("bootTimestamp"))
    if age is None or began <= 0:
        return None
    days, hours, minutes, seconds = map(int, age.groups())
    return began / 1000 + days * 86400 + hours * 3600 + minutes * 60 + seconds
