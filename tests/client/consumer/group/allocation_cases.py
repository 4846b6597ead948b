"""
Cases of allocation, each a line that ``Allocate.java`` reads, too.

``allocations.json`` has what Java responds to each of them. ``python -m
tests.interop.allocations`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rocketmq_tw.client.consumer.group.allocation import STRATEGIES, allocate
from rocketmq_tw.client.consumer.group.rooms import (
    by_config,
    machine_room,
    machine_room_nearby,
)
from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.model.queue import MessageQueue

TABLE = Path(__file__).with_name("allocations.json")

#: Topic, broker and number of queues; also brokers without a room, or with two signs.
QUEUES = (
    "T/broker-a/1",
    "T/broker-a/4;T/broker-b/4",
    "Orders/east@a/7;Orders/west@b/5;Orders/north@c/3;Orders/plain/2;Orders/a@b@c/2",
    "Topic-3/broker-a/17;Topic-3/broker-b/13",
)
MEMBERS = (
    "10.0.0.1@7#1",
    "10.0.0.1@7#1,10.0.0.2@9#2,10.0.0.10@8#3",
    "east@1,east@2,west@3",
    ",".join(f"192.168.1.{i}@{i * 37}#{i * 1_000_003}" for i in range(1, 12)),
)
#: A member that is listed twice, because it has two connections.
TWICE = "a,b,b,c"
NAMES = (
    "AVG",
    "AVG_BY_CIRCLE",
    "CONSISTENT_HASH",
    "CONFIG",
    "MACHINE_ROOM",
    "MACHINE_ROOM_NEARBY-AVG",
    "MACHINE_ROOM_NEARBY-AVG_BY_CIRCLE",
)


def lines() -> Iterator[str]:
    """Give all cases; of many members only some."""
    for name in NAMES:
        for queues in QUEUES:
            for members in (*MEMBERS, TWICE):
                for member in members.split(",")[::6] + members.split(",")[1:2]:
                    yield f"{name} {member} {members} {queues}"


def stored() -> dict[str, list[list[object]]]:
    """Read Java's responses."""
    return json.loads(TABLE.read_text())


def ours(line: str) -> list[list[object]]:
    """Allocate as our client does; sorted."""
    name, member, members, text = line.split(" ")
    queues: list[MessageQueue] = []
    for some in text.split(";"):
        topic, broker, count = some.split("/")
        queues += [MessageQueue(topic, broker, i) for i in range(int(count))]
    strategy = _strategy(name, sorted(queues))
    found = allocate(strategy, member, queues, members.split(","))
    return [[q.topic, q.broker_name, q.queue_id] for q in sorted(found)]


def _strategy(name: str, queues: list[MessageQueue]) -> Strategy:
    """Make the strategy of a case."""
    if name == "CONFIG":
        return by_config(queues[:2])
    if name == "MACHINE_ROOM":
        return machine_room({"east", "west"})
    inner = STRATEGIES[name.removeprefix("MACHINE_ROOM_NEARBY-")]
    if inner is STRATEGIES.get(name):
        return inner
    return machine_room_nearby(
        inner, lambda queue: _room(queue.broker_name), lambda member: _room(member)
    )


def _room(name: str) -> str:
    """Give what stands before the first at sign."""
    return name.split("@")[0]
