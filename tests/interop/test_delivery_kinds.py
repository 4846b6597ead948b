"""Java's delayed and transactional messages, and messages sent back once."""

from __future__ import annotations

import pytest

from . import steps
from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .pairs import some
from .program import wait_for_messages

DELAYED = "sync:20,delayed:10"


@pytest.mark.parametrize(
    ("shared", "make"),
    [("ours", "v49"), ("ours", "v55"), ("ours", "ours"), ("v55", "ours")],
    indirect=["shared"],
)
def test_delayed_and_sent_back(shared: tuple[Lab, Cluster], make: str) -> None:
    """Delayed messages come, and a message that was sent back comes a second time."""
    lab, cluster = shared
    topic = f"DelayedAndSentBack_{make}"
    lab.make_topic(cluster.names, topic, queues=4)
    options = {"topic": topic, "group": f"G_{topic}", "refuse": 4}
    consumer = lab.consumer(make, cluster.names, **options)
    consumer.wait_for("started")
    lab.sender(make, cluster.names, topic=topic, plan=DELAYED).finish()
    lines = wait_for_messages([consumer], 30, 90, quiet=3)
    consumer.stop()
    check_once(range(30), lines)
    check_contents("s", lines)
    refused = sorted(line["i"] for line in consumer.events("refused"))
    assert refused == list(range(0, 30, 4))
    again = [line for line in lines if int(line["properties"]["i"]) % 4 == 0]
    assert {line["reconsumeTimes"] for line in again} == {1}


@pytest.mark.parametrize(
    ("shared", "make"),
    some([("ours", "v55"), ("v55", "ours"), ("ours", "v49")], 2),
    indirect=["shared"],
)
def test_dead_letters(shared: tuple[Lab, Cluster], make: str) -> None:
    """A message that always fails is retried twice, then it is a dead letter."""
    lab, cluster = shared
    topic = f"DeadLetters_{make}"
    lab.make_topic(cluster.names, topic, queues=4)
    options = {"topic": topic, "group": f"G_{topic}", "refuse": 4, "retries": 2}
    consumer = lab.consumer(make, cluster.names, **options)
    consumer.wait_for("started")
    lab.sender(make, cluster.names, topic=topic, plan="sync:20").finish()
    consumer.wait_for("refused", 15, 90)
    dead_topic = f"%DLQ%G_{topic}"
    reader = lab.consumer("ours", cluster.names, topic=dead_topic, group=f"D_{topic}")
    dead = wait_for_messages([reader], 5, 90)
    check_once(range(0, 20, 4), dead)
    check_contents("s", dead)
    check_once([i for i in range(20) if i % 4], consumer.events("message"))
    reader.stop()
    consumer.stop()


@pytest.mark.parametrize(
    ("shared", "make"),
    [("ours", "v49"), ("ours", "v55"), ("ours", "ours"), ("v55", "ours")],
    indirect=["shared"],
)
def test_transactions(shared: tuple[Lab, Cluster], make: str) -> None:
    """Committed messages are delivered, also when a broker has asked; others not."""
    steps.transactions(*shared, make)


@pytest.mark.parametrize(
    ("shared", "make", "plan"),
    [("ours", "v55", "timed:6,recalled:3"), ("v55", "ours", "timed:6")],
    indirect=["shared"],
)
def test_timed(shared: tuple[Lab, Cluster], make: str, plan: str) -> None:
    """Messages come at their time, those that were recalled do not."""
    lab, cluster = shared
    topic = f"Timed_{make}"
    lab.make_topic(cluster.names, topic, queues=4)
    consumer = lab.consumer(make, cluster.names, topic=topic, group=f"G_{topic}")
    consumer.wait_for("started")
    options = {"topic": topic, "plan": plan, "delay": 3}
    lab.sender(make, cluster.names, **options).finish()
    lines = wait_for_messages([consumer], 6, 60, quiet=3)
    consumer.stop()
    check_once(range(6), lines)
    check_contents("s", lines)
    for line in lines:
        asked = line["properties"]
        waited = int(asked["TIMER_DEQUEUE_MS"]) - int(asked["TIMER_ENQUEUE_MS"])
        assert waited >= 2000, asked
