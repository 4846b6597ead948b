"""
The Go client 2.1.2 on our name server and broker.

What it does that one must know, here and in its tests: a consumer does not start on a
topic that has no route; a program that ends does not unregister, so that only its
closed connections say so; its one-way requests are answered, since they do not say
that they are one-way.
"""

from __future__ import annotations

import pytest

from . import foreign, steps
from .corpus import check_once, check_queue_order, check_shards
from .lab import Cluster, Lab
from .program import wait_for_messages

pytestmark = pytest.mark.parametrize("shared", ["ours"], indirect=True)

PLAN = "sync:200,async:200,oneway:200,batch:200,ordered:200"


@pytest.fixture(scope="module", autouse=True)
def go() -> None:
    """Compile the Go program."""
    steps.build("go")


@pytest.mark.parametrize(
    ("sender", "receivers"),
    [("go", ["go", "ours", "v49"]), ("ours", ["go"]), ("v55", ["go"])],
    ids=["from-go", "ours-to-go", "java-to-go"],
)
def test_round_trip(
    shared: tuple[Lab, Cluster], sender: str, receivers: list[str]
) -> None:
    """Every group gets each message once, equal in body, tag, keys and properties."""
    steps.round_trip(*shared, sender, receivers, PLAN)


def test_orderly(shared: tuple[Lab, Cluster]) -> None:
    """An orderly consumer sees each queue in order, and a sharding key in one queue."""
    lab, cluster = shared
    topic = "Orderly_go"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender("go", cluster.names, topic=topic, plan="ordered:500").finish()
    options = {"topic": topic, "group": f"G_{topic}", "listener": "orderly"}
    consumer = lab.consumer("go", cluster.names, **options)
    lines = wait_for_messages([consumer], 500, 60)
    consumer.stop()
    check_once(range(500), lines)
    check_queue_order(lines)
    check_shards(range(500), lines)


def test_tags(shared: tuple[Lab, Cluster]) -> None:
    """A topic is made by its first message; two tags of it are read."""
    steps.tags(*shared, "go", "sync:100,batch:200")


def test_sent_back(shared: tuple[Lab, Cluster]) -> None:
    """Delayed messages come, and what is sent back comes a second time."""
    steps.sent_back(*shared, "go")


def test_transactions(shared: tuple[Lab, Cluster]) -> None:
    """Go's verdicts count, and it is asked about the transaction of another."""
    steps.transactions(*shared, "go")


def test_mixed_group(shared: tuple[Lab, Cluster]) -> None:
    """Go, Java and our members: each queue has one owner, also when one has left."""
    steps.mixed_group(*shared, ["go", "v55", "ours", "go"])


def test_manage(shared: tuple[Lab, Cluster]) -> None:
    """Go's administration makes a topic, sees it and the groups, and deletes it."""
    lab, cluster = shared
    names, broker = cluster.names, cluster.brokers[0]
    made = foreign.program(
        "go",
        "ManageTopics",
        lab.scratch,
        namesrv=names.address,
        broker=broker.address,
        topic="ManagedByGo",
    )
    made.finish(30)
    before, after = made.events("known")
    assert before["queues"] == 3
    assert "SELF_TEST_C_GROUP" in before["groups"]
    assert "ManagedByGo" in before["topics"]
    assert set(before["topics"]) - set(after["topics"]) == {"ManagedByGo"}
