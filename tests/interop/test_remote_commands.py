"""
Apache's tools command consumers through brokers.

Ours through Apache's broker, and those in Java and Go through ours.
"""

from __future__ import annotations

import re

import pytest

from . import steps
from .lab import Cluster, Lab
from .program import wait_for_messages, wait_until


@pytest.mark.parametrize("shared", ["v55"], indirect=True)
def test_remote_commands(shared: tuple[Lab, Cluster]) -> None:
    """``mqadmin`` shows what it does, lets it consume a message, resets its offsets."""
    lab, cluster = shared
    topic, group = "RemoteCommands", "G_RemoteCommands"
    lab.make_topic(cluster.names, topic, queues=2)
    consumer = lab.consumer("ours", cluster.names, topic=topic, group=group)
    consumer.wait_for("started")
    lab.sender("ours", cluster.names, topic=topic, plan="sync:20").finish()
    lines = wait_for_messages([consumer], 20, 60)
    connection = lab.admin(cluster.names, f"consumerConnection -g {group}")
    found = re.search(r"\d+(\.\d+){3}@\S+", connection)
    assert found, connection
    client_id = found[0]
    one = f"consumerStatus -g {group} -i {client_id} -s"
    status = lab.admin(cluster.names, one)
    assert re.search(rf"{topic} +broker-v55 +1 +\d+", status), status
    assert "reactor" in status, status
    key = lines[0]["msgId"]
    direct = f"queryMsgByUniqueKey -t {topic} -i {key} -g {group} -d {client_id}"
    printed = lab.admin(cluster.names, direct)
    assert "CR_SUCCESS" in printed, printed
    assert len(consumer.events("message")) == 21
    reset = f"resetOffsetByTime -g {group} -t {topic} -s 0 -f true"
    printed = lab.admin(cluster.names, reset, "v55")
    wait_until(lambda: len(consumer.events("message")) == 41, 60, printed)
    consumer.stop()


@pytest.mark.parametrize("make", ["v49", "v55", "go"])
@pytest.mark.parametrize("shared", ["ours"], indirect=True)
def test_relayed(shared: tuple[Lab, Cluster], make: str) -> None:
    """``mqadmin`` lets a consumer have a message again, and shows its state."""
    lab, cluster = shared
    topic, group = f"Relayed_{make}", f"G_Relayed_{make}"
    if make == "go":
        steps.build("go")
    lab.make_topic(cluster.names, topic, queues=2)
    consumer = lab.consumer(make, cluster.names, topic=topic, group=group)
    consumer.wait_for("started")
    sender = lab.sender("ours", cluster.names, topic=topic, plan="sync:4")
    sender.finish()
    lines = wait_for_messages([consumer], 4, 60)
    connection = lab.admin(cluster.names, f"consumerConnection -g {group}")
    found = re.search(r"\d+(\.\d+){3}@\S+", connection)
    assert found, connection
    status = lab.admin(cluster.names, f"consumerStatus -g {group} -i {found[0]}")
    assert re.search(rf"{topic} +broker-ours +1 +\d+", status), status
    # The other command, by unique key, works only once in a process.
    place = sender.events("sent")[0]["offsetMsgId"]
    direct = f"queryMsgById -i {place} -g {group} -d {found[0]}"
    printed = lab.admin(cluster.names, direct)
    assert "CR_SUCCESS" in printed, printed
    again = wait_for_messages([consumer], 5, 60)[-1]
    assert again["digest"] in {each["digest"] for each in lines}
    consumer.stop()
