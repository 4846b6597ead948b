"""Settings and statistics of servers, as they give them."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """
    The settings of servers, under their names.

    :ivar values: by broker name and address, or address of a name server.
    """

    values: dict[str, dict[str, str]]
    failed: dict[str, str] = {}


class Statistics(msgspec.Struct, frozen=True):
    """All that a broker says of itself, under its own names."""

    broker: str
    address: str
    values: dict[str, str]


class ReplicaState(msgspec.Struct, frozen=True):
    """
    A slave, as its master sees it.

    :ivar behind: bytes.
    :ivar rate: bytes per second.
    """

    address: str
    offset: int
    behind: int
    in_sync: bool
    rate: int


class Replication(msgspec.Struct, frozen=True):
    """
    The replication of a broker.

    :ivar is_master: otherwise only ``master`` and ``offset`` are known.
    :ivar offset: the commit log offset behind the last message.
    """

    broker: str
    address: str
    is_master: bool
    offset: int
    in_sync: int = 0
    slaves: tuple[ReplicaState, ...] = ()
    master: str = ""
