"""What a hostile server sends to a client: routes, members, messages."""

from __future__ import annotations

from rocketmq_tw.client.consumer.group.allocation import average
from rocketmq_tw.client.consumer.pull_result import read_response
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.bodies.route import (
    decode_route,
    encode_route,
    encode_route_lenient,
)
from rocketmq_tw.wire.requests.pull import PullResponse
from tests.fuzz.target import Amplifier, Budget, Target
from tests.fuzz.targets.json import HARDEST
from tests.fuzz.targets.records import records

_QUEUE = MessageQueue("T", "b", 0)
_QUEUES = [MessageQueue("T", "b", number) for number in range(8)]
_SUBSCRIPTION = parse("T", "TagA||TagB", 1)


def _read_route(data: bytes) -> None:
    """Decode a route and list its queues, as a client caches it."""
    route = decode_route(data).canonical()
    route.writable("T")
    route.readable("T")
    encode_route(route)
    encode_route_lenient(route)


def _read_members(data: bytes) -> None:
    """Decode the members of a group, and allocate queues to one of them."""
    members = sorted(ConsumerIdList.decode(data).consumer_id_list)
    if members:
        average(members[-1], _QUEUES, members)


def _read_messages(data: bytes) -> None:
    """Decode and filter a pull's messages; inflate each up to the limit."""
    response = PullResponse(
        suggest_which_broker_id=0,
        next_begin_offset=1,
        min_offset=0,
        max_offset=9,
        body=data,
    )
    for subscription in (None, _SUBSCRIPTION):
        read_response(response, _QUEUE, subscription)


_ROUTE = (
    b'{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},'
    b'"brokerName":"a","cluster":"C"},{"brokerAddrs":{"0":"h:1"},"brokerName":"b",'
    b'"cluster":"C"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,'
    b'"readQueueNums":4,"writeQueueNums":4,"topicSysFlag":0}]}'
)
_ORDERED = _ROUTE[:-1] + b',"orderTopicConf":"a:2;b:3"}'


def _brokers(size: int) -> bytes:
    """Make a route of many brokers, each with a queue."""
    count = size // 100 + 1
    brokers = b",".join(
        b'{"brokerName":"b%d","brokerAddrs":{"0":"h:1"}}' % i for i in range(count)
    )
    queues = b",".join(
        b'{"brokerName":"b%d","perm":6,"writeQueueNums":1}' % i for i in range(count)
    )
    return b'{"brokerDatas":[%b],"queueDatas":[%b]}' % (brokers, queues)


def _many_records(size: int) -> bytes:
    return b"".join(records()) * (size // 1500 + 1)


_ROUTES: dict[str, Amplifier] = {**HARDEST, "brokers": _brokers}

TARGETS = (
    Target(
        name="route",
        run=_read_route,
        errors=(RocketMQError,),
        seeds=lambda: (_ROUTE, _ORDERED),
        pieces=(b'"readQueueNums":', b'"orderTopicConf":"a:', b":99999999"),
        amplifiers=_ROUTES,
        # A route may have so many queues whatever its size: see MAX_QUEUES.
        budget=Budget(work=1_000_000, work_each=60, memory=40 << 20),
        examples=20,
    ),
    Target(
        name="members",
        run=_read_members,
        errors=(RocketMQError,),
        seeds=lambda: (b'{"consumerIdList":["a@1","b@2"]}',),
        amplifiers={
            "members": lambda size: (
                b'{"consumerIdList":['
                + b",".join(b'"%d"' % i for i in range(size // 6 + 1))
                + b"]}"
            )
        },
    ),
    Target(
        name="pulled",
        run=_read_messages,
        errors=(RocketMQError,),
        seeds=lambda: (*records(), b"".join(records())),
        pieces=(b"\xda\xa3\x20\xa7", b"\xda\xa3\x20\xab", b"\xcb\xd4\x31\x94"),
        amplifiers={"records": _many_records},
        budget=Budget(work=6_000),
    ),
)
