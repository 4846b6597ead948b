"""A store directory written by one make of broker is read by another."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from .corpus import check_contents, check_once, check_queue_order, message
from .lab import Lab, Server
from .program import wait_for_messages

COUNT = 10_000
FIRST = "sync:1000,async:3000,batch:2000"
SECOND = "async:4000"
SPLIT = 6_000
TOPIC = "StoreDirectory"


CASES = [
    ("ours", "v49"),
    ("ours", "v53"),
    ("ours", "v55"),
    ("v49", "ours"),
    ("v53", "ours"),
    ("v55", "ours"),
]


@pytest.mark.parametrize(("writer", "reader"), CASES)
def test_store_directory(lab: Lab, writer: str, reader: str) -> None:
    """
    After a clean stop another broker serves the messages, the keys and the offsets.

    It goes on where the first one stopped: queue offsets without a gap, and a group
    gets only what it had not consumed.
    """
    store = lab.scratch / "store"
    names = lab.name_server("v49")
    write(lab, writer, names, store)
    broker = lab.broker(reader, names, "broker-moved", store)
    lab.wait_for_route(names, TOPIC, broker)
    lab.sender("v53", names, topic=TOPIC, plan=SECOND, **{"from": SPLIT}).finish()
    key = f"key-s-{SPLIT - 1}"
    seen = lab.read("v55", names, topic=TOPIC, key=key)
    lines = seen.events("message")
    check_once(range(COUNT), lines)
    check_contents("s", lines)
    check_queue_order(lines)
    digest = sha256(message("s", SPLIT - 1).body).hexdigest()
    assert [found["digest"] for found in seen.events("found")] == [digest]
    keeper = lab.consumer("v49", names, topic=TOPIC, group="G_keeper")
    check_once(range(SPLIT, COUNT), wait_for_messages([keeper], COUNT - SPLIT, 60))
    keeper.stop()


def write(lab: Lab, make: str, names: Server, store: Path) -> None:
    """Fill a store directory with messages that one group has consumed; close it."""
    broker = lab.broker(make, names, "broker-moved", store)
    lab.make_topic(names, TOPIC, queues=4)
    lab.sender("v53", names, topic=TOPIC, plan=FIRST).finish()
    keeper = lab.consumer("v49", names, topic=TOPIC, group="G_keeper")
    wait_for_messages([keeper], SPLIT, 60)
    keeper.stop()
    lab.stop(broker)
