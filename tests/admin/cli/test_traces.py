"""``message trace``."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.client import EARLIEST
from rocketmq_tw.model.message import Message
from tests.admin.cli.cases import CommandCase


class TraceTests(CommandCase):
    """A message that is traced."""

    settings: dict[str, Any] = {"trace_topic_enable": True}

    def test_trace(self) -> None:
        """The table has an event a line; JSON has what the client returns."""
        self.cluster.create_topic("orders", 1)
        producer = self.cluster.producer("shop", trace=True)
        message = Message("orders", b"x", "A", ("k1",))
        sent = self.cluster.result_of(producer.send(message))
        self.cluster.consumer(
            "billing", "orders", lambda m: None, trace=True, start_from=EARLIEST
        )
        self.cluster.advance(20)
        text = self.output("message", "trace", sent.message_id)
        for part in ("orders", "k1", "shop", "Pub", "ok", "billing", "SUCCESS"):
            self.assertIn(part, text)
        found = self.json("message", "trace", sent.message_id, "--since", "1h-ago")
        kinds = [each["kind"] for each in found["events"]]
        self.assertEqual(kinds, ["Pub", "SubBefore", "SubAfter"])
        self.assertIn("no trace of", self.error("message", "trace", "0" * 32))
