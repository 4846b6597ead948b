"""Tests of looking at consumer groups."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.processors.admin.consumer import (
    AT_ONCE,
    LARGEST,
    ConsumerProcessor,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.bodies.stats import ConsumeStats, ConsumeStatsList, OffsetState
from rocketmq_tw.wire.requests.consumer import GetBrokerConsumeStats, GetConsumeStats
from rocketmq_tw.wire.requests.pop import PopMessage
from tests.broker.cases import BrokerCase, pulled, sent
from tests.broker.doubles import MemoryConnection, call_from, client_of
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

    def test_stats_of_what_was_sent(self) -> None:
        """Messages that members have and have not committed are in flight."""
        self.ask(pulled("T", 2, consumer_group="G"))
        state = self.progress()[MessageQueue("T", "broker-a", 0)]
        self.assertEqual((state.consumer_offset, state.pull_offset), (2, 3))
        self.offsets.commit("G", "T", 0, 3)
        state = self.progress()[MessageQueue("T", "broker-a", 0)]
        self.assertEqual((state.consumer_offset, state.pull_offset), (3, 3))

    def test_rate(self) -> None:
        """Messages per second of all the topics, pulled or popped."""
        self.ask(pulled("T", 0, consumer_group="G", max_msg_nums=2))
        self.ask(sent("Other"))
        self.successResultOf(self.ask(PopMessage("G", "Other", -1, 1, 1000, 0)))
        self.clock.pump([1.0] * 10)
        request = GetConsumeStats("G")
        body = self.successResultOf(maybeDeferred(self.ask, request)).body
        self.assertAlmostEqual(ConsumeStats.decode(body).consume_tps, 0.3)

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

    def test_stats_of_very_many_topics(self) -> None:
        """A list of names is read in steps, also of those that do not exist."""
        names = ";".join(f"x{number}" for number in range(50_000))
        request = GetConsumeStats("G", None, f"T;{names};Other")
        asked = maybeDeferred(self.ask, request)
        self.assertNoResult(asked)
        self.clock.pump([0.0] * 30)
        table = ConsumeStats.decode(self.successResultOf(asked).body).offset_table
        self.assertEqual({queue.topic for queue in table}, {"T", "Other"})

    def test_stats_leave_out_what_is_no_longer_subscribed(self) -> None:
        """While members are online only their topics count, unless a list is given."""
        self.join("Other")
        self.assertEqual(self.progress(), {})
        self.assertEqual(len(self.progress(topic_list="T;Other")), 4)


class AllGroupsTests(BrokerCase):
    """Administrators see how far all groups are."""

    def setUp(self) -> None:
        """Let two groups read two topics, of which one is ordered."""
        super().setUp()
        self.topic("T", 2)
        self.topic("Ordered", 1, order=True)
        for topic in ("T", "T", "Ordered"):
            self.ask(sent(topic))
        for group, topic in (("G", "T"), ("G", "Ordered"), ("G2", "T")):
            self.tables.groups.find(group)
            self.tables.offsets.commit(group, topic, 0, 1)
        self.tables.offsets.commit("Unknown", "T", 0, 1)
        self.tables.offsets.commit("G2", "Gone", 0, 1)

    def everything(self, is_order: bool = False) -> Any:
        """Ask for all groups; return the response."""
        asked = maybeDeferred(self.ask, GetBrokerConsumeStats(is_order))
        self.clock.pump([0.0] * 20)
        return self.successResultOf(asked)

    def found(self, is_order: bool = False) -> dict[str, list[set[str]]]:
        """Return the topics of each table, by group."""
        body = ConsumeStatsList.decode(self.everything(is_order).body)
        return {
            group: [{queue.topic for queue in each.offset_table} for each in tables]
            for entry in body.consume_stats_list
            for group, tables in entry.items()
        }

    def test_all_groups(self) -> None:
        """Each has a table for each topic; what is unknown is left out."""
        self.assertEqual(self.found(), {"G": [{"Ordered"}, {"T"}], "G2": [{"T"}]})
        body = ConsumeStatsList.decode(self.everything().body)
        self.assertEqual(body.broker_addr, "10.0.0.1:10911")
        self.assertEqual((body.total_diff, body.total_inflight_diff), (2, 0))
        ((queues,),) = [entry["G2"] for entry in body.consume_stats_list[1:]]
        self.assertEqual(
            {queue.queue_id: state for queue, state in queues.offset_table.items()},
            {0: OffsetState(2, 1, 1, int(NOW * 1000)), 1: OffsetState(0, 0, 0, 0)},
        )

    def test_ordered_topics(self) -> None:
        """Only these can be asked for."""
        self.assertEqual(self.found(is_order=True), {"G": [{"Ordered"}]})

    def processor(self, largest: int = LARGEST) -> ConsumerProcessor:
        """Make a processor of its own."""
        tables = self.tables
        return ConsumerProcessor(
            topics=tables.topics,
            offsets=tables.offsets,
            clients=tables.clients,
            groups=tables.groups,
            store=self.store,
            progress=tables.progress,
            broker_name="broker-a",
            address="",
            pacer=self.broker.pacer,
            largest=largest,
        )

    def test_many_that_are_not_listed(self) -> None:
        """They are looked at in steps, too."""
        parts = 5
        self.tables.offsets.table.update(
            {("T", f"G{number}"): {0: 1} for number in range(parts * AT_ONCE)}
        )
        steps = sum(1 for _ in self.processor()._all(True))
        self.assertGreaterEqual(steps, 2 * parts)

    def test_too_many(self) -> None:
        """More than fits into a response is refused, and says what to ask instead."""
        processor = self.processor(largest=500)
        call = call_from(self.peer, self.clock.seconds())
        asked = maybeDeferred(processor.all, GetBrokerConsumeStats(False), call)
        self.clock.pump([0.0] * 20)
        refused = self.failureResultOf(asked, Refused).value
        self.assertIn("request 208", refused.remark)
