"""
The state of replication, for tools and in the log.

Source: ``AdminBrokerProcessor.getBrokerHaStatus``, ``DefaultHAService.getRuntimeInfo``
and ``BrokerController.printMasterAndSlaveDiff`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.replication.status import FollowStatus, HaStatus, SlaveStatus
from rocketmq_tw.wire.bodies.replication import (
    HAClientInfo,
    HAConnectionInfo,
    HARuntimeInfo,
)
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.replication import GetHaStatus

#: Milliseconds between two lines about slaves that are behind.
LOG_PERIOD_MS = 60_000


def install(broker: Broker, router: Router) -> ReplicationProcessor:
    """Register the handler; show the lag in runtime information and in the log."""
    processor = ReplicationProcessor(broker.replication.status)
    processor.routes(router)
    broker.stats.gauges.update(processor.gauges(broker.config.is_slave))
    broker.periodic.every(LOG_PERIOD_MS, processor.log_lag)
    return processor


class ReplicationProcessor:
    """
    Shows the state of replication.

    :param status: returns it.
    """

    _log = Logger()

    def __init__(self, status: Callable[[], HaStatus]) -> None:
        self._status = status

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(GetHaStatus, self.ha_status)

    def ha_status(self, request: GetHaStatus, call: Call) -> Response:
        """Return the state, of a master or of a slave."""
        status = self._status()
        info = HARuntimeInfo(
            master=status.is_master,
            master_commit_log_max_offset=status.log_end if status.is_master else 0,
            in_sync_slave_nums=status.in_sync_slaves,
            ha_connection_info=tuple(map(_connection, status.slaves)),
            ha_client_runtime_info=_client(status.follows),
        )
        return Response(body=info.encode())

    def gauges(self, is_slave: bool) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows, of a master or of a slave."""
        if is_slave:
            return {"followsMaster": self._follows_master}
        return {
            "slaves": lambda: len(self._status().slaves),
            "slavesInSync": lambda: self._status().in_sync_slaves,
            "slaveFallBehindBytes": self._lag,
        }

    def log_lag(self) -> None:
        """Log how far the slaves of a master are behind, unless all have everything."""
        lag = self._lag()
        if lag:
            status = self._status()
            self._log.info(
                "{count} slaves, {in_sync} of them in sync; the last one lacks {lag}"
                " bytes of the commit log",
                count=len(status.slaves),
                in_sync=status.in_sync_slaves,
                lag=lag,
            )

    def _lag(self) -> int:
        """Return how many bytes the slave lacks that is farthest behind."""
        return max((slave.behind for slave in self._status().slaves), default=0)

    def _follows_master(self) -> int:
        """Return 1 while the slave is connected to its master, else 0."""
        follows = self._status().follows
        return int(follows is not None and follows.is_connected)


def _connection(slave: SlaveStatus) -> HAConnectionInfo:
    return HAConnectionInfo(
        addr=slave.address,
        slave_ack_offset=slave.ack_offset,
        diff=slave.behind,
        in_sync=slave.is_in_sync,
        transferred_byte_in_second=slave.bytes_per_second,
        transfer_from_where=slave.position,
    )


def _client(follows: FollowStatus | None) -> HAClientInfo:
    if follows is None:
        return HAClientInfo()
    return HAClientInfo(
        master_addr=follows.address or None,
        transferred_byte_in_second=follows.bytes_per_second,
        max_offset=follows.log_end,
        last_read_timestamp=follows.last_read_ms,
        last_write_timestamp=follows.last_write_ms,
    )
