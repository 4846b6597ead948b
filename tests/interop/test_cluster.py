"""
Pairs of masters and slaves of both makes: what a slave copies besides the log, and
consumers that finish on the slave after their master was killed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable, DelayOffsetTable
from rocketmq_tw.wire.bodies.topics import TopicConfigTable

from .corpus import check_contents, check_once
from .lab import OURS, Lab, Server
from .pairs import some
from .program import Program, messages, wait_for_messages, wait_until
from .test_replication import SETTINGS, SLAVE, is_copied

#: One file of the log: a slave of Apache that is empty copies only the last file.
ONE_FILE = {"mappedFileSizeCommitLog": 16 << 20}

TOPIC, GROUP, PAIR = "Finish", "G_finish", "broker-pair"
COUNT = 600
#: Name server, master, slave, and the consumer that finishes on it.
PAIRS = [
    (OURS, OURS, OURS, "v55"),
    ("v55", OURS, "v55", OURS),
    (OURS, "v55", OURS, "v55"),
    (OURS, OURS, OURS, OURS),
    ("v49", OURS, OURS, "v49"),
    (OURS, OURS, "v49", "v53"),
    ("v49", "v49", OURS, OURS),
]


def document(store: Path, name: str, kind: type[Body]) -> Body:
    """Read a document of a broker; an absent one is empty."""
    path = store / "config" / name
    return kind.decode(path.read_bytes()) if path.exists() else kind()


def offsets(store: Path) -> dict[int, int]:
    """Return how far the group has read the topic, as a broker has written it."""
    table = document(store, "consumerOffset.json", ConsumerOffsetTable)
    assert isinstance(table, ConsumerOffsetTable)
    return table.offset_table.get(f"{TOPIC}@{GROUP}", {})


def has_tables(store: Path) -> bool:
    """Return whether a slave has written what it copied from its master."""
    topics = document(store, "topics.json", TopicConfigTable)
    groups = document(store, "subscriptionGroup.json", SubscriptionGroupTable)
    delays = document(store, "delayOffset.json", DelayOffsetTable)
    assert isinstance(topics, TopicConfigTable)
    assert isinstance(groups, SubscriptionGroupTable)
    assert isinstance(delays, DelayOffsetTable)
    return (
        TOPIC in topics.topic_config_table
        and GROUP in groups.subscription_group_table
        and sum(offsets(store).values()) >= COUNT
        and delays.offset_table.get(1) == 1
    )


def send(lab: Lab, names: Server, seed: str, plan: str) -> None:
    """Send messages of a corpus of their own."""
    lab.sender("v53", names, topic=TOPIC, seed=seed, plan=plan).finish()


@pytest.mark.parametrize(("names", "master", "slave", "consumer"), some(PAIRS, 3))
def test_finishes_on_the_slave(
    lab: Lab, names: str, master: str, slave: str, consumer: str
) -> None:
    """All messages arrive, those of the slave too, and their offsets are kept there."""
    name_server = lab.name_server(names)
    stores = lab.scratch / "master", lab.scratch / "slave"
    first = lab.broker(master, name_server, PAIR, stores[0], **{**SETTINGS, **ONE_FILE})
    lab.make_topic(name_server, TOPIC, queues=4)
    lab.wait_for_route(name_server, TOPIC, first)
    reader = lab.consumer(consumer, name_server, topic=TOPIC, group=GROUP)
    reader.wait_for("started")
    send(lab, name_server, "before", f"sync:{COUNT - 1},delayed:1")
    wait_for_messages([reader], COUNT, 60, quiet=0.5)
    wait_until(lambda: sum(offsets(stores[0]).values()) >= COUNT, 60, "the offsets")
    lab.broker(slave, name_server, PAIR, stores[1], **{**SLAVE, **ONE_FILE})
    wait_until(lambda: has_tables(stores[1]), 90, "the copies of the tables")
    finish(lab, name_server, first, stores, reader)


def finish(
    lab: Lab,
    name_server: Server,
    master: Server,
    stores: tuple[Path, Path],
    reader: Program,
) -> None:
    """Send while the consumer sleeps, kill the master, and let the consumer go on."""
    os.kill(reader.pid, signal.SIGSTOP)
    send(lab, name_server, "after", f"sync:{COUNT}")
    wait_until(lambda: is_copied(*stores), 60, "the copy of the log")
    lab.kill(master)
    os.kill(reader.pid, signal.SIGCONT)
    wait_for_messages([reader], 2 * COUNT, 90, quiet=0.5)
    reader.stop()
    lines = messages(reader)
    check_once(range(COUNT), lines[:COUNT])
    check_once(range(COUNT), lines[COUNT:])
    check_contents("after", lines[COUNT:])
    wait_until(lambda: sum(offsets(stores[1]).values()) == 2 * COUNT, 60, "offsets")
