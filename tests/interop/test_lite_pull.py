"""Java's lite pull consumers and our pull consumers share the queues of one group."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .program import Program, wait_for_messages, wait_until

COUNT = 1000
QUEUES = 8


@pytest.mark.parametrize("shared", ["ours", "v55"], indirect=True)
def test_mixed_group(shared: tuple[Lab, Cluster]) -> None:
    """
    Each message comes once to the group; who follows a stopped member repeats none.
    """
    lab, cluster = shared
    topic = "LitePull"
    lab.make_topic(cluster.names, topic, QUEUES)

    def member(make: str) -> Program:
        return lab.puller(make, cluster.names, topic=topic, group="G_LitePull")

    members = [member(make) for make in ("v49", "v55", "ours", "ours")]
    for each in members:
        each.wait_for("started")
    ours = members[2:]
    wait_until(lambda: shares(ours, topic) == [2, 2], 60, "equal shares")
    plan = f"sync:{COUNT}"
    lab.sender("ours", cluster.names, topic=topic, plan=plan).finish()
    lines = wait_for_messages(members, COUNT, 60)
    check_once(range(COUNT), lines)
    check_contents("s", lines)
    for each in members:
        each.stop()
    # All have committed, ours and Java's: a successor sees nothing, then what is new.
    successor = member("ours")
    wait_until(lambda: shares([successor], topic) == [QUEUES], 60, "all queues")
    lab.sender("ours", cluster.names, topic=topic, plan="sync:40").finish()
    check_once(range(40), wait_for_messages([successor], 40, 60))
    successor.stop()


def shares(members: list[Program], topic: str) -> list[int]:
    """Count the queues of each of our members."""
    found = []
    for each in members:
        queues = each.ask("assignment")["queues"]
        found.append(sum(name == topic for name, _, _ in queues))
    return found
