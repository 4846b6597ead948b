"""Tests of asking for offsets and committing them."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import GroupNotExist, TopicNotExist
from rocketmq_tw.broker.processors.offset import OffsetProcessor
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    GetEarliestStoreTime,
    GetMaxOffset,
    GetMinOffset,
    QueryConsumerOffset,
    SearchOffset,
    UpdateConsumerOffset,
)
from tests.broker.doubles import MemoryFile, MemoryQueues, call


class OffsetProcessorTests(SynchronousTestCase):
    """Offsets are answered from the table of commits and from the store."""

    def setUp(self) -> None:
        """Make a processor; queue 0 has its first message, queue 1 lost ten."""
        clock = Clock()
        self.store = MemoryQueues()
        self.store.queues["T", 0] = (0, [100, 200, 300])
        self.store.queues["T", 1] = (10, [100, 200])
        self.offsets = ConsumerOffsets(MemoryFile(), clock=clock)
        self.topics = TopicTable(MemoryFile(), "C", "broker-a", clock=clock)
        self.topics.put(TopicConfig("T", 4, 4))
        self.groups = GroupTable(MemoryFile(), clock=clock)
        self.processor = self.make(memory_size=1000)

    def make(self, memory_size: int) -> OffsetProcessor:
        """Make a processor that takes so much of the log to be in memory."""
        return OffsetProcessor(
            store=self.store,
            offsets=self.offsets,
            topics=self.topics,
            groups=self.groups,
            memory_size=memory_size,
        )

    def query(self, queue_id: int, zero: bool | None = None) -> int:
        """Ask how far the group CG has read a queue."""
        request = QueryConsumerOffset("CG", "T", queue_id, zero)
        return self.processor.query(request, call()).offset

    def test_takes_its_requests(self) -> None:
        """The router knows who handles the seven codes."""
        router = Router()
        self.processor.routes(router)
        for code in (14, 15, 29, 30, 31, 32, 43):
            self.assertIsNotNone(router.find(code), code)

    def test_committed_offset_is_answered(self) -> None:
        """What the group committed last is what it gets."""
        self.processor.update(UpdateConsumerOffset("CG", "T", 1, 11), call())
        self.assertEqual(self.query(1), 11)

    def test_young_queue_is_read_from_its_start(self) -> None:
        """Without a commit, a queue with its first message in memory begins at 0."""
        self.assertEqual(self.query(0), 0)
        self.assertEqual(self.query(3), 0)

    def test_old_queue_is_unknown(self) -> None:
        """Without a commit, a queue that lost messages is answered with 22."""
        error = self.assertRaises(Refused, self.query, 1)
        self.assertEqual(error.code, 22)

    def test_large_queue_is_unknown(self) -> None:
        """A first message so far back that it is on disk is answered with 22."""
        self.processor = self.make(memory_size=999)
        self.assertEqual(self.assertRaises(Refused, self.query, 0).code, 22)

    def test_clients_may_want_no_zero(self) -> None:
        """A client that says so gets 22 in place of 0."""
        self.assertEqual(self.assertRaises(Refused, self.query, 0, False).code, 22)
        self.assertEqual(self.query(0, True), 0)

    def test_commit_needs_topic_and_group(self) -> None:
        """Unknown topics, and groups that may not be created, are refused."""
        update = self.processor.update
        request = UpdateConsumerOffset("CG", "unknown", 0, 1)
        self.assertRaises(TopicNotExist, update, request, call())
        request = UpdateConsumerOffset("bad group", "T", 0, 1)
        self.assertRaises(GroupNotExist, update, request, call())
        self.assertEqual(self.offsets.table, {})

    def test_ends_of_queues(self) -> None:
        """The first and the next offset; 0 for unknown queues."""
        for queue_id, ends in ((0, (0, 3)), (1, (10, 12)), (9, (0, 0))):
            low = self.processor.min_offset(GetMinOffset("T", queue_id), call())
            high = self.processor.max_offset(GetMaxOffset("T", queue_id), call())
            self.assertEqual((low.offset, high.offset), ends)

    def test_search_by_time(self) -> None:
        """The boundary is the lower one unless the client says upper, in any case."""
        for boundary, offset in ((None, 1), ("LOWER", 1), ("upper", 2), ("UPPER", 2)):
            request = SearchOffset("T", 0, 200, boundary)
            found = self.processor.search(request, call())
            self.assertEqual(found.offset, offset, boundary)

    def test_earliest_store_time(self) -> None:
        """The time of the oldest message; -1 where there is none."""
        ask = self.processor.earliest_store_time
        self.assertEqual(ask(GetEarliestStoreTime("T", 1), call()).timestamp, 100)
        self.assertEqual(ask(GetEarliestStoreTime("T", 9), call()).timestamp, -1)

    def test_all_offsets(self) -> None:
        """A slave gets the whole table."""
        self.offsets.commit("CG", "T", 0, 2)
        response = self.processor.all(GetAllConsumerOffset(), call())
        self.assertIn(b'"offsetTable":{"T@CG":{"0":2}}', response.body)
