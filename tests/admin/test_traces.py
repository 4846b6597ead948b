"""What became of messages, from their traces."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.results.messages import Found, FoundMessage
from rocketmq_tw.admin.traces import trace_of
from rocketmq_tw.client import EARLIEST, Retry
from rocketmq_tw.model.message import Message
from tests.admin.cases import AdminCase


class TraceTests(AdminCase):
    """A producer and consumers that trace."""

    settings: dict[str, Any] = {"trace_topic_enable": True}

    def setUp(self) -> None:
        """Send a message that one group consumes, and another fails at first."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        producer = self.cluster.producer("shop", trace=True)
        message = Message("orders", b"x", "A", ("k1", "k2"))
        self.id = self.cluster.result_of(producer.send(message)).message_id
        self.failures = 1
        options: dict[str, Any] = {"trace": True, "start_from": EARLIEST}
        self.cluster.consumer("billing", "orders", self.fail_once, **options)
        self.cluster.advance(60)

    def fail_once(self, _message: object) -> object:
        """Fail at the first message."""
        self.failures -= 1
        return Retry(1) if self.failures == 0 else None

    def test_events(self) -> None:
        """They are in order: sent, failed, and consumed when it came again."""
        found = self.run_admin(self.admin.messages.trace(self.id))
        kinds = [(each.kind, each.group, each.retries) for each in found.events]
        self.assertEqual(
            kinds,
            [
                ("Pub", "shop", None),
                ("SubBefore", "billing", 0),
                ("SubAfter", "billing", 0),
                ("SubBefore", "billing", 1),
                ("SubAfter", "billing", 1),
            ],
        )
        sent, _, first, _, second = found.events
        self.assertEqual((sent.topic, sent.tag, sent.keys), ("orders", "A", "k1 k2"))
        self.assertEqual((sent.success, sent.outcome), (True, None))
        self.assertEqual((first.success, first.outcome), (False, "FAILED"))
        self.assertEqual((second.success, second.outcome), (True, "SUCCESS"))
        self.assertEqual(sent.client.split(":")[0], "10.0.2.1")
        self.assertEqual((found.is_complete, found.unreadable), (True, 0))

    def test_unknown(self) -> None:
        """A message without a trace, and a topic of traces that is not there."""
        trace = self.admin.messages.trace
        text = self.failure(trace("0" * 32), NotFound)
        self.assertIn('in the topic "RMQ_SYS_TRACE_TOPIC"', text)
        self.assertIn(
            "MyTraces", self.failure(trace(self.id, topic="MyTraces"), NotFound)
        )


class NoTracesTests(AdminCase):
    """Brokers without the topic of traces."""

    def test_hint(self) -> None:
        """The error says what gives brokers that topic."""
        text = self.failure(self.admin.messages.trace("0" * 32), NotFound)
        self.assertIn("traceTopicEnable=true", text)


class OldRecordTests(AdminCase):
    """Records of clients that wrote less."""

    brokers = 1

    def test_group_of_the_record_before(self) -> None:
        """The record after a consumption gets what only the one before says."""
        before = (
            "SubBefore\x011700000000000\x01r\x01billing\x01RQ\x01M1\x012\x01null\x02"
        )
        after = "SubAfter\x01RQ\x01M1\x017\x01true\x01null\x02"
        self.cluster.create_topic("traces", 1)
        self.send("traces", (after + before + "Pub\x01").encode(), keys=["M1"])
        self.cluster.advance(1)
        found = self.run_admin(self.admin.messages.trace("M1", topic="traces"))
        self.assertEqual(
            [each.kind for each in found.events], ["SubBefore", "SubAfter"]
        )
        last = found.events[1]
        self.assertEqual((last.group, last.retries, last.cost), ("billing", 2, 0.007))
        self.assertEqual((last.outcome, found.unreadable), (None, 1))

    def test_unknown_outcome(self) -> None:
        """It is its number."""
        after = "SubAfter\x01RQ\x01M1\x017\x01false\x01null\x019\x021"
        message = _message(after.encode())
        found = trace_of("M1", "traces", Found((message,)))
        self.assertEqual(found.events[0].outcome, "9")


def _message(body: bytes) -> FoundMessage:
    """Return a message of the topic of traces."""
    return FoundMessage(
        message_id="T1",
        offset_id="",
        topic="traces",
        broker="b",
        queue_id=0,
        queue_offset=0,
        commit_log_offset=0,
        tag=None,
        keys=("M1",),
        properties={},
        body=body,
        size=1,
        born=None,
        born_host="10.0.0.1:1",
        stored=None,
        store_host="",
        deliveries=0,
    )
