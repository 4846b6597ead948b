"""The two records of what a group consumes."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.trace.consumed import ConsumedTraces
from rocketmq_tw.client.trace.dispatcher import TraceDispatcher
from rocketmq_tw.model.message import MSG_REGION, TRACE_ON, Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.trace import ConsumeOutcome


class Sender:
    """Keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def startService(self) -> None:
        """Start."""

    def stopService(self) -> Deferred[None]:
        """Stop."""
        return succeed(None)

    def send(self, message: Message) -> Deferred[Any]:
        """Keep a message."""
        self.sent.append(message)
        return succeed(None)


class ConsumedTracesTests(SynchronousTestCase):
    """Messages that a broker has stored."""

    def setUp(self) -> None:
        """Store two messages."""
        cluster = MemoryCluster()
        cluster.start()
        self.addCleanup(cluster.stop)
        cluster.create_topic("T")
        for body in (b"a", b"b"):
            cluster.result_of(cluster.producer("P").send(Message("T", body)))
        self.messages = cluster.messages("T")
        self.time = 5.0
        self.sender = Sender()
        dispatcher = TraceDispatcher("X", lambda: self.sender, Clock())
        self.traces = ConsumedTraces(dispatcher, group="G", now=lambda: self.time)

    def records(self) -> list[list[str]]:
        """Return the items of all records."""
        self.traces.stop()
        text = "".join(each.body.decode() for each in self.sender.sent)
        return [each.split("\x01") for each in text.split("\x02")[:-1]]

    def test_together(self) -> None:
        """What is consumed together has one number, and shares the time it took."""
        begun = self.traces.begin(self.messages)
        assert begun is not None
        self.time = 6.0
        self.traces.end(begun, lambda _: ConsumeOutcome.SUCCESS)
        records = self.records()
        self.assertEqual(
            [each[0] for each in records], ["SubBefore"] * 2 + ["SubAfter"] * 2
        )
        self.assertEqual([each[1] for each in records[:2]], ["5000"] * 2)
        self.assertEqual([each[3] for each in records[2:]], ["500"] * 2)
        numbers = [each[4] for each in records[:2]] + [each[1] for each in records[2:]]
        self.assertEqual(set(numbers), {begun.request_id})

    def test_unwanted(self) -> None:
        """A message that says so has none, beside others that have."""
        self.messages[0].properties[TRACE_ON] = "false"
        begun = self.traces.begin(self.messages)
        assert begun is not None
        [record] = self.records()
        self.assertEqual(record[5], self.messages[1].message_id)

    def test_all_unwanted(self) -> None:
        """Nothing is left to end, then."""
        for each in self.messages:
            each.properties[TRACE_ON] = "false"
        self.assertIsNone(self.traces.begin(self.messages))
        self.assertEqual(self.records(), [])

    def test_traces(self) -> None:
        """Messages of the topic of traces have none, else it would never end."""
        self.traces.topic = "T"
        self.assertIsNone(self.traces.begin(self.messages))

    def test_no_region(self) -> None:
        """A message without a region is traced nevertheless."""
        del self.messages[0].properties[MSG_REGION]
        self.traces.begin(self.messages[:1])
        self.assertEqual(self.records()[0][2], "DefaultRegion")

    def test_failure(self) -> None:
        """What cannot be traced is logged, and consumed nevertheless."""

        def outcome(_message: object) -> ConsumeOutcome:
            raise ValueError("what became of it?")

        begun = self.traces.begin(self.messages)
        assert begun is not None
        self.traces.end(begun, outcome)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(len(self.records()), 2)
