"""What operators are shown of replication."""

from __future__ import annotations

import msgspec


class SlaveStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    One slave, as its master sees it.

    :ivar address: ``host:port`` of the connection.
    :ivar ack_offset: where the slave's log ends, as it last reported.
    :ivar behind: how many bytes of the log it lacks.
    :ivar position: the offset of the next byte that is sent to it.
    :ivar is_in_sync: whether it lacks less than ``haMaxGapNotInSync``.
    """

    address: str
    ack_offset: int
    behind: int
    position: int
    bytes_per_second: int
    is_in_sync: bool


class FollowStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a slave knows of itself.

    :ivar address: ``host:port`` of the master's HA port; empty if unknown.
    :ivar log_end: where its log ends.
    :ivar last_read_ms: when something came from the master, since the epoch; 0 if
        nothing did.
    :ivar refusal: why it does not follow its master until somebody acts; None if it
        does.
    """

    address: str
    log_end: int
    last_read_ms: int
    last_write_ms: int
    bytes_per_second: int
    is_connected: bool
    refusal: str | None


class HaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    The state of replication in one broker.

    :ivar log_end: where its log ends.
    :ivar in_sync_slaves: how many slaves lack little.
    :ivar follows: None for a master.
    """

    is_master: bool
    log_end: int
    in_sync_slaves: int = 0
    slaves: list[SlaveStatus] = []
    follows: FollowStatus | None = None
