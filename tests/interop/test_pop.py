"""Java's push consumer pops from our broker, as the broker says."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import wait_for_messages

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
