"""What a producer with traces writes, and that others write nothing."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.topic import TRACE_TOPIC
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.trace import TracedMessage

ADDRESS = "10.0.1.1:10911"


class TracerCase(SynchronousTestCase):
    """A broker with a topic of traces."""

    settings: dict[str, Any] = {"trace_topic_enable": True}

    def setUp(self) -> None:
        """Start the cluster."""
        self.cluster = MemoryCluster(broker_settings=self.settings)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T")

    def producer(self, trace: bool | str = True, **options: Any) -> Producer:
        """Make a producer."""
        return self.cluster.producer("PG", trace=trace, **options)

    def traces(self, topic: str = TRACE_TOPIC) -> list[list[str]]:
        """Let time pass, and return the items of all records."""
        self.cluster.advance(6)
        bodies = [each.body.decode() for each in self.cluster.messages(topic)]
        return [record.split("\x01") for record in "".join(bodies).split("\x02")[:-1]]


class ProducerTests(TracerCase):
    """Messages that are sent."""

    def test_sent(self) -> None:
        """One record, found by the message's id and its keys."""
        message = Message("T", b"hello", tag="A", keys=("k1", "k2"))
        result = self.cluster.result_of(self.producer().send(message))
        [record] = self.traces()
        expected = [
            *("Pub", record[1], "DefaultRegion", "PG", "T", result.message_id, "A"),
            *("k1 k2", ADDRESS, "5", record[10], "0", result.offset_message_id, "true"),
        ]
        self.assertEqual(record, expected)
        self.assertEqual(record[1][:7], "1700000")
        [stored] = self.cluster.messages(TRACE_TOPIC)
        self.assertEqual(stored.keys, (result.message_id, "k1", "k2"))

    def test_body_as_sent(self) -> None:
        """The size is that of the compressed body, as Java's."""
        self.cluster.result_of(self.producer().send(Message("T", b"x" * 10_000)))
        [record] = self.traces()
        self.assertLess(int(record[9]), 100)

    def test_delayed(self) -> None:
        """The kind says so."""
        delayed = Message("T", b"x", delay_level=1)
        self.cluster.result_of(self.producer().send(delayed))
        self.assertEqual(self.traces()[0][11], "3")

    def test_batch(self) -> None:
        """It has one record with the ids of all."""
        batch = [Message("T", b"a"), Message("T", b"b")]
        result = self.cluster.result_of(self.producer().send_batch(batch))
        [record] = self.traces()
        self.assertEqual(record[5], result.message_id)
        self.assertEqual(record[5].count(","), 1)

    def test_not_sent(self) -> None:
        """A message without a result has no record."""
        producer = self.producer()
        sending = producer.send(Message("T", b""))
        self.failureResultOf(sending, ValidationError)
        self.cluster.result_of(producer.send_oneway(Message("T", b"x")))
        self.assertEqual(self.traces(), [])

    def test_own_topic(self) -> None:
        """Traces may go to another topic, whose own messages have none."""
        self.cluster.create_topic("Own", 1)
        producer = self.producer(trace="Own")
        self.cluster.result_of(producer.send(Message("T", b"x")))
        self.assertEqual(len(self.traces("Own")), 1)
        self.cluster.result_of(producer.send(Message("Own", b"x")))
        self.assertEqual(len(self.traces("Own")), 1)
        self.assertEqual(self.traces(), [])

    def test_stopped(self) -> None:
        """What waits is written before the producer is gone; a new one may follow."""
        producer = self.producer()
        client = self.cluster.clients[-1]
        self.cluster.result_of(producer.send(Message("T", b"x")))
        self.cluster.result_of(producer.stop())
        self.assertEqual(len(self.cluster.messages(TRACE_TOPIC)), 1)
        again = client.producer("PG", trace=True)
        self.cluster.result_of(again.send(Message("T", b"x")))
        self.assertEqual(len(self.traces()), 2)

    def test_longest_group(self) -> None:
        """The group of what sends the traces has a legal name, too."""
        producer = self.cluster.producer("G" * 120, trace=True)
        self.cluster.result_of(producer.send(Message("T", b"x")))
        self.assertEqual(self.traces()[0][3], "G" * 120)

    def test_transactions_and_recalls(self) -> None:
        """Who ends a transaction or recalls a message adds a record."""
        producer = self.producer()
        tracer = producer._sends.tracer
        assert tracer is not None
        tracer.transaction_ended(
            TracedMessage("T", "M1"),
            region="R",
            host=ADDRESS,
            transaction_id="M1",
            state="ROLLBACK_MESSAGE",
            from_check=False,
        )
        tracer.recalled("T", "M2", region="R", success=True)
        first, second = self.traces()
        self.assertEqual(
            first[0:6:3] + first[9:],
            ["EndTransaction", "PG", "2", "M1", "ROLLBACK_MESSAGE", "false"],
        )
        self.assertEqual(second[2:], ["R", "PG", "T", "M2", "true"])


class RecallTests(TracerCase):
    """Timed messages that are recalled."""

    settings = {"trace_topic_enable": True, "recall_message_enable": True}

    def test_recalled(self) -> None:
        """A recall that the broker has stored has a record with the message's id."""
        producer = self.producer()
        sent = self.cluster.result_of(producer.send(Message("T", b"x", delay=3600)))
        handle = sent.recall_handle
        assert handle is not None
        self.cluster.result_of(producer.recall("T", handle))
        kinds = {record[0]: record for record in self.traces()}
        self.assertEqual(kinds["Recall"][4:], ["T", sent.message_id, "true"])
        self.assertEqual(kinds["Pub"][11], "3")


class OffTests(TracerCase):
    """No traces unless they are asked for."""

    def test_off_by_default(self) -> None:
        """A producer has no tracer, and nothing is written."""
        producer = self.cluster.producer("PG")
        self.cluster.result_of(producer.send(Message("T", b"x")))
        self.assertIsNone(producer._sends.tracer)
        self.assertEqual(self.traces(), [])


class BrokerOffTests(TracerCase):
    """``traceOn=false``."""

    settings = {"trace_topic_enable": True, "trace_on": False}

    def test_broker_wants_none(self) -> None:
        """The broker says in its response that messages are not traced."""
        self.cluster.result_of(self.producer().send(Message("T", b"x")))
        self.assertEqual(self.traces(), [])
