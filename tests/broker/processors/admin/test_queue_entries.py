"""Tests of showing the entries of a queue."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.processors.admin.queue_entries import MOST
from rocketmq_tw.model.subscription import parse, tags_code
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.bodies.stats import (
    ConsumeQueueData,
    QueryConsumeQueueResponseBody,
)
from rocketmq_tw.wire.requests.message import QueryQueueEntries
from tests.broker.cases import BrokerCase, sent
from tests.broker.doubles import MemoryConnection, client_of


class QueueEntriesTests(BrokerCase):
    """Administrators see what a queue consists of."""

    def setUp(self) -> None:
        """Store three messages."""
        super().setUp()
        self.topic("T", 2)
        text = properties.encode({"TAGS": "a"})
        self.places = []
        for _ in range(3):
            before = self.store.commit_log_max
            self.ask(sent("T", properties=text))
            self.places.append((before, self.store.commit_log_max - before))

    def entries(self, **fields: Any) -> QueryConsumeQueueResponseBody:
        """Ask for entries."""
        response = self.ask(QueryQueueEntries("T", **fields))
        self.assertEqual(response.status, 0)
        self.remark = response.remark
        return QueryConsumeQueueResponseBody.decode(response.body)

    def test_entries(self) -> None:
        """Each has the offset and size of its record, and its tags code."""
        found = self.entries(index=1, count=10)
        code = tags_code("a")
        self.assertEqual(
            found.queue_data,
            tuple(ConsumeQueueData(*place, code) for place in self.places[1:]),
        )
        self.assertEqual((found.min_queue_index, found.max_queue_index), (0, 3))
        self.assertIsNone(found.subscription_data)
        self.assertEqual(len(self.entries(count=2).queue_data), 2)

    def test_nothing_there(self) -> None:
        """The remark says so; the bounds of the queue are in the response."""
        found = self.entries(index=3, count=10)
        self.assertEqual((found.queue_data, found.max_queue_index), ((), 3))
        self.assertEqual(self.remark, "Index 3 of 0@T is not exist!")
        self.assertEqual(self.entries(queue_id=1, count=1).queue_data, ())

    def test_subscription(self) -> None:
        """That of a group, if one is named; a sentence if it is not online."""
        found = self.entries(count=1, consumer_group="G")
        self.assertEqual(found.filter_data, "G@T is not online!")
        self.tables.clients.register_consumer(
            "G",
            client_of(MemoryConnection()),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[parse("T", "a", 1)],
        )
        found = self.entries(count=1, consumer_group="G")
        assert found.subscription_data is not None
        self.assertEqual(found.subscription_data.sub_string, "a")
        self.assertEqual(found.filter_data, "null")

    def test_no_such_queue(self) -> None:
        """It is refused."""
        for topic, queue_id in (("T", 2), ("T", -1), ("Gone", 0)):
            self.refused(1, "is not exist!", QueryQueueEntries(topic, queue_id))

    def test_many(self) -> None:
        """A response has so many at most."""
        for _ in range(MOST):
            self.ask(sent("T", b"x"))
        found = self.entries(count=1 << 30)
        self.assertLessEqual(len(found.queue_data), MOST)
        self.assertGreater(len(found.queue_data), 0)
