"""
The Node client ali-ons 3.12.0 on our name server and broker.

What it does that one must know, here and in its tests: it answers nothing that a
server asks, so that a group is shared anew only when its own timer (here 1 s) runs; a
producer fails on a topic that has no route, so that none is made by sending; a message
without a tag is sent with the tag ``null`` unless the property is deleted; a sharding
key whose queue is number 0 is spread over all queues, hence no test of order; it sets
no unique key, and the broker does, as the original's.
"""

from __future__ import annotations

import pytest

from . import steps
from .lab import Cluster, Lab

pytestmark = pytest.mark.parametrize("shared", ["ours"], indirect=True)

PLANS = {"node": "sync:500,async:500"}
OTHER_PLAN = "sync:200,async:400,batch:200,ordered:200"


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    """Install what the Node programs use."""
    steps.build("node")


@pytest.mark.parametrize(
    ("sender", "receivers"),
    [("node", ["node", "ours", "v55"]), ("ours", ["node"]), ("v49", ["node"])],
    ids=["from-node", "ours-to-node", "java-to-node"],
)
def test_round_trip(
    shared: tuple[Lab, Cluster], sender: str, receivers: list[str]
) -> None:
    """Every group gets each message once, equal in body, tag, keys and properties."""
    steps.round_trip(*shared, sender, receivers, PLANS.get(sender, OTHER_PLAN))


def test_tags(shared: tuple[Lab, Cluster]) -> None:
    """Two tags of a topic are read."""
    lab, cluster = shared
    lab.make_topic(cluster.names, "Tags_node", queues=4)
    steps.tags(lab, cluster, "node", "sync:100,async:200")


def test_sent_back(shared: tuple[Lab, Cluster]) -> None:
    """Delayed messages come, and what is sent back comes a second time."""
    steps.sent_back(*shared, "node")


def test_mixed_group(shared: tuple[Lab, Cluster]) -> None:
    """Node, Java and our members: each queue has one owner, also when one has left."""
    steps.mixed_group(*shared, ["node", "v49", "ours", "node"])
