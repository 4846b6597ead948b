"""
A store directory changes hands while it is busy: messages pending, or a broker killed.

Files are small, so that commit log and consume queues have many; both makes of broker
are given the same sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from .corpus import check_contents, check_once, check_queue_order, message
from .lab import CHECKS, OURS, Lab, Server
from .program import Program, wait_for_messages, wait_until

SETTINGS: dict[str, Any] = {
    "mappedFileSizeCommitLog": 1 << 20,
    "mappedFileSizeConsumeQueue": 100 * 20,
    **CHECKS,
}
PENDING: dict[str, Any] = {
    **SETTINGS,
    "messageDelayLevel": "1h 1h 1h",
    "transactionCheckInterval": 3_600_000,
}
"""The first broker delivers nothing delayed and asks nobody, however slow all is."""
DUE: dict[str, Any] = {**SETTINGS, "messageDelayLevel": "1s 1s 1s"}
"""
The next one finds all of it due, for it is later than a whole level from now.

Both makes think then that the time of day was set back.
"""
CASES = [("ours", "v49"), ("ours", "v55"), ("v49", "ours"), ("v55", "ours")]
MANY = "sync:500,batch:2000,async:2500"
COUNT = 5_000
REFUSED = range(0, 20, 4)
LATER = range(20, 30)
LOAD = 5_000

SERVED = (
    "abort",
    "checkpoint",
    "commitlog/*",
    "config/consumerOffset.json*",
    "config/delayOffset.json*",
    "config/subscriptionGroup.json*",
    "config/timercheck",
    "config/timermetrics*",
    "config/transactionMetrics*",
    "config/topics.json*",
    "consumequeue/*/*/*",
    "index/*",
    "lock",
    "timerlog/*",
    "timerwheel",
)
"""What our broker writes; all else in a directory belongs to features it has not."""


@pytest.mark.parametrize(("writer", "reader"), CASES)
def test_pending(lab: Lab, writer: str, reader: str) -> None:
    """
    After a clean stop another broker delivers what was delayed or sent back, and with
    RocketMQ 5 it asks about transactions that were not decided.

    It serves a topic of 64 queues with batches, in many files, whole; and where ours
    reads Apache's directory, it leaves alone the files of features it has not.
    """
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    broker = lab.broker(writer, names, "broker-moved", store, **PENDING)
    lab.make_topic(names, "Many", queues=64)
    lab.make_topic(names, "Held", queues=4)
    lab.sender("v53", names, topic="Many", plan=MANY).finish()
    hold(lab, names)
    has_transactions = "v55" in (writer, reader)
    if has_transactions:
        leave_undecided(lab, names)
    lab.stop(broker)
    end, foreign = log_end(store), unserved(store)
    broker = lab.broker(reader, names, "broker-moved", store, **DUE)
    lab.wait_for_route(names, "Many", broker)
    consumer = lab.consumer("v49", names, topic="Held", group="G_held")
    check_many(lab, names)
    if has_transactions:
        check_decided(lab, names)
    held = [*REFUSED, *LATER]
    lines = wait_for_messages([consumer], len(held), 90, quiet=2)
    consumer.stop()
    check_once(held, lines)
    check_contents("s", lines)
    assert min(line["commitLogOffset"] for line in lines) >= end, "not pending"
    again = {int(line["properties"]["i"]): line["reconsumeTimes"] for line in lines}
    assert again == {**dict.fromkeys(REFUSED, 1), **dict.fromkeys(LATER, 0)}
    if reader == OURS:
        lab.stop(broker)
        left = unserved(store)
        assert foreign == {name: left.get(name) for name in foreign}


def hold(lab: Lab, names: Server) -> None:
    """Leave five messages sent back and ten delayed ones behind, all pending."""
    options = {"topic": "Held", "group": "G_held", "refuse": 4}
    consumer = lab.consumer("v49", names, **options)
    lab.sender("v53", names, topic="Held", plan="sync:20").finish()
    lines = wait_for_messages([consumer], 20 - len(REFUSED), 60)
    check_once(set(range(20)) - set(REFUSED), lines)
    consumer.wait_for("refused", len(REFUSED))
    lab.sender("v53", names, topic="Held", plan="later:10", **{"from": 20}).finish()
    consumer.stop()


def leave_undecided(lab: Lab, names: Server) -> None:
    """Commit three transactions, roll three back, and leave three undecided."""
    lab.make_topic(names, "Undecided", queues=4)
    plan = {"plan": "commit:3,rollback:3,check:3", "linger": 60}
    sender = lab.sender("v53", names, topic="Undecided", group="P_moved", **plan)
    sender.wait_for("sent", 9)
    sender.kill()


def check_decided(lab: Lab, names: Server) -> None:
    """The three are committed when another producer is asked; the others stay."""
    consumer = lab.consumer("v49", names, topic="Undecided", group="G_moved")
    plan = {"plan": "commit:1", "from": 9, "linger": 60}
    sender = lab.sender("v53", names, topic="Undecided", group="P_moved", **plan)
    lines = wait_for_messages([consumer], 7, 60, quiet=2)
    consumer.stop()
    check_once([*range(3), *range(6, 10)], lines)
    check_contents("s", lines)
    assert {line["i"] for line in sender.events("checked")} == {6, 7, 8}
    sender.kill()


def check_many(lab: Lab, names: Server) -> None:
    """All messages of the topic of 64 queues are there, once, and found by key."""
    key = f"key-s-{COUNT - 1}"
    seen = lab.read("v55", names, topic="Many", key=key)
    lines = seen.events("message")
    check_once(range(COUNT), lines)
    check_contents("s", lines)
    check_queue_order(lines)
    assert len({line["queueId"] for line in lines}) == 64
    check_found(seen, COUNT - 1)


@pytest.mark.parametrize(("writer", "reader"), CASES)
def test_killed_under_load(lab: Lab, writer: str, reader: str) -> None:
    """
    After SIGKILL under load another broker serves every acknowledged message.

    Each is stored where its response says, and queues have no gap. A message not
    acknowledged may be there, too, or twice: the sender tries again.
    """
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    broker = lab.broker(writer, names, "broker-moved", store, **SETTINGS)
    lab.make_topic(names, "Load", queues=8)
    sender = lab.sender("v53", names, topic="Load", plan="async:100000")
    wait_until(lambda: len(sender.events("sent")) >= LOAD, 120, f"{LOAD} messages")
    lab.kill(broker)
    wait_until(lambda: sender.events("failed"), 60, "a send that failed")
    sender.kill()
    assert len(list((store / "commitlog").glob("*"))) > 2
    broker = lab.broker(reader, names, "broker-moved", store, **SETTINGS)
    lab.wait_for_route(names, "Load", broker)
    sent = sender.events("sent")
    last = sent[-1]["i"]
    seen = lab.read("v55", names, topic="Load", key=f"key-s-{last}")
    lines = seen.events("message")
    check_acknowledged(sent, lines)
    check_contents("s", lines)
    check_queue_order(lines)
    check_found(seen, last)
    lab.sender("v53", names, topic="Load", plan="sync:100", seed="after").finish()
    check_queue_order(lab.read("v55", names, topic="Load").events("message"))


def test_to_and_fro(lab: Lab) -> None:
    """A directory that goes from make to make keeps all, however each one ends."""
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    steps: tuple[tuple[str, Callable[[Server], None]], ...] = (
        ("ours", lab.kill),
        ("v53", lab.stop),
        ("ours", lab.stop),
        ("v49", lab.kill),
        ("ours", lab.kill),
        ("v55", lab.kill),
    )
    for number, (make, end) in enumerate(steps):
        broker = lab.broker(make, names, "broker-moved", store, **SETTINGS)
        if number == 0:
            lab.make_topic(names, "Moved", queues=4)
        lab.wait_for_route(names, "Moved", broker)
        first = number * 500
        plan = {"topic": "Moved", "plan": "async:400,batch:100", "from": first}
        lab.sender("v53", names, **plan).finish()
        key = f"key-s-{max(first - 1, 0)}"
        seen = lab.read("v55", names, topic="Moved", key=key)
        check_once(range(first + 500), seen.events("message"))
        check_contents("s", seen.events("message"))
        check_queue_order(seen.events("message"))
        check_found(seen, max(first - 1, 0))
        end(broker)


def test_timers(lab: Lab) -> None:
    """
    Messages wait for their times while Apache's broker, ours and Apache's again serve.

    Each of them takes some and delivers some; all come once, and none that was
    recalled.
    """
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    settings = {**SETTINGS, "recallMessageEnable": True}
    broker = lab.broker("v55", names, "broker-moved", store, **settings)
    lab.make_topic(names, "Timed", queues=4)
    for first, delay in ((0, 1), (10, 25), (20, 50)):
        given = {"topic": "Timed", "from": first, "delay": delay}
        plan = "timed:8,recalled:2" if first else "timed:10"
        lab.sender("v55", names, plan=plan, **given).finish()
    given = {"topic": "Timed", "from": 50, "delay": 25}
    lab.sender("ours", names, plan="timed:8,recalled:2", **given).finish()
    lab.stop(broker)
    broker = lab.broker("ours", names, "broker-moved", store, **settings)
    lab.wait_for_route(names, "Timed", broker)
    for first, delay in ((30, 1), (40, 25)):
        given = {"topic": "Timed", "from": first, "delay": delay}
        lab.sender("ours", names, plan="timed:8,recalled:2", **given).finish()
    consumer = lab.consumer("v49", names, topic="Timed", group="G_timed")
    lines = wait_for_messages([consumer], 34, 90)
    lab.stop(broker)
    lab.broker("v55", names, "broker-moved", store, **settings)
    lines = wait_for_messages([consumer], 50, 120, quiet=3)
    consumer.stop()
    check_once([i for i in range(60) if i < 10 or i % 10 < 8], lines)
    check_contents("s", lines)


@pytest.mark.parametrize(("writer", "reader"), [("v55", "ours"), ("ours", "v55")])
def test_addresses_of_ipv6(lab: Lab, writer: str, reader: str) -> None:
    """Messages that were stored, and born, at an address of IPv6 are read whole."""
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    settings = {**SETTINGS, "brokerIP1": "::1"}
    broker = lab.broker(writer, names, "broker-moved", store, **settings)
    lab.make_topic(names, "Six", queues=4)
    plan = "sync:100,async:800,batch:100"
    lab.sender("v53", names, topic="Six", plan=plan).finish()
    lab.stop(broker)
    broker = lab.broker(reader, names, "broker-moved", store, **SETTINGS)
    lab.wait_for_route(names, "Six", broker)
    seen = lab.read("v55", names, topic="Six", key="key-s-999")
    lines = seen.events("message")
    check_once(range(1000), lines)
    check_contents("s", lines)
    check_queue_order(lines)
    assert all(":" in line["bornHost"] for line in lines), lines[0]
    check_found(seen, 999)


def check_acknowledged(
    sent: Iterable[dict[str, Any]], lines: Iterable[dict[str, Any]]
) -> None:
    """Every acknowledged message is stored at the offset in its response."""
    found = {
        (line["queueId"], line["queueOffset"]): int(line["properties"]["i"])
        for line in lines
    }
    lost = [
        line["i"]
        for line in sent
        if found.get((line["queueId"], line["queueOffset"])) != line["i"]
    ]
    assert not lost, f"{len(lost)} lost, first {lost[:5]}"


def check_found(seen: Program, i: int) -> None:
    """A query by its key has found message ``i``, once or (sent again) more often."""
    digests = {line["digest"] for line in seen.events("found")}
    assert digests == {sha256(message("s", i).body).hexdigest()}


def log_end(store: Path) -> int:
    """Return the commit log offset after the last byte written, but for zeros."""
    last = max((store / "commitlog").iterdir())
    written = last.read_bytes().rstrip(b"\0")
    return int(last.name) + len(written)


def unserved(store: Path) -> dict[str, str]:
    """Return name and digest of each file that belongs to features we have not."""
    files = {path.relative_to(store): path for path in store.rglob("*")}
    return {
        str(name): sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if path.is_file() and not any(name.match(served) for served in SERVED)
    }
