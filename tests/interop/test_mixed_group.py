"""Java's and our consumers share the queues of one group."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once, check_queue_order, check_shards
from .lab import Cluster, Lab
from .pairs import some
from .program import Program, messages, wait_for_messages, wait_until

COUNT = 10_000
QUEUES = 10


@pytest.mark.parametrize("shared", ["ours", "v55"], indirect=True)
def test_mixed_group(shared: tuple[Lab, Cluster]) -> None:
    """Each queue has exactly one owner, and each message comes once to the group."""
    lab, cluster = shared
    topic = "MixedGroup"
    lab.make_topic(cluster.names, topic, QUEUES)
    members = [
        lab.consumer(make, cluster.names, topic=topic, group="G_MixedGroup")
        for make in ("v49", "v53", "v55", "ours", "ours")
    ]
    for member in members:
        member.wait_for("started")
    wait_until(lambda: shares(members, topic) == [2] * len(members), 60, "equal shares")
    owned = [queue for member in members for queue in assignment(member, topic)]
    assert len(set(owned)) == QUEUES
    plan = f"sync:1000,async:{COUNT - 2000},batch:1000"
    lab.sender("v53", cluster.names, topic=topic, plan=plan).finish()
    lines = wait_for_messages(members, COUNT, 90)
    assert shares(members, topic) == [2] * len(members)
    for member in members:
        member.stop()
    check_once(range(COUNT), lines)
    check_contents("s", lines)


@pytest.mark.parametrize("shared", some(["ours", "v55"], 1), indirect=True)
def test_orderly_group(shared: tuple[Lab, Cluster]) -> None:
    """
    Java's and our orderly members share queues; one of ours and one of Java's leave.

    The messages of each key come in order, and once.
    """
    lab, cluster = shared
    topic = "OrderlyGroup"
    lab.make_topic(cluster.names, topic, 8)
    options = {"topic": topic, "group": "G_OrderlyGroup", "listener": "orderly"}
    members = [
        lab.consumer(make, cluster.names, **options)
        for make in ("v49", "v55", "ours", "ours")
    ]
    for member in members:
        member.wait_for("started")
    wait_until(lambda: shares(members, topic) == [2] * 4, 60, "equal shares")
    plan = {"topic": topic, "plan": "ordered:400"}
    lab.sender("ours", cluster.names, seed="first", **plan).finish()
    wait_for_messages(members, 400, 60)
    for gone in (members[1], members[3]):
        gone.stop()
    lab.sender("ours", cluster.names, seed="second", **plan).finish()
    kept = [members[0], members[2]]
    wait_until(lambda: len(messages(*members)) >= 800, 60, "all messages")
    wait_until(lambda: shares(kept, topic) == [4, 4], 60, "equal shares of who stays")
    for member in kept:
        member.stop()
    for member in members:
        check_queue_order(member.events("message"))
    lines = messages(*members)
    for seed in ("first", "second"):
        some = [line for line in lines if line["properties"]["seed"] == seed]
        check_once(range(400), some)
        check_shards(range(400), some)


def assignment(member: Program, topic: str) -> list[tuple[str, int]]:
    """Ask a member for the broker name and id of each queue that it owns."""
    queues = member.ask("assignment")["queues"]
    return [(broker, queue_id) for name, broker, queue_id in queues if name == topic]


def shares(members: list[Program], topic: str) -> list[int]:
    """Count the queues of each member."""
    return [len(assignment(member, topic)) for member in members]
