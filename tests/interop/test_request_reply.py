"""Requests of our client, of Java's and of Go's, and replies of all to each other."""

from __future__ import annotations

import pytest

from . import steps
from .lab import Cluster, Lab


@pytest.mark.parametrize(
    ("shared", "makes"),
    [("ours", ["v55", "ours", "go"]), ("v55", ["v49", "ours"])],
    indirect=["shared"],
    ids=["our-broker", "apache-broker"],
)
def test_each_other(shared: tuple[Lab, Cluster], makes: list[str]) -> None:
    """Each replies to all others, itself included; Java compresses what is long."""
    lab, cluster = shared
    if "go" in makes:
        steps.build("go")
    programs = {}
    for make in makes:
        topic = f"Asked_{make}"
        lab.make_topic(cluster.names, topic, queues=1)
        programs[make] = lab.asker(make, cluster.names, topic=topic, group=f"G_{topic}")
    for program in programs.values():
        program.wait_for("started")
    for asker, program in programs.items():
        for responder in makes:
            # Go says of a long reply that it is compressed, and sends it as it is:
            # Java's client has no body then, ours takes it.
            size = 10 if responder == "go" and asker != "ours" else 5000
            body = f"{asker} {'x' * size}"
            reply = program.ask(f"Asked_{responder} {body}", "reply")
            said = "java" if responder.startswith("v") else responder
            assert reply["body"] == f"{said} {body}"
    for program in programs.values():
        assert not program.events("failed")
        program.stop()
