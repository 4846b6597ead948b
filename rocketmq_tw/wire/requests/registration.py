"""
Requests by which brokers register with name servers.

Source: ``RegisterBrokerRequestHeader``, ``UnRegisterBrokerRequestHeader``,
``QueryDataVersionRequestHeader``, ``BrokerHeartbeatRequestHeader``,
``WipeWritePermOfBrokerRequestHeader``; bodies in
:mod:`rocketmq_tw.wire.bodies.registration`.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class RegisterResponse(Response):
    """The address of a slave's master; the body is a ``KVTable`` of order topics."""

    ha_server_addr: str | None = None
    master_addr: str | None = None


class RegisterBroker(Request[RegisterResponse], kw_only=True):
    """
    Register a broker with its topics, or renew its entry.

    :ivar part: which part of its topics the body has: ``first``, ``next`` or ``last``
        of the whole table, or ``changes``; None for the whole. An extension, which
        others ignore.
    """

    code: ClassVar[int] = RequestCode.REGISTER_BROKER
    broker_name: str
    broker_addr: str
    cluster_name: str
    ha_server_addr: str | None = None
    broker_id: int
    heartbeat_timeout_millis: int | None = None
    enable_acting_master: bool | None = None
    compressed: bool | None = None
    body_crc32: int | None = None
    zone_name: str | None = msgspec.field(name="__ZONE_NAME", default=None)
    part: str | None = None


class UnregisterBroker(Request[Response]):
    """Remove a broker at once."""

    code: ClassVar[int] = RequestCode.UNREGISTER_BROKER
    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: int


class DataVersionResponse(Response):
    """Whether the topics have to be registered again."""

    changed: bool


class QueryDataVersion(Request[DataVersionResponse]):
    """
    Compare the version of a broker's topics (the body); this renews its entry too.
    """

    code: ClassVar[int] = RequestCode.QUERY_DATA_VERSION
    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: int


class BrokerHeartbeat(Request[Response]):
    """Renew a broker's entry; one-way."""

    code: ClassVar[int] = RequestCode.BROKER_HEARTBEAT
    cluster_name: str
    broker_addr: str
    broker_name: str


class WipeResponse(Response):
    """How many topics were changed."""

    wipe_topic_count: int


class WipeWritePermission(Request[WipeResponse]):
    """Remove the write permission of a broker until it registers again."""

    code: ClassVar[int] = RequestCode.WIPE_WRITE_PERM_OF_BROKER
    broker_name: str


class AddResponse(Response):
    """How many topics were changed."""

    add_topic_count: int


class AddWritePermission(Request[AddResponse]):
    """Undo :class:`WipeWritePermission`."""

    code: ClassVar[int] = RequestCode.ADD_WRITE_PERM_OF_BROKER
    broker_name: str
