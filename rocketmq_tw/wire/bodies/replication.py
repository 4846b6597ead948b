"""
The state of replication, of a master and of its replicas.

Source: ``HARuntimeInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.wire.bodies.body import Body


class HAConnectionInfo(Body, frozen=True):
    """One replica, as seen by its master. Offsets are commit log offsets."""

    addr: str | None = None
    slave_ack_offset: int = 0
    #: How far the replica is behind, in bytes.
    diff: int = 0
    in_sync: bool = False
    transferred_byte_in_second: int = 0
    transfer_from_where: int = 0


class HAClientInfo(Body, frozen=True):
    """The state reported by a replica. Times in ms, offsets are commit log offsets."""

    master_addr: str | None = None
    transferred_byte_in_second: int = 0
    max_offset: int = 0
    last_read_timestamp: int = 0
    last_write_timestamp: int = 0
    master_flush_offset: int = 0


class HARuntimeInfo(Body, frozen=True):
    """The response to GET_BROKER_HA_STATUS (907)."""

    master: bool = False
    master_commit_log_max_offset: int = 0
    in_sync_slave_nums: int = 0
    ha_connection_info: tuple[HAConnectionInfo, ...] = ()
    ha_client_runtime_info: HAClientInfo = HAClientInfo()
