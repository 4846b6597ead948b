"""Our traces, read by Java's classes and tools, and Java's on our broker."""

from __future__ import annotations

import time

import pytest

from rocketmq_tw.model.topic import TRACE_TOPIC
from rocketmq_tw.wire.record import decode_all
from rocketmq_tw.wire.requests.message import QueryMessage
from rocketmq_tw.wire.trace import TracedMessage
from tests.wire import test_trace as records

from . import apache
from .lab import Cluster, Lab
from .program import wait_until
from .requests import asked
from .test_rocketmq_admin import Admin

_POPS = "G_Pops"


def test_encoding(lab: Lab) -> None:
    """Java writes of our records what we wrote, with all texts and without."""
    reader = apache.program("v55", "ReadTraces", lab.scratch)
    reader.wait_for("started")
    bare = TracedMessage("T", "M1")
    for record in (
        *(made() for made in records.GOLDEN),
        records.sent(bare, None),
        records.before(bare),
        records.ended(None),
        records.sent(TracedMessage("T", "M1", "täg", "käy")),
    ):
        text = record.encode().hex()
        assert reader.ask(text, "written")["text"] == text, record
    whole = "".join(made() for made in records.GOLDEN).encode().hex()
    assert reader.ask(whole, "written")["text"] == whole
    reader.stop()


@pytest.mark.parametrize("shared", ["ours", "v55"], indirect=True)
def test_query(shared: tuple[Lab, Cluster]) -> None:
    """``mqadmin queryMsgTraceById`` shows a message that was sent and consumed."""
    lab, cluster = shared
    topic = "Traced"
    lab.make_topic(cluster.names, topic, queues=1)
    options = {"topic": topic, "group": "G_Traced", "trace": "1"}
    consumer = lab.consumer("ours", cluster.names, **options)
    sender = lab.sender("ours", cluster.names, topic=topic, plan="sync:1", trace="1")
    sender.finish()
    consumer.wait_for("message")
    consumer.stop()
    [line] = consumer.events("message")

    def shown() -> bool:
        text = lab.admin(cluster.names, f"queryMsgTraceById -i {line['msgId']}", "v55")
        return "Pub" in text and "Sub" in text and "G_Traced" in text

    wait_until(shown, 60, "both traces")
    admin = Admin(cluster.names.address)
    events = admin.json("message", "trace", line["msgId"])["events"]
    assert [each["kind"] for each in events] == ["Pub", "SubBefore", "SubAfter"]
    assert [each["group"] for each in events[1:]] == ["G_Traced", "G_Traced"]


@pytest.mark.parametrize("shared", ["ours"], indirect=True)
def test_polls_and_pops(shared: tuple[Lab, Cluster]) -> None:
    """
    A pull consumer writes of a message what Java's does, item for item.

    The requests are those of the dashboard's page. What a simple consumer writes has
    the same form, and tools show all of it.
    """
    lab, cluster = shared
    topic, names = "PolledTraces", cluster.names
    groups = {make: f"G_Polls_{make}" for make in ("v55", "ours")}
    lab.make_topic(names, topic, queues=1)
    pullers = [
        lab.puller(make, names, topic=topic, group=group, trace=1)
        for make, group in groups.items()
    ]
    popped = {"topic": topic, "group": _POPS, "count": 1, "trace": 1}
    receiver = lab.receiver(names, **popped)
    lab.sender("ours", names, topic=topic, plan="sync:1").finish()
    for puller in pullers:
        puller.wait_for("message")
        puller.stop()
    receiver.finish()
    message_id = pullers[0].events("message")[0]["msgId"]
    port = int(cluster.brokers[0].address.rpartition(":")[2])
    wait_until(lambda: len(traced(port, message_id)) == 6, 60, "the index of all")
    found = traced(port, message_id)
    java, ours, pops = (
        [each for each in found if group in each] for group in (*groups.values(), _POPS)
    )
    assert masked(java) == masked(ours) and len(java) == 2
    for before, after in (java, ours, pops):
        assert before[4] == after[1] and before[1] <= after[7]
        assert (before[5], after[2], after[4]) == (message_id, message_id, "true")
    shown = lab.admin(names, f"queryMsgTraceById -i {message_id}", "v55")
    assert all(group in shown for group in (*groups.values(), _POPS)), shown
    events = Admin(names.address).json("message", "trace", message_id)["events"]
    assert len(events) == 6
    assert {each["group"] for each in events} == {*groups.values(), _POPS}


def traced(port: int, key: str) -> list[list[str]]:
    """Query for traces as the dashboard does, and return the items of each record."""
    now = time.time_ns() // 1_000_000
    response = asked(port, QueryMessage(TRACE_TOPIC, key, 64, 0, now))
    bodies = [each.body.decode() for each in decode_all(bytes(response.body or b""))]
    return [each.split("\x01") for each in "".join(bodies).split("\x02")[:-1]]


def masked(records: list[list[str]]) -> list[list[str]]:
    """Return the two records without times, numbers and the group."""
    own = {"SubBefore": {1, 3, 4}, "SubAfter": {1, 7, 8}}
    return [
        ["*" if at in own[items[0]] else item for at, item in enumerate(items)]
        for items in records
    ]
