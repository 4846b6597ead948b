"""
Masters and slaves of both makes: the slave's commit log is its master's, byte by byte.

Files are small, so that the stream crosses many borders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .lab import OURS, Lab, Server
from .program import wait_until

SETTINGS: dict[str, Any] = {
    "mappedFileSizeCommitLog": 1 << 20,
    "mappedFileSizeConsumeQueue": 100 * 20,
    "slaveReadEnable": "true",
}
SLAVE: dict[str, Any] = {**SETTINGS, "brokerRole": "SLAVE", "brokerId": 1}
COUNT = 3_000
PAIRS = [
    (OURS, OURS),
    (OURS, "v55"),
    (OURS, "v49"),
    ("v55", OURS),
    ("v49", OURS),
]


def files(store: Path) -> dict[str, bytes]:
    """Return the files of a commit log that hold anything."""
    found = sorted((store / "commitlog").glob("*"))
    contents = {path.name: path.read_bytes() for path in found}
    return {name: data for name, data in contents.items() if data.strip(b"\0")}


def is_copied(master: Path, slave: Path) -> bool:
    """
    Return whether the slave's log ends like its master's.

    :raises AssertionError: it holds something else.
    """
    copy = files(slave)
    whole = files(master)
    for name, data in copy.items():
        end = len(data.rstrip(b"\0"))
        assert whole[name][:end] == data[:end], f"{name} differs"
    return bool(copy) and [*whole.items()][-len(copy) :] == [*copy.items()]


def start(lab: Lab, names: Server, make: str, store: Path, master: Server) -> Server:
    """Start a slave of a make."""
    host, _, port = master.address.rpartition(":")
    more = dict(SLAVE)
    if make == OURS:
        more["haMasterAddress"] = f"{host}:{int(port) + 1}"
    return lab.broker(make, names, "broker-pair", store, **more)


@pytest.mark.parametrize(("master", "slave"), PAIRS)
def test_copied(lab: Lab, master: str, slave: str) -> None:
    """Before, under load, and after either was killed, the copy is the master's log."""
    names = lab.name_server("v55")
    stores = lab.scratch / "master", lab.scratch / "slave"
    first = lab.broker(master, names, "broker-pair", stores[0], **SETTINGS)
    lab.make_topic(names, "Pair", queues=4)
    lab.wait_for_route(names, "Pair", first)
    lab.sender("v53", names, topic="Pair", plan=f"sync:{COUNT}").finish()
    second = start(lab, names, slave, stores[1], first)
    wait_until(lambda: is_copied(*stores), 60, "the copy")
    load = lab.sender("v53", names, topic="Pair", plan="async:40000")
    lab.kill(second)
    second = start(lab, names, slave, stores[1], first)
    load.finish()
    wait_until(lambda: is_copied(*stores), 60, "the copy after a kill of the slave")
