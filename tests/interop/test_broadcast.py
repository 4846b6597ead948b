"""Broadcasting: every member gets all messages, and keeps its offsets in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import wait_for_messages

COUNT = 60


@pytest.mark.parametrize("shared", ["ours", "v55"], indirect=True)
def test_broadcast(shared: tuple[Lab, Cluster], tmp_path: Path) -> None:
    """
    Java's and our programs continue where the one before has stopped.

    Another member gets all messages meanwhile.
    """
    lab, cluster = shared
    topic = "Broadcast"
    lab.make_topic(cluster.names, topic, queues=4)
    options = {
        "topic": topic,
        "group": "G_Broadcast",
        "model": "broadcasting",
        "offsets": str(tmp_path),
    }
    other = lab.consumer("ours", cluster.names, ip="10.0.0.2", **options)
    other.wait_for("started")
    for seed in ("v55", "ours", "v49"):
        lab.sender("ours", cluster.names, topic=topic, seed=seed, plan=f"sync:{COUNT}")
        consumer = lab.consumer(seed, cluster.names, ip="10.0.0.1", **options)
        lines = wait_for_messages([consumer], COUNT, 60)
        consumer.stop()
        check_once(range(COUNT), lines)
        check_contents(seed, lines)
    lines = wait_for_messages([other], 3 * COUNT, 60)
    other.stop()
    assert len(lines) == 3 * COUNT
