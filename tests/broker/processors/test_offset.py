"""Tests of asking for offsets and committing them."""

from __future__ import annotations

from rocketmq_tw.broker.processors.offset import OffsetProcessor
from rocketmq_tw.model.group import PREDEFINED_GROUPS
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    GetEarliestStoreTime,
    GetMaxOffset,
    GetMinOffset,
    QueryConsumerOffset,
    SearchOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.pull import COMMIT_OFFSET, SUBSCRIPTION
from tests.broker.cases import GROUP, BrokerCase, pulled, sent
from tests.broker.doubles import call_from
from tests.store.cases import NOW

#: When the first message was stored.
FIRST_MS = int(NOW * 1000)


class OffsetCase(BrokerCase):
    """Has a topic, and a message every tenth of a second."""

    def setUp(self) -> None:
        """Create the topic."""
        super().setUp()
        self.topic("T")

    def fill(self, queue_id: int, count: int, size: int = 5) -> None:
        """Store messages in a queue."""
        for _ in range(count):
            self.ask(sent("T", queue_id=queue_id, body=bytes(size)))
            self.clock.advance(0.125)


class OffsetProcessorTests(OffsetCase):
    """Offsets are those of the table of commits and of the store."""

    def setUp(self) -> None:
        """Store three messages in queue 0."""
        super().setUp()
        self.fill(0, 3)

    def test_committed_offset(self) -> None:
        """What the group committed last is what it gets."""
        self.ask(UpdateConsumerOffset("CG", "T", 1, 11))
        self.assertEqual(self.ask(QueryConsumerOffset("CG", "T", 1)).offset, 11)

    def test_commit_below_zero_is_no_commit(self) -> None:
        """A group that commits -1 starts like one that never committed."""
        for queue_id in (0, 1):
            self.ask(UpdateConsumerOffset("CG", "T", queue_id, 11))
            update = UpdateConsumerOffset("CG", "T", queue_id, -1)
            self.assertEqual(self.ask(update).status, 0)
        self.assertEqual(self.ask(QueryConsumerOffset("CG", "T", 0)).offset, 0)
        self.refused(22, "Not found", QueryConsumerOffset("CG", "T", 0, False))

    def test_young_queue_is_read_from_its_start(self) -> None:
        """Without a commit, a queue with its first message in memory begins at 0."""
        for queue_id in (0, 3):
            response = self.ask(QueryConsumerOffset("CG", "T", queue_id))
            self.assertEqual((response.status, response.offset), (0, 0))

    def test_large_queue_is_unknown(self) -> None:
        """A first message so far back that it is on disk gets code 22."""
        processor = OffsetProcessor(
            store=self.store,
            offsets=self.tables.offsets,
            topics=self.tables.topics,
            groups=self.tables.groups,
            pacer=self.broker.pacer,
            memory_size=self.store.commit_log_max - 1,
        )
        request = QueryConsumerOffset("CG", "T", 0)
        call = call_from(self.peer, self.clock.seconds())
        error = self.assertRaises(Refused, processor.query, request, call)
        self.assertEqual(error.code, 22)

    def test_clients_may_want_no_zero(self) -> None:
        """A client that says so gets 22 in place of 0."""
        self.refused(22, "Not found", QueryConsumerOffset("CG", "T", 0, False))
        self.assertEqual(self.ask(QueryConsumerOffset("CG", "T", 0, True)).offset, 0)

    def test_commit_needs_topic_and_group(self) -> None:
        """Unknown topics, and groups that may not be created, are refused."""
        self.refused(17, "unknown", UpdateConsumerOffset("CG", "unknown", 0, 1))
        self.refused(26, "bad group", UpdateConsumerOffset("bad group", "T", 0, 1))
        self.assertEqual(self.tables.offsets.table, {})

    def test_commit_needs_a_queue(self) -> None:
        """A queue that is not the topic's has no offset; no group is created for it."""
        for queue_id in (-1, 4, 2**31 - 1):
            update = UpdateConsumerOffset("CG2", "T", queue_id, 1)
            self.refused(29, f"queueId[{queue_id}]", update)
        self.assertEqual(self.tables.offsets.table, {})
        self.assertIsNone(self.tables.groups.get("CG2"))

    def test_commit_to_a_queue_that_went(self) -> None:
        """A topic that lost queues with messages keeps their consumers' offsets."""
        self.fill(3, 1)
        self.tables.topics.put(TopicConfig("T", 1, 1))
        self.assertEqual(self.ask(UpdateConsumerOffset("CG", "T", 3, 1)).status, 0)
        self.refused(29, "queueId[2]", UpdateConsumerOffset("CG", "T", 2, 1))

    def test_commit_to_a_queue_only_written(self) -> None:
        """The queues to write count too: a topic may be growing."""
        self.tables.topics.put(TopicConfig("T", 1, 2))
        self.assertEqual(self.ask(UpdateConsumerOffset("CG", "T", 1, 1)).status, 0)

    def test_ends_of_queues(self) -> None:
        """The first and the next offset; 0 for unknown queues."""
        for queue_id, ends in ((0, (0, 3)), (9, (0, 0))):
            low = self.ask(GetMinOffset("T", queue_id))
            high = self.ask(GetMaxOffset("T", queue_id))
            self.assertEqual((low.offset, high.offset), ends)

    def test_search_by_time(self) -> None:
        """The boundary is the lower one unless the client says upper, in any case."""
        for boundary, offset in ((None, 2), ("LOWER", 2), ("upper", 1), ("UPPER", 1)):
            request = SearchOffset("T", 0, FIRST_MS + 200, boundary)
            self.assertEqual(self.ask(request).offset, offset, boundary)

    def test_earliest_store_time(self) -> None:
        """The time of the oldest message; -1 where there is none."""
        found = self.ask(GetEarliestStoreTime("T", 0)).timestamp
        self.assertEqual(found, FIRST_MS)
        self.assertEqual(self.ask(GetEarliestStoreTime("T", 9)).timestamp, -1)

    def test_all_offsets(self) -> None:
        """A slave gets the whole table."""
        self.tables.offsets.commit("CG", "T", 0, 2)
        response = self.ask(GetAllConsumerOffset())
        self.assertIn(b'"offsetTable":{"T@CG":{"0":2}}', response.body)


class OldQueueTests(OffsetCase):
    """A queue that has lost its first messages."""

    settings = {"memory_store_size": 4000}

    def setUp(self) -> None:
        """Store more messages than there is space for."""
        super().setUp()
        self.fill(1, 12, 500)
        self.first = self.store.min_offset("T", 1)
        self.assertGreater(self.first, 0)

    def test_is_unknown(self) -> None:
        """Without a commit it gets code 22."""
        self.refused(22, "Not found", QueryConsumerOffset("CG", "T", 1))

    def test_commit_below_zero_is_no_commit(self) -> None:
        """A group that commits -1 is answered with 22 too."""
        self.ask(UpdateConsumerOffset("CG", "T", 1, -1))
        self.refused(22, "Not found", QueryConsumerOffset("CG", "T", 1))

    def test_begins_later(self) -> None:
        """Its first offset and its oldest time are those of what is left."""
        self.assertEqual(self.ask(GetMinOffset("T", 1)).offset, self.first)
        self.assertEqual(self.ask(GetMaxOffset("T", 1)).offset, 12)
        found = self.ask(GetEarliestStoreTime("T", 1)).timestamp
        self.assertEqual(found, FIRST_MS + 125 * self.first)


class LimitTests(OffsetCase):
    """More groups and offsets than are kept."""

    settings = {
        "max_subscription_groups": len(PREDEFINED_GROUPS) + 1,
        "max_consumer_offsets": 2,
    }

    def test_groups(self) -> None:
        """One too many is not created; those that are there go on."""
        self.assertEqual(self.ask(UpdateConsumerOffset("CG", "T", 0, 1)).status, 0)
        for number in range(3):
            update = UpdateConsumerOffset(f"made-up-{number}", "T", 0, 1)
            self.refused(26, "maxSubscriptionGroups (9) is reached", update)
        self.assertEqual(self.ask(UpdateConsumerOffset("CG", "T", 0, 2)).status, 0)
        self.assertEqual(self.stats.gauges["subscriptionGroups"](), 9)
        self.assertEqual(self.stats.gauges["subscriptionGroupsRefused"](), 3)

    def test_offsets(self) -> None:
        """One too many is not kept; those that are kept may change."""
        for queue_id in (0, 1):
            self.ask(UpdateConsumerOffset("CG", "T", queue_id, 1))
        words = "maxConsumerOffsets (2) is reached"
        self.refused(2, words, UpdateConsumerOffset("CG", "T", 2, 1))
        self.assertEqual(self.ask(UpdateConsumerOffset("CG", "T", 0, 2)).status, 0)
        self.assertEqual(self.stats.gauges["consumerOffsets"](), 2)
        self.assertEqual(self.stats.gauges["consumerOffsetsRefused"](), 1)

    def test_pull(self) -> None:
        """A pull gets its messages all the same."""
        for queue_id in (0, 1):
            self.ask(UpdateConsumerOffset(GROUP, "T", queue_id, 1))
        flags = SUBSCRIPTION | COMMIT_OFFSET
        request = pulled("T", queue_id=2, commit_offset=1, sys_flag=flags)
        self.assertEqual(self.ask(request).status, 19)
        self.assertIsNone(self.tables.offsets.query(GROUP, "T", 2))
