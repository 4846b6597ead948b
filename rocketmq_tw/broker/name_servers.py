"""
What brokers ask name servers besides registering.

Source: ``BrokerOuterAPI.syncBrokerMemberGroup`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.model.topic import SYNC_BROKER_MEMBER_PREFIX
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.cluster import GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup, GetRoute

A = TypeVar("A", bound=Response)


class AskNameServers(Protocol):
    """Sends a request to a name server to which the broker is connected."""

    def __call__(self, request: Request[A]) -> Deferred[A]:
        """Return the response; fails with ConnectError if there is none."""


async def members(ask: AskNameServers, cluster: str, name: str) -> Mapping[int, str]:
    """
    Return the addresses of the brokers of one name, by id.

    Name servers before 5.0 are asked for the route of a topic that all of them have.
    """
    try:
        response = await ask(GetBrokerMemberGroup(cluster, name))
    except BrokerError as error:
        if error.code != ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
            raise
        return await _from_route(ask, name)
    group = GetBrokerMemberGroupBody.decode(response.body).broker_member_group
    return {} if group is None else group.broker_addrs


async def _from_route(ask: AskNameServers, name: str) -> Mapping[int, str]:
    """Return the addresses in the route of the topic for this purpose."""
    request = GetRoute(
        topic=SYNC_BROKER_MEMBER_PREFIX + name, accept_standard_json_only=True
    )
    try:
        route = decode_route((await ask(request)).body)
    except BrokerError as error:
        if error.code != ResponseCode.TOPIC_NOT_EXIST:
            raise
        return {}
    for broker in route.broker_datas:
        if broker.broker_name == name:
            return broker.broker_addrs
    return {}
