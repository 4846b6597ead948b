"""Tests of looking at consumer groups."""

from __future__ import annotations

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.requests.consumer import GetConsumeStats
from tests.broker.cases import BrokerCase, sent
from tests.broker.doubles import MemoryConnection, client_of
from tests.store.cases import NOW


class ConsumerProcessorTests(BrokerCase):
    """Administrators see how far groups are."""

    def setUp(self) -> None:
        """Create two topics of two queues, and let a group read one of them."""
        super().setUp()
        self.topic("T", 2)
        self.topic("Other", 2)
        for _ in range(3):
            self.ask(sent("T"))
            self.clock.advance(0.5)
        self.offsets = self.tables.offsets
        self.offsets.commit("G", "T", 0, 2)

    def progress(
        self, group: str = "G", topic: str | None = None, topic_list: str | None = None
    ) -> dict[MessageQueue, OffsetState]:
        """Ask how far a group is."""
        request = GetConsumeStats(group, topic, topic_list)
        response = self.successResultOf(maybeDeferred(self.ask, request))
        return ConsumeStats.decode(response.body).offset_table

    def join(self, *topics: str) -> None:
        """Let a member join the group."""
        self.tables.clients.register_consumer(
            "G",
            client_of(MemoryConnection(), self.clock.seconds()),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[Subscription(topic, "*") for topic in topics],
        )

    def test_stats_list_the_queues_to_read(self) -> None:
        """Each has its end, the committed offset, and the time of the last one read."""
        read_ms = int(NOW * 1000) + 500
        self.assertEqual(
            self.progress(),
            {
                MessageQueue("T", "broker-a", 0): OffsetState(3, 2, 2, read_ms),
                MessageQueue("T", "broker-a", 1): OffsetState(0, 0, 0, 0),
            },
        )

    def test_stats_of_an_unknown_group_are_empty(self) -> None:
        """It has read nothing, which is no error; nor is a topic that is gone."""
        self.offsets.commit("G2", "Gone", 0, 5)
        self.assertEqual(self.progress("G2"), {})
        self.assertEqual(self.progress("Nobody"), {})

    def test_stats_of_topics_asked_for(self) -> None:
        """One topic or a list of them takes the place of those with offsets."""
        for wanted in (
            self.progress(topic="Other"),
            self.progress(topic_list="Other;"),
        ):
            self.assertEqual({queue.topic for queue in wanted}, {"Other"})

    def test_stats_leave_out_what_is_no_longer_subscribed(self) -> None:
        """While members are online only their topics count, unless a list is given."""
        self.join("Other")
        self.assertEqual(self.progress(), {})
        self.assertEqual(len(self.progress(topic_list="T;Other")), 4)
