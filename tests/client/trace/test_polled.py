"""What a pull consumer with traces writes: both records, when a poll returns."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.lite.consumer import PullConsumer
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.topic import TRACE_TOPIC
from tests.client.trace.test_tracer import TracerCase


class PullConsumerTests(TracerCase):
    """Two messages with keys, in one queue."""

    def setUp(self) -> None:
        """Send them."""
        super().setUp()
        self.cluster.create_topic("Q", 1)
        producer = self.cluster.producer("P")
        self.ids = [
            self.cluster.result_of(producer.send(Message("Q", b"x", keys=(key,))))
            for key in ("k1", "k2")
        ]

    def started(self, topic: str = "Q", **options: Any) -> PullConsumer:
        """Start a consumer that has pulled what there is."""
        options.setdefault("trace", True)
        client = self.cluster.client()
        group = "CG" if topic == "Q" else "Other"
        consumer = client.pull_consumer(group, start_from=EARLIEST, **options)
        consumer.subscribe(topic)
        self.cluster.result_of(consumer.start())
        self.cluster.advance(0.1)
        return consumer

    def test_polled(self) -> None:
        """As Java's: what a poll returns has been consumed at once, with success."""
        consumer = self.started()
        self.cluster.result_of(consumer.poll(timeout=0))
        records = self.traces()
        before, after = records[:2], records[2:]
        number = before[0][4]
        expected = [
            [each.message_id, "0", key]
            for each, key in zip(self.ids, ("k1", "k2"), strict=True)
        ]
        self.assertEqual([each[5:] for each in before], expected)
        for each in before:
            self.assertEqual(each[:1] + each[2:5], ["SubBefore", *_REGION, number])
        for each, result, key in zip(after, self.ids, ("k1", "k2"), strict=True):
            self.assertEqual(
                each,
                [
                    *("SubAfter", number, result.message_id, "0", "true", key, "0"),
                    *(before[0][1], "CG"),
                ],
            )

    def test_waited_for(self) -> None:
        """Messages that a poll has waited for are traced, too, and once."""
        consumer = self.started()
        self.cluster.result_of(consumer.poll(timeout=0))
        polled = consumer.poll(timeout=None)
        sent = self.cluster.producer("P").send(Message("Q", b"y"))
        result = self.cluster.result_of(sent)
        self.assertEqual(len(self.cluster.result_of(polled)), 1)
        last = [each for each in self.traces() if result.message_id in each]
        self.assertEqual([each[0] for each in last], ["SubBefore", "SubAfter"])

    def test_not_polled(self) -> None:
        """What was only pulled has no records."""
        self.started()
        self.assertEqual(self.traces(), [])

    def test_loop(self) -> None:
        """A loop over messages polls, too; the stop sends what waits."""
        consumer = self.started()

        async def first() -> None:
            async for _message in consumer:
                break

        self.cluster.result_of(Deferred.fromCoroutine(first()))
        self.cluster.result_of(consumer.stop())
        [stored] = self.cluster.messages(TRACE_TOPIC)
        self.assertEqual(stored.keys, (self.ids[0].message_id, "k1"))

    def test_traces(self) -> None:
        """A consumer of traces does not trace them."""
        self.cluster.result_of(self.started().poll(timeout=0))
        count = len(self.traces())
        reader = self.started(TRACE_TOPIC)
        self.assertTrue(self.cluster.result_of(reader.poll(timeout=0)))
        self.assertEqual(len(self.traces()), count)

    def test_off(self) -> None:
        """Without the option nothing is written."""
        consumer = self.started(trace=False)
        self.assertEqual(len(self.cluster.result_of(consumer.poll(timeout=0))), 2)
        self.assertEqual(self.traces(), [])


_REGION = ("DefaultRegion", "CG")
