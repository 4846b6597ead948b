"""Java pops from our broker, and our client from that of Apache RocketMQ."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import messages, wait_for_messages

COUNT = 300


@pytest.mark.parametrize("shared", ["ours"], indirect=True)
def test_java_pops(shared: tuple[Lab, Cluster]) -> None:
    """
    It gets each message once, and those again that it refuses.

    They come again from the retry topic, after the shortest time of its client, 10 s.
    """
    lab, cluster = shared
    topic, group = "Popped", "G_Popped"
    lab.make_topic(cluster.names, topic, queues=4)
    said = lab.admin(
        cluster.names,
        f"setConsumeMode -c DefaultCluster -t {topic} -g {group} -m POP -q 0",
        "v55",
    )
    assert "success" in said, said
    consumer = lab.consumer(
        "v55",
        cluster.names,
        topic=topic,
        group=group,
        rebalance="broker",
        refuse=100,
    )
    consumer.wait_for("started")
    lab.sender(
        "v49", cluster.names, topic=topic, seed=topic, plan=f"sync:{COUNT}"
    ).finish()
    lines = wait_for_messages([consumer], COUNT, 60)
    consumer.stop()
    check_once(range(COUNT), lines)
    check_contents(topic, lines)
    again = {int(line["properties"]["i"]) for line in lines if line["reconsumeTimes"]}
    assert again == {0, 100, 200}


@pytest.mark.parametrize("shared", ["v55"], indirect=True)
def test_we_pop_from_apache(shared: tuple[Lab, Cluster]) -> None:
    """Our simple consumer gets each message once, and those again that it refuses."""
    lab, cluster = shared
    topic = "Received"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender("ours", cluster.names, topic=topic, seed=topic, plan="sync:100").finish()
    receiver = lab.receiver(
        cluster.names, topic=topic, group=f"G_{topic}", count=100, refuse=50
    )
    receiver.finish()
    lines = messages(receiver)
    check_once(range(100), lines)
    check_contents(topic, lines)
    again = {int(line["properties"]["i"]) for line in lines if line["reconsumeTimes"]}
    assert again == {0, 50}
    assert receiver.events("done")[0]["rest"] == 0
