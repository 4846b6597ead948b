"""Index files written by one make of broker are read and continued by another."""

from __future__ import annotations

import pytest

from .lab import Lab, Server
from .program import wait_until

TOPIC = "IndexDirectory"
#: Messages that each broker gets.
COUNT = 20


@pytest.mark.parametrize(
    "makes",
    [("ours", "v55", "ours"), ("v55", "ours", "v53", "ours", "v49", "ours")],
    ids=["ours-first", "apache-first"],
)
def test_index_moves(lab: Lab, makes: tuple[str, ...]) -> None:
    """Each broker finds all messages by both keys, and goes on in the same file."""
    store = lab.scratch / "store"
    names = lab.name_server("v53")
    ids: dict[str, str] = {}
    for stage, make in enumerate(makes):
        broker = lab.broker(make, names, "broker-moved", store)
        if not stage:
            lab.make_topic(names, TOPIC, queues=2)
        lab.wait_for_route(names, TOPIC, broker)
        first = stage * COUNT
        plan = f"sync:{COUNT}"
        sender = lab.sender("v53", names, topic=TOPIC, plan=plan, **{"from": first})
        sender.finish()
        sent = sender.events("sent")
        assert len(sent) == COUNT
        ids[f"key-s-{first}"] = sent[0]["msgId"]
        ids[f"key-s-{first + COUNT - 1}"] = sent[-1]["msgId"]
        for key, message_id in ids.items():
            find(lab, names, key, message_id)
        find_uniquely(lab, names, *list(ids.items())[max(0, 2 * stage - 1)])
        assert len(list((store / "index").iterdir())) == 1
        if stage + 1 < len(makes):  # A clean stop of Apache's takes up to 20 s.
            lab.stop(broker)
    assert len(ids) == 2 * len(makes)


def find(lab: Lab, names: Server, key: str, message_id: str) -> None:
    """Look a message up with Apache's tool, by its key."""
    command = f"queryMsgByKey -t {TOPIC} -k {key}"
    # The original dispatches a little later than it answers.
    wait_until(lambda: message_id in lab.admin(names, command), 60, command)


def find_uniquely(lab: Lab, names: Server, key: str, message_id: str) -> None:
    """Look a message up with Apache's tool, by its unique key."""
    command = f"queryMsgByUniqueKey -t {TOPIC} -i {message_id}"

    def found() -> bool:
        # The command works once in each of Apache's tools.
        lab.end_tools()
        printed = lab.admin(names, command)
        return key in printed and "Queue Offset" in printed

    wait_until(found, 60, command)
