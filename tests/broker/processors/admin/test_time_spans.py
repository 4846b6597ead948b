"""Tests of the times of messages, and how late groups are."""

from __future__ import annotations

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.stats import QueryConsumeTimeSpanBody, QueueTimeSpan
from rocketmq_tw.wire.requests.consumer import QueryConsumeTimeSpan
from tests.broker.cases import BrokerCase, sent
from tests.store.cases import NOW

NOW_MS = int(NOW * 1000)


class TimeSpanTests(BrokerCase):
    """Administrators see of which times the messages of a topic are."""

    def setUp(self) -> None:
        """Store three messages, a second apart, in one of two queues."""
        super().setUp()
        self.topic("T", 2)
        for _ in range(3):
            self.ask(sent("T"))
            self.clock.advance(1)

    def spans(self) -> tuple[QueueTimeSpan, ...]:
        """Ask for the times of all queues, three seconds after the first message."""
        asked = maybeDeferred(self.ask, QueryConsumeTimeSpan("T", "G"))
        self.clock.pump([0.0] * 20)
        body = self.successResultOf(asked).body
        return QueryConsumeTimeSpanBody.decode(body).consume_time_span_set

    def test_group_that_read_nothing(self) -> None:
        """It is at the first message, and as late as that; an empty queue has none."""
        queues = [MessageQueue("T", "broker-a", number) for number in (0, 1)]
        self.assertEqual(
            self.spans(),
            (
                QueueTimeSpan(queues[0], NOW_MS, NOW_MS + 2000, NOW_MS, 3000),
                QueueTimeSpan(queues[1], -1, -1, -1, 0),
            ),
        )

    def test_group_that_has_read(self) -> None:
        """It has the time of the last message read, and is as late as the next."""
        self.tables.offsets.commit("G", "T", 0, 2)
        span = self.spans()[0]
        self.assertEqual(span.consume_time_stamp, NOW_MS + 1000)
        self.assertEqual(span.delay_time, 1000)

    def test_group_that_has_read_all(self) -> None:
        """It is not late."""
        self.tables.offsets.commit("G", "T", 0, 3)
        span = self.spans()[0]
        self.assertEqual((span.consume_time_stamp, span.delay_time), (NOW_MS + 2000, 0))

    def test_many_queues(self) -> None:
        """They are looked at in steps."""
        self.topic("T", 120)
        spans = self.spans()
        self.assertEqual([each.message_queue.queue_id for each in spans], [*range(120)])

    def test_no_such_topic(self) -> None:
        """Code 17."""
        self.refused(17, "Gone", QueryConsumeTimeSpan("Gone", "G"))
