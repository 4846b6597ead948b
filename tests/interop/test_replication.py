"""
Masters and slaves of both makes: the slave's commit log is its master's, byte by byte.

Files are small, so that the stream crosses many borders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .lab import OURS, Lab
from .pairs import some
from .program import wait_until

SETTINGS: dict[str, Any] = {
    "mappedFileSizeCommitLog": 1 << 20,
    "mappedFileSizeConsumeQueue": 100 * 20,
    "slaveReadEnable": "true",
}
SLAVE: dict[str, Any] = {**SETTINGS, "brokerRole": "SLAVE", "brokerId": 1}
COUNT = 200
TOPIC, PAIR = "Pair", "broker-pair"
PAIRS = [
    (OURS, "v55"),
    ("v55", OURS),
    (OURS, OURS),
    (OURS, "v49"),
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
        if whole[name][:end] != data[:end]:
            # It was read while it was written: its start before, and its end after.
            data = (slave / "commitlog" / name).read_bytes()
            assert whole[name][:end] == data[:end], f"{name} differs"
    return bool(copy) and [*whole.items()][-len(copy) :] == [*copy.items()]


def queues(store: Path) -> dict[str, bytes]:
    """Return the entries of the queues of the topic, by queue."""
    found: dict[str, bytes] = {}
    for path in sorted((store / "consumequeue" / TOPIC).glob("*/*")):
        queue = path.parent.name
        found[queue] = found.get(queue, b"") + path.read_bytes().rstrip(b"\0")
    return found


def is_equal(stores: tuple[Path, Path]) -> bool:
    """Return whether both have the same log, and the same queues."""
    return is_copied(*stores) and queues(stores[0]) == queues(stores[1])


@pytest.mark.parametrize(("master", "slave"), some(PAIRS, 2))
def test_copied(lab: Lab, master: str, slave: str) -> None:
    """Before, under load, and after either was killed, the copy is the master's log."""
    names = lab.name_server("v55")
    stores = lab.scratch / "master", lab.scratch / "slave"
    first = lab.broker(master, names, PAIR, stores[0], **SETTINGS)
    lab.make_topic(names, TOPIC, queues=4)
    lab.wait_for_route(names, TOPIC, first)
    lab.sender("v53", names, topic=TOPIC, plan=f"sync:{COUNT}").finish()
    second = lab.broker(slave, names, PAIR, stores[1], **SLAVE)
    wait_until(lambda: is_copied(*stores), 90, "the copy")
    load = lab.sender("v53", names, topic=TOPIC, plan="async:20000")
    lab.kill(second)
    lab.broker(slave, names, PAIR, stores[1], **SLAVE)
    load.finish()
    wait_until(lambda: is_equal(stores), 90, "the copy after a kill of the slave")
    load = lab.sender("v53", names, topic=TOPIC, seed="t", plan="async:20000")
    load.wait_for("sent", 2000)
    lab.kill(first)
    load.kill()
    is_copied(*stores)
    first = lab.broker(master, names, PAIR, stores[0], **SETTINGS)
    lab.wait_for_route(names, TOPIC, first)
    lab.sender("v53", names, topic=TOPIC, seed="u", plan=f"sync:{COUNT}").finish()
    wait_until(lambda: is_equal(stores), 120, "the copy after a kill of the master")
