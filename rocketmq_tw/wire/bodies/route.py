"""
The route of a topic as a body, in the two forms of JSON that Apache RocketMQ writes.

Neither form contains spaces: the Go client extracts addresses by hand and would keep
them.

Source: ``TopicRouteData`` and ``ClientRequestProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire import fastjson

#: Requests from this version (V4_9_4) on get the strict form.
STRICT_SINCE = 401


def encode_route(route: TopicRoute) -> bytes:
    """Encode the strict form: quoted ids, ASCII only."""
    return fastjson.dumps_ascii(route)


def encode_route_lenient(route: TopicRoute) -> bytes:
    """Encode the form for older clients: ``{0:"10.0.0.1:10911"}``."""
    return fastjson.dumps_lenient(route)


def encode_route_for(
    route: TopicRoute, version: int, strict_only: bool = False
) -> bytes:
    """
    Encode the form that the requesting client can read.

    :param version: the version in the request's header.
    :param strict_only: the request's ``acceptStandardJsonOnly``.
    """
    if version >= STRICT_SINCE or strict_only:
        return encode_route(route)
    return encode_route_lenient(route)


def decode_route(data: bytes) -> TopicRoute:
    """
    Decode either form.

    :raises MalformedJson: the text is not JSON.
    :raises BadField: a member cannot be converted to its declared type.
    """
    return fastjson.decode_as(data, TopicRoute)
