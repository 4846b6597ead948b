"""10,000 messages of mixed sizes go through a cluster and come back unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from .corpus import check_contents, check_once, check_queue_order, check_shards
from .lab import Cluster, Lab
from .program import Program, wait_for_messages

COUNT = 10_000
PLAN = "sync:2000,async:4000,oneway:1000,batch:2000,ordered:1000"
ORDERED = range(9_000, 10_000)

CASES = [
    pytest.param("v55", "v55", ["v55"], id="apache-5.5-alone"),
    pytest.param("ours", "v49", ["v49", "v53"], id="java-4.9-through-ours"),
    pytest.param("ours", "v53", ["v53", "v55"], id="java-5.3-through-ours"),
    pytest.param("ours", "v55", ["v55", "ours"], id="java-5.5-through-ours"),
    pytest.param("ours", "ours", ["ours", "v49"], id="ours-through-ours"),
    pytest.param("v55", "ours", ["ours", "v55"], id="ours-through-apache-5.5"),
    pytest.param("v55", "v55", ["ours"], id="java-to-ours-through-apache-5.5"),
    pytest.param("v53", "ours", ["ours"], id="ours-through-apache-5.3"),
    pytest.param("v49", "ours", ["ours"], id="ours-through-apache-4.9"),
]


@pytest.mark.parametrize(("shared", "sender", "receivers"), CASES, indirect=["shared"])
def test_round_trip(
    shared: tuple[Lab, Cluster], sender: str, receivers: list[str]
) -> None:
    """Every group gets each message once, equal in body, tag, keys and properties."""
    lab, cluster = shared
    topic = f"RoundTrip_{sender}_{'_'.join(receivers)}"
    lab.make_topic(cluster.names, topic, queues=4)
    consumers = [
        lab.consumer(make, cluster.names, topic=topic, group=f"G_{topic}_{make}")
        for make in receivers
    ]
    for consumer in consumers:
        consumer.wait_for("started")
    program = lab.sender(sender, cluster.names, topic=topic, seed=topic, plan=PLAN)
    program.finish()
    for consumer in consumers:
        lines = wait_for_messages([consumer], COUNT, 90)
        consumer.stop()
        check_once(range(COUNT), lines)
        check_contents(topic, lines)
        check_shards(ORDERED, lines)
        check_places(program, lines)


@pytest.mark.parametrize(
    ("shared", "receiver"),
    [("ours", "v49"), ("ours", "v55"), ("ours", "ours"), ("v55", "ours")],
    indirect=["shared"],
)
def test_orderly(shared: tuple[Lab, Cluster], receiver: str) -> None:
    """An orderly consumer sees each queue in the order of its offsets."""
    lab, cluster = shared
    topic = f"Orderly_{receiver}"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender(receiver, cluster.names, topic=topic, plan="ordered:1000").finish()
    consumer = lab.consumer(
        receiver, cluster.names, topic=topic, group=f"G_{topic}", listener="orderly"
    )
    lines = wait_for_messages([consumer], 1000, 60)
    consumer.stop()
    check_once(range(1000), lines)
    check_queue_order(lines)
    check_shards(range(1000), lines)


@pytest.mark.parametrize(
    ("shared", "receiver"),
    [("ours", "v49"), ("ours", "v55"), ("ours", "ours"), ("v55", "ours")],
    indirect=["shared"],
)
def test_tags(shared: tuple[Lab, Cluster], receiver: str) -> None:
    """A subscription to two tags gets the messages of these tags only."""
    lab, cluster = shared
    topic = f"Tags_{receiver}"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender(receiver, cluster.names, topic=topic, plan="batch:600").finish()
    wanted = [i for i in range(600) if i % 10 != 9 and i % 3 != 1]
    options = {"topic": topic, "group": f"G_{topic}", "expression": "TagA || TagC"}
    consumer = lab.consumer(receiver, cluster.names, **options)
    lines = wait_for_messages([consumer], len(wanted), 60)
    consumer.stop()
    check_once(wanted, lines)
    check_contents("s", lines)


@pytest.mark.parametrize(
    ("shared", "receiver"),
    [("ours", "v49"), ("ours", "v55"), ("ours", "ours")],
    indirect=["shared"],
)
def test_expression(shared: tuple[Lab, Cluster], receiver: str) -> None:
    """A subscription with an SQL92 expression gets the messages that meet it only."""
    lab, cluster = shared
    topic = f"Expression_{receiver}"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender(receiver, cluster.names, topic=topic, plan="batch:600").finish()
    sql = "i BETWEEN 100 AND 119 OR i >= 590 AND TAGS IS NOT NULL"
    wanted = [i for i in range(600) if 100 <= i < 120 or i >= 590 and i % 10 != 9]
    options = {"topic": topic, "group": f"G_{topic}", "sql": sql}
    consumer = lab.consumer(receiver, cluster.names, **options)
    lines = wait_for_messages([consumer], len(wanted), 60)
    consumer.stop()
    check_once(wanted, lines)


def check_places(sender: Program, lines: list[dict[str, Any]]) -> None:
    """The queue and offset told to the sender are those that the receiver saw."""
    received = {int(line["properties"]["i"]): line for line in lines}
    for sent in sender.events("sent"):
        if "status" not in sent:
            continue
        assert sent["status"] == "SEND_OK"
        line = received[sent["i"]]
        told = (sent["broker"], sent["queueId"], sent["queueOffset"])
        assert told == (line["broker"], line["queueId"], line["queueOffset"]), sent
        if sent["count"] == 1 and "msgId" in sent:
            assert sent["msgId"] == line["msgId"], sent
