"""Our traces, read by Java's classes and tools, and Java's on our broker."""

from __future__ import annotations

import pytest

from rocketmq_tw.wire.trace import TracedMessage
from tests.wire import test_trace as records

from . import apache
from .lab import Cluster, Lab
from .program import wait_until


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
