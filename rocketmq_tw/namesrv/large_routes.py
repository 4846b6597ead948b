"""
Routes of topics that many brokers hold, encoded in steps.

A name server may know 10,000 brokers, and all of them may hold a topic, such as the one
from which others are created. To encode its route takes some 100 ms.

Source: ``TopicRouteData`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.remoting.pacing import Steps, encode_each
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.entries import fill

#: More brokers make a route large; so many are encoded in one step: some 2 ms.
MANY = 200

_Encode = Callable[[Any], bytes]


def encode_in_steps(route: TopicRoute, strict: bool) -> Steps[bytes]:
    """
    Encode a route as :func:`rocketmq_tw.wire.bodies.route.encode_route_for` does.

    :param strict: encode strict JSON, in ASCII; else the form for older clients.
    """
    encode: _Encode = fastjson.dumps_ascii if strict else fastjson.dumps_lenient
    mappings = route.topic_queue_mapping_by_broker
    text = encode(
        msgspec.structs.replace(
            route,
            broker_datas=(),
            queue_datas=(),
            filter_server_table={},
            topic_queue_mapping_by_broker=None if mappings is None else {},
        )
    )

    def encode_entry(entry: tuple[str, Any]) -> bytes:
        """Encode an entry of a table."""
        return encode(dict((entry,)))[1:-1]

    parts: tuple[tuple[bytes, Iterable[Any], _Encode], ...] = (
        (b'"brokerDatas":[]', route.broker_datas, encode),
        (b'"queueDatas":[]', route.queue_datas, encode),
        (b'"filterServerTable":{}', route.filter_server_table.items(), encode_entry),
        (b'"topicQueueMappingByBroker":{}', (mappings or {}).items(), encode_entry),
    )
    for empty, items, encode_one in parts:
        entries = yield from encode_each(items, encode_one, MANY)
        if entries:
            yield None
            text = fill(text, empty, (entries,))
    return text
