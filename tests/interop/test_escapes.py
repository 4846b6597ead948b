"""
What an acting slave sends to a master of the other make, while its own is gone.

Timed messages, and half messages whose transactions nobody has ended, are sent to two
masters. One is killed; its slave sends what it has to the other one, which delivers it,
or asks the producer.
"""

from __future__ import annotations

from typing import Any

import pytest

from .corpus import check_contents, check_once
from .lab import CHECKS, OURS, Lab
from .pairs import some
from .program import wait_for_messages, wait_until
from .test_acting import ACTING, NAMES
from .test_replication import SLAVE, is_copied

TOPIC = "Escapes"
TIMED, HALVES = 40, 20
#: Seconds until the timed messages are due: their master is killed before.
DELAY = 12
#: Nobody asks about half messages where they were sent.
GROUP: dict[str, Any] = {
    **ACTING,
    **CHECKS,
    "enableRemoteEscape": "true",
    "transactionTimeOut": 600_000,
}
#: The makes of a master, its slave, and the other master.
MAKES = [
    (OURS, OURS, "v55"),
    ("v55", "v55", OURS),
    (OURS, "v55", OURS),
    ("v55", OURS, OURS),
]


@pytest.mark.parametrize(("master", "slave", "single"), some(MAKES, 1))
def test_sent_elsewhere(lab: Lab, master: str, slave: str, single: str) -> None:
    """
    All arrive once; also when the master is back.

    That of Apache's is not started again, see ``test_acting``.
    """
    names = lab.name_server(OURS, **NAMES)
    stores = lab.scratch / "master", lab.scratch / "slave"
    other = lab.broker(single, names, "broker-other", **CHECKS)
    first = lab.broker(master, names, "broker-pair", stores[0], **GROUP)
    role = {key: SLAVE[key] for key in ("brokerRole", "brokerId")}
    lab.broker(slave, names, "broker-pair", stores[1], **{**GROUP, **role})
    lab.make_topic(names, TOPIC, queues=2)
    for server in (first, other):
        lab.wait_for_route(names, TOPIC, server)
    reader = lab.consumer(OURS, names, topic=TOPIC, group="G_escapes")
    reader.wait_for("started")
    count = TIMED + HALVES
    plan = f"timed:{TIMED},check:{HALVES}"
    options = {"topic": TOPIC, "plan": plan, "delay": DELAY, "linger": 120}
    sender = lab.sender(OURS, names, **options)
    sender.wait_for("sent", count, 60)
    of_pair = {
        line["i"] for line in sender.events("sent") if line["broker"] == "broker-pair"
    }
    assert len(of_pair) > count // 4
    wait_until(lambda: is_copied(*stores), 60, "the copy of the log")
    lab.kill(first)
    lines = wait_for_messages([reader], count, 90, quiet=2)
    check_once(range(count), lines)
    check_contents("s", lines)
    moved = [line for line in lines if int(line["properties"]["i"]) in of_pair]
    assert {line["broker"] for line in moved} == {"broker-other"}
    if master == OURS:
        again = lab.broker(master, names, "broker-pair", stores[0], **GROUP)
        lab.wait_for_route(names, TOPIC, again)
        check_once(range(count), wait_for_messages([reader], count, 30, quiet=8))
    sender.kill()
