"""Tests of consume queues in memory."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.memory.queues import MemoryQueues
from rocketmq_tw.store.queues.consumequeue import TAIL_LIMIT
from rocketmq_tw.store.queues.dispatch import Dispatcher
from tests.store.cases import DRAFT


class MemoryQueuesTests(SynchronousTestCase):
    """Queues whose entries stay in their tails."""

    def setUp(self) -> None:
        """Make one queue."""
        self.queues = MemoryQueues()
        self.dispatcher = Dispatcher(queues=self.queues, delay_levels_ms=())
        self.queue = self.queues.create(b"T", 0)

    def fill(self, count: int) -> None:
        """Dispatch records of 100 bytes."""
        for number in range(count):
            self.dispatcher.dispatch(self.queue, number * 100, 100, DRAFT, 1)

    def test_changed(self) -> None:
        """Nobody knows which have changed: all may have."""
        for _ in range(2):
            self.fill(1)
            self.assertIsNone(self.queues.take_changed())

    def test_a_long_tail_is_not_written(self) -> None:
        """There is no file for it."""
        count = TAIL_LIMIT // 20 + 10
        self.fill(count)
        self.assertEqual((self.queue.written, self.queue.next), (0, count))
        self.assertEqual(self.queues.dirty, [])

    def test_follows_the_log(self) -> None:
        """Entries of records that are gone are dropped; the offsets stay."""
        self.fill(10)
        self.queues.forget_before(450)
        self.assertEqual((self.queue.min_offset, self.queue.next), (5, 10))
        self.assertEqual(len(self.queue.tail), 5 * 20)
        entry = self.queue.entry(5)
        assert entry is not None
        self.assertEqual(entry[0], 500)

    def test_deleted_topics(self) -> None:
        """All queues of the topic go, and of no other."""
        self.queues.create(b"T", 1)
        self.queues.create(b"Other", 0)
        self.queues.delete_topic("T")
        self.assertEqual(self.queues.by_topic(), {"Other": [0]})
