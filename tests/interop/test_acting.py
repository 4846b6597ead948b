"""
Slaves of both makes that act for a master that was killed, with either name server.

The name server lists the slave as master, so that Java's consumer finishes there, and a
master that returns takes over how far it has read.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from .lab import OURS, Lab, Server
from .pairs import some
from .program import wait_for_messages, wait_until
from .test_cluster import ONE_FILE, TOPIC, offsets
from .test_replication import SETTINGS, SLAVE, is_copied

NAMES: dict[str, Any] = {
    "supportActingMaster": "true",
    "notifyMinBrokerIdChanged": "true",
}
ACTING: dict[str, Any] = {
    **SETTINGS,
    **ONE_FILE,
    "enableSlaveActingMaster": "true",
    "totalReplicas": 2,
}
COUNT = 400
#: Name server, master and slave.
TRIOS = [
    (OURS, OURS, "v55"),
    ("v55", "v55", OURS),
    (OURS, OURS, OURS),
    ("v55", OURS, OURS),
    (OURS, "v55", "v55"),
]


def is_master(lab: Lab, names: Server, broker: Server) -> bool:
    """Return whether a broker is listed under id 0."""
    printed = lab.admin(names, f"topicRoute -t {TOPIC}")
    return f'0:"{broker.address}"' in printed.replace(" ", "").replace("\t", "")


@pytest.mark.parametrize(("names", "master", "slave"), some(TRIOS, 2))
def test_acts(lab: Lab, names: str, master: str, slave: str) -> None:
    """
    The consumer finishes on the slave, and the master knows that when it is back.

    A master of Apache's is not started again: on one address with its slave it waits
    for ever for the slave's HA connection, also where all three are Apache's.
    """
    name_server = lab.name_server(names, **NAMES)
    stores = lab.scratch / "master", lab.scratch / "slave"
    first = lab.broker(master, name_server, "broker-pair", stores[0], **ACTING)
    lab.make_topic(name_server, TOPIC, queues=4)
    lab.wait_for_route(name_server, TOPIC, first)
    reader = lab.consumer("v55", name_server, topic=TOPIC, group="G_finish")
    reader.wait_for("started")
    plan = f"sync:{COUNT}"
    lab.sender("v53", name_server, topic=TOPIC, seed="before", plan=plan).finish()
    wait_for_messages([reader], COUNT, 60, quiet=0.5)
    role = {key: SLAVE[key] for key in ("brokerRole", "brokerId")}
    more = {**ACTING, **role}
    second = lab.broker(slave, name_server, "broker-pair", stores[1], **more)
    wait_until(lambda: is_copied(*stores), 60, "the copy of the log")
    wait_until(lambda: sum(offsets(stores[1]).values()) >= COUNT, 90, "the offsets")
    os.kill(reader.pid, signal.SIGSTOP)
    lab.sender("v53", name_server, topic=TOPIC, seed="after", plan=plan).finish()
    wait_until(lambda: is_copied(*stores), 60, "the copy of the log")
    lab.kill(first)
    wait_until(lambda: is_master(lab, name_server, second), 60, "the acting master")
    os.kill(reader.pid, signal.SIGCONT)
    wait_for_messages([reader], 2 * COUNT, 120, quiet=0.5)
    reader.stop()
    wait_until(lambda: sum(offsets(stores[1]).values()) == 2 * COUNT, 60, "offsets")
    if master != OURS:
        return
    again = lab.broker(master, name_server, "broker-pair", stores[0], **ACTING)
    wait_until(lambda: is_master(lab, name_server, again), 60, "the master's return")
    wait_until(lambda: sum(offsets(stores[0]).values()) == 2 * COUNT, 60, "its offsets")
