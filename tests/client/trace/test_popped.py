"""What a simple consumer with traces writes: of each message what became of it."""

from __future__ import annotations

from rocketmq_tw.client.consumer.simple.consumer import SimpleConsumer
from rocketmq_tw.client.consumer.simple.popped import PoppedMessage
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.topic import TRACE_TOPIC
from tests.client.trace.test_tracer import TracerCase


class SimpleConsumerTests(TracerCase):
    """Two messages that were received."""

    def setUp(self) -> None:
        """Send them."""
        super().setUp()
        producer = self.cluster.producer("P")
        for tag in ("A", "B"):
            self.cluster.result_of(producer.send(Message("T", b"x", tag=tag)))
        self.client = self.cluster.client()
        self.consumer = self.made(True)

    def made(self, trace: bool | str) -> SimpleConsumer:
        """Make a consumer of a group of its own."""
        group = f"CG-{trace}"
        return self.client.simple_consumer(group, invisible_time=10, trace=trace)

    def receive(self) -> list[PoppedMessage]:
        """Receive what there is."""
        return self.cluster.result_of(self.consumer.receive("T", wait=0))

    def ends(self) -> list[list[str]]:
        """Return the id, cost, success and outcome of what has ended."""
        return [
            [each[2], each[3], each[4], each[6]]
            for each in self.traces()
            if each[0] == "SubAfter"
        ]

    def test_acknowledged(self) -> None:
        """Each has a number of its own, and the time until its acknowledgement."""
        first, second = self.receive()
        self.cluster.advance(2)
        self.cluster.result_of(self.consumer.ack(first))
        self.cluster.advance(1)
        self.cluster.result_of(self.consumer.ack_all([second]))
        records = self.traces()
        before, after = records[:2], records[2:]
        self.assertEqual([each[0] for each in before], ["SubBefore"] * 2)
        self.assertEqual([each[4] for each in before], [each[1] for each in after])
        self.assertNotEqual(before[0][4], before[1][4])
        for each, popped in zip(before, (first, second), strict=True):
            expected = ["DefaultRegion", "CG-True", popped.message.message_id, "0"]
            self.assertEqual(each[2:4] + each[5:7], expected)
        self.assertEqual([each[3:5] for each in after], [["2000", "true"]] + _THIRD)

    def test_given_back(self) -> None:
        """That is a failure; the message is traced when it comes again."""
        popped, other = self.receive()
        self.cluster.result_of(self.consumer.ack(other))
        self.cluster.result_of(self.consumer.change_invisible_time(popped, 0))
        self.cluster.advance(1)
        [again] = self.receive()
        self.cluster.result_of(self.consumer.ack(again))
        [_, *failed, last] = self.ends()
        message_id = popped.message.message_id
        self.assertEqual(failed, [[message_id, "0", "false", "4"]])
        self.assertEqual(last, [message_id, "0", "true", "0"])
        retries = [each[6] for each in self.traces() if each[0] == "SubBefore"]
        self.assertEqual(retries, ["0", "0", "1"])

    def test_kept(self) -> None:
        """A message that is kept longer has not ended, and is in time until then."""
        popped, _ = self.receive()
        self.cluster.advance(8)
        kept = self.cluster.result_of(self.consumer.change_invisible_time(popped, 30))
        self.assertEqual(self.ends(), [])
        self.cluster.result_of(self.consumer.ack(kept))
        [[_, _, success, outcome]] = self.ends()
        self.assertEqual((success, outcome), ("true", "0"))

    def test_too_late(self) -> None:
        """A message that somebody else may have by now has timed out."""
        popped, _ = self.receive()
        self.cluster.advance(10)
        self.cluster.result_of(self.consumer.ack(popped))
        [[_, cost, success, outcome]] = self.ends()
        self.assertEqual((cost, success, outcome), ("10000", "false", "1"))

    def test_stop(self) -> None:
        """The client sends what waits before it stops."""
        self.receive()
        self.cluster.result_of(self.client.stop())
        [stored] = self.cluster.messages(TRACE_TOPIC)
        self.assertEqual(stored.body.count(b"SubBefore"), 2)

    def test_other_topic(self) -> None:
        """Traces go to the topic that is named."""
        self.cluster.create_topic("MyTraces")
        self.consumer = self.made("MyTraces")
        self.receive()
        self.assertEqual(len(self.traces("MyTraces")), 2)

    def test_off(self) -> None:
        """Without the option nothing is written or noted."""
        self.consumer = self.made(False)
        popped = self.receive()
        self.assertEqual([each.trace for each in popped], [None, None])
        self.cluster.result_of(self.consumer.ack_all(popped))
        self.assertIsNone(self.consumer.tracer)
        self.assertEqual(self.traces(), [])


_THIRD = [["3000", "true"]]
