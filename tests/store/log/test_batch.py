"""Tests of messages that are stored together."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import RecordTooLong
from rocketmq_tw.store.log.batch import append_all, append_and_dispatch, check_batch
from rocketmq_tw.store.memory.log import MemoryLog
from rocketmq_tw.store.memory.queues import MemoryQueues
from rocketmq_tw.store.queues.consumequeue import SCHEDULE_TOPIC
from rocketmq_tw.store.queues.dispatch import Dispatcher
from tests.store.cases import SIZE, draft


class BatchTests(SynchronousTestCase):
    """Batches of one queue."""

    def setUp(self) -> None:
        """Make a log and queues in memory."""
        self.log = MemoryLog(1 << 20, b"\x7f\0\0\1\0\0\x2a\x9f")
        self.queues = MemoryQueues()
        self.dispatcher = Dispatcher(queues=self.queues, delay_levels_ms=())
        self.queue = self.queues.create(b"TopicTest", 0)

    def test_checked_before_any_is_stored(self) -> None:
        """One queue, all of them queued or none, none too long."""
        check_batch([draft(), draft()], 10)
        check_batch([draft(sys_flag=4), draft(sys_flag=12)], 10)
        for other in (draft(topic=b"X"), draft(queue_id=1), draft(sys_flag=4)):
            self.assertRaises(ValueError, check_batch, [draft(), other], 10)
        self.assertRaises(RecordTooLong, check_batch, [draft(), draft(bytes(11))], 10)

    def test_side_by_side(self) -> None:
        """Offsets in the log and in the queue follow each other."""
        stored = append_all(self.log, [draft(), draft()], 7, 1)
        self.assertEqual([each.commit_log_offset for each in stored], [0, SIZE])
        self.assertEqual([each.queue_offset for each in stored], [7, 8])
        self.assertEqual([each.size for each in stored], [SIZE, SIZE])

    def test_dispatched(self) -> None:
        """Each has its entry and its arrival."""
        heard: list[int] = []
        self.dispatcher.add_listener(lambda *arrival: heard.append(arrival[2]))
        drafts = [draft(), draft(), draft()]
        stored = append_and_dispatch(self.log, self.dispatcher, self.queue, drafts, 1)
        self.assertEqual([each.queue_offset for each in stored], [0, 1, 2])
        self.assertEqual((heard, self.queue.next), ([1, 2, 3], 3))

    def test_dispatched_without_listeners(self) -> None:
        """The entries are the same, appended at once."""
        drafts = [draft(tags_code=code) for code in (7, 8, 9)]
        stored = append_and_dispatch(self.log, self.dispatcher, self.queue, drafts, 1)
        other = self.queues.create(b"TopicTest", 1)
        for each, message in zip(stored, drafts, strict=True):
            self.dispatcher.dispatch(
                other, each.commit_log_offset, each.size, message, 1
            )
        queue = self.queue
        self.assertEqual(queue.tail, other.tail)
        self.assertEqual((queue.next, queue.log_end), (other.next, other.log_end))
        self.assertEqual(queue.tail_limit, other.tail_limit)

    def test_delayed(self) -> None:
        """Entries of the schedule topic have times in place of tags codes."""
        queue = self.queues.create(SCHEDULE_TOPIC, 0)
        delayed = draft(topic=SCHEDULE_TOPIC, properties=b"DELAY\x011\x02")
        append_and_dispatch(self.log, self.dispatcher, queue, [delayed], 5)
        entry = queue.entry(0)
        assert entry is not None
        self.assertEqual(entry[2], 1005)

    def test_not_queued(self) -> None:
        """Half messages have queue offset 0 and no entry."""
        drafts = [draft(sys_flag=4), draft(sys_flag=4)]
        stored = append_and_dispatch(self.log, self.dispatcher, self.queue, drafts, 1)
        self.assertEqual([each.queue_offset for each in stored], [0, 0])
        self.assertEqual(self.queue.next, 0)
