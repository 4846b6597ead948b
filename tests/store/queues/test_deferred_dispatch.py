"""Tests of records that wait for the disk before they are dispatched."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.queues.deferred_dispatch import AT_ONCE, DeferredDispatch
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.table import ConsumeQueues
from tests.store.cases import draft


class DeferredDispatchTests(SynchronousTestCase):
    """Records of 100 bytes in two queues."""

    def setUp(self) -> None:
        """Make the queues, without files."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.queues = ConsumeQueues(self.mktemp(), 80, files)
        self.dispatcher = Dispatcher(queues=self.queues, delay_levels_ms=())
        self.full: list[str | None] = []
        self.deferred = self.make()
        self.queue = self.queues.create(b"T", 0)
        self.end = 0

    def make(self, **limits: int) -> DeferredDispatch:
        """Make one that notes when it is full."""
        return DeferredDispatch(self.dispatcher, on_full=self.full.append, **limits)

    def add(self, sys_flag: int = 0, topic: bytes = b"T") -> int:
        """Append a record that waits; return its queue offset."""
        queue = self.queues.create(topic, 0)
        queue_offset = self.deferred.next_offset(queue)
        appended = Appended(self.end, 100, queue_offset, 1)
        self.deferred.add_all(queue, [draft(sys_flag=sys_flag)], [appended])
        self.end += 100
        return queue_offset

    def test_offsets_are_given_at_once_and_entries_later(self) -> None:
        """Only what is on disk is dispatched, in order."""
        self.assertEqual([self.add() for _ in range(3)], [0, 1, 2])
        self.assertEqual((self.queue.next, len(self.deferred)), (0, 3))
        self.deferred.dispatch(250)
        self.assertEqual((self.queue.next, len(self.deferred)), (2, 1))
        self.assertEqual(self.add(), 3)
        self.deferred.dispatch(400)
        self.assertEqual((self.queue.next, self.queue.log_end), (4, 400))

    def test_many(self) -> None:
        """After an fsync that hung, a limited number is dispatched at a stretch."""
        for _ in range(2 * AT_ONCE + 5):
            self.add()
        counts, offset = [], 0
        while offset < self.end - 50:
            before = self.queue.next
            offset = self.deferred.dispatch(self.end - 50)
            counts.append(self.queue.next - before)
        self.assertEqual(counts, [AT_ONCE, AT_ONCE, 4])
        self.assertEqual(self.deferred.dispatch(self.end), self.end)
        self.assertEqual((self.queue.next, len(self.deferred)), (2 * AT_ONCE + 5, 0))

    def test_what_is_not_queued_takes_no_offset(self) -> None:
        """It wakes who waits for the next record, when it is on disk."""
        woken: list[int] = []
        self.dispatcher.call_at_next(lambda: woken.append(1))
        self.assertEqual([self.add(), self.add(4), self.add()], [0, 1, 1])
        self.deferred.dispatch(99)
        self.assertEqual(woken, [])
        self.deferred.dispatch(300)
        self.assertEqual((self.queue.next, woken), (2, [1]))

    def test_too_many(self) -> None:
        """A limit is reported once, and again when an fsync has ended."""
        self.deferred = self.make(limit=3)
        for _ in range(4):
            self.add()
        why = "an fsync has not ended, and maxUnflushedMessages (3) is reached"
        self.assertEqual(self.full, [why])
        self.deferred.dispatch(100)
        self.assertEqual(self.full, [why])
        self.deferred.dispatch(200)
        self.assertEqual(self.full, [why, None])

    def test_too_large(self) -> None:
        """So is one in bytes, also if a topic is deleted."""
        self.deferred = self.make(max_size=250)
        for _ in range(4):
            self.add()
        why = "an fsync has not ended, and maxUnflushedSize (250) is reached"
        self.assertEqual((self.full, self.deferred.size), ([why], 400))
        self.deferred.forget(b"T")
        self.assertEqual((self.full, self.deferred.size), ([why, None], 0))

    def test_a_deleted_topic_is_forgotten(self) -> None:
        """Its offsets begin again; the other topics' records stay."""
        self.add()
        self.add(topic=b"Other")
        self.deferred.forget(b"T")
        self.assertEqual(self.deferred.next_offset(self.queue), 0)
        self.deferred.dispatch(200)
        self.assertEqual(self.queue.next, 0)
        self.assertEqual(self.queues.create(b"Other", 0).next, 1)
