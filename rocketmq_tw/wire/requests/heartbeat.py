"""
Requests by which clients register and groups learn about their members.

Source: ``HeartbeatRequestHeader``, ``UnregisterClientRequestHeader``,
``GetConsumerListByGroupRequestHeader``, ``CheckClientRequestBody``,
``NotifyConsumerIdsChangedRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class Heartbeat(Request[Response]):
    """Register a client; the body is :mod:`rocketmq_tw.wire.bodies.heartbeat`."""

    code: ClassVar[int] = RequestCode.HEART_BEAT


class CheckClientConfig(Request[Response]):
    """
    Ask whether a subscription can be used; the body is a ``CheckClientRequestBody``.
    """

    code: ClassVar[int] = RequestCode.CHECK_CLIENT_CONFIG


class UnregisterClient(Request[Response]):
    """Leave a group."""

    code: ClassVar[int] = RequestCode.UNREGISTER_CLIENT
    client_id: str = msgspec.field(name="clientID")
    producer_group: str | None = None
    consumer_group: str | None = None


class GetConsumerList(Request[Response]):
    """Ask for the client ids of a group; the body is a list."""

    code: ClassVar[int] = RequestCode.GET_CONSUMER_LIST_BY_GROUP
    consumer_group: str


class NotifyConsumerIdsChanged(Request[Response]):
    """Broker to client, one-way: the members of a group have changed."""

    code: ClassVar[int] = RequestCode.NOTIFY_CONSUMER_IDS_CHANGED
    consumer_group: str


class GetConsumerConnections(Request[Response]):
    """Ask for the consumers of a group; the body is a ``ConsumerConnection``."""

    code: ClassVar[int] = RequestCode.GET_CONSUMER_CONNECTION_LIST
    consumer_group: str


class GetProducerConnections(Request[Response]):
    """Ask for the producers of a group; the body is a ``ProducerConnection``."""

    code: ClassVar[int] = RequestCode.GET_PRODUCER_CONNECTION_LIST
    producer_group: str


class GetAllProducers(Request[Response]):
    """Ask for the producers of all groups; the body is a ``ProducerTableInfo``."""

    code: ClassVar[int] = RequestCode.GET_ALL_PRODUCER_INFO
