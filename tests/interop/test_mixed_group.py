"""Java's and our consumers share the queues of one group."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import Program, wait_for_messages, wait_until

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


def assignment(member: Program, topic: str) -> list[tuple[str, int]]:
    """Ask a member for the broker name and id of each queue that it owns."""
    queues = member.ask("assignment")["queues"]
    return [(broker, queue_id) for name, broker, queue_id in queues if name == topic]


def shares(members: list[Program], topic: str) -> list[int]:
    """Count the queues of each member."""
    return [len(assignment(member, topic)) for member in members]
