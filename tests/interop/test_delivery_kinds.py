"""Java's delayed and transactional messages, and messages sent back once."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import wait_for_messages, wait_until

PLAN = "sync:20,delayed:10,commit:10,rollback:10,check:1"
DELIVERED = [*range(40), 50]


@pytest.mark.parametrize(
    ("shared", "release"),
    [("v53", "v53"), ("ours", "v49"), ("ours", "v53")],
    indirect=["shared"],
)
def test_delivery_kinds(shared: tuple[Lab, Cluster], release: str) -> None:
    """
    All are delivered but rolled back ones; a sent-back message comes a second time.

    A transaction without a verdict is committed when the broker asks the producer.
    """
    lab, cluster = shared
    topic = f"DeliveryKinds_{release}"
    lab.make_topic(cluster.names, topic, queues=4)
    options = {"topic": topic, "group": f"G_{topic}", "refuse": 4}
    consumer = lab.consumer(release, cluster.names, **options)
    consumer.wait_for("started")
    sender = lab.sender(release, cluster.names, topic=topic, plan=PLAN, linger=60)
    # Java notices its new retry topic within 30 s and rebalances within another 20.
    lines = wait_for_messages([consumer], len(DELIVERED), 90, quiet=3)
    check_once(DELIVERED, lines)
    check_contents("s", lines)
    refused = sorted(line["i"] for line in consumer.events("refused"))
    assert refused == [i for i in DELIVERED if i % 4 == 0]
    again = [line for line in lines if int(line["properties"]["i"]) % 4 == 0]
    assert {line["reconsumeTimes"] for line in again} == {1}
    wait_until(lambda: sender.events("checked"), 1, "the broker's question")
    assert [line["i"] for line in sender.events("checked")] == [50]
    consumer.stop()
