"""Runs: the log, the queues and the listeners as after messages stored one by one."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import msgspec

from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.run import CopyMessage, RunMessage
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.record_layout import CRC_MASK, FIXED_SIZE
from tests.store.cases import DRAFT, NOW, SIZE, TAG_A, TOPIC, StoreCase, draft

_NOW_MS = int(NOW * 1000)


def message_of(writer: RunWriter, one: Draft) -> RunMessage:
    """Make a message of a run from a draft."""
    queue = writer.find_queue((one.topic, one.queue_id))
    assert queue is not None
    return RunMessage(
        queue,
        FIXED_SIZE + len(one.topic) + len(one.body) + len(one.properties),
        one.flag,
        one.sys_flag,
        one.born_time_ms,
        one.born_host,
        one.body,
        one.properties,
        one.tags_code,
        one.reconsume_times,
    )


class RunWriterCase(StoreCase):
    """Has a store whose queues 0 and 1 exist."""

    def setUp(self) -> None:
        """Put a message into both."""
        super().setUp()
        self.store = self.open()
        for queue_id in (0, 1):
            self.store.put(draft(queue_id=queue_id), NOW)

    @property
    def writer(self) -> RunWriter:
        """The store's."""
        assert self.store.runs is not None
        return self.store.runs

    def put(self, *drafts: Draft) -> list[RunMessage]:
        """Store a run."""
        run = [message_of(self.writer, one) for one in drafts]
        prepared = [
            (index, one.prepared_offset)
            for index, one in enumerate(drafts)
            if one.prepared_offset
        ]
        self.writer.put(run, NOW, prepared)
        return run

    def file(self, store: MessageStore) -> bytes:
        """Read all of a store's log."""
        return b"".join(
            store._log.read(base, 1000) for base in range(0, store.commit_log_max, 1000)
        )


class RunTests(RunWriterCase):
    """Messages that are stored together."""

    def test_like_one_by_one(self) -> None:
        """The log and the queues are as if each had been put."""
        drafts = [
            draft(b"1"),
            draft(b"22", queue_id=1, flag=-1, reconsume_times=3),
            draft(b"33", sys_flag=8, prepared_offset=(1 << 40) + 7),
            draft(b"", properties=b"A\x01b\x02", tags_code=0),
        ]
        run = self.put(*drafts)
        other = self.open(self.mktemp())
        for one in [*(draft(queue_id=queue_id) for queue_id in (0, 1)), *drafts]:
            stored = other.put(one, NOW)
        self.assertEqual(self.file(self.store), self.file(other))
        self.assertEqual(run[-1].commit_log_offset, stored.commit_log_offset)
        self.assertEqual([each.queue_offset for each in run], [1, 1, 2, 3])
        for key, queue in self.store._queues.table.items():
            expected = other._queues.table[key]
            self.assertEqual(queue.tail, expected.tail)
            self.assertEqual(
                (queue.next, queue.log_end), (expected.next, expected.log_end)
            )
            self.assertEqual(
                (queue.messages, queue.size), (expected.messages, expected.size)
            )

    def test_size(self) -> None:
        """The size of all records is returned, and the log has grown by it."""
        run = [message_of(self.writer, draft()) for _ in range(2)]
        before = self.store.commit_log_max
        self.assertEqual(self.writer.put(run, NOW), 2 * SIZE)
        self.assertEqual(self.store.commit_log_max, before + 2 * SIZE)
        log = self.store._log
        self.assertEqual(
            (log.last_offset, log.last_store_time_ms), (before + SIZE, _NOW_MS)
        )

    def test_listeners(self) -> None:
        """They hear of each message in order; one that waits for the next, once."""
        heard: list[Any] = []
        woken: list[str] = []
        self.store.add_listener(lambda *arrival: heard.append(arrival))
        self.store._dispatcher.call_at_next(lambda: woken.append("next"))
        self.put(draft(), draft(queue_id=1), draft())
        topic = TOPIC.encode()
        expected = [
            (topic, queue_id, following, TAG_A, _NOW_MS)
            for queue_id, following in ((0, 2), (1, 2), (0, 3))
        ]
        self.assertEqual((heard, woken), (expected, ["next"]))

    def test_tails_are_written(self) -> None:
        """The timer writes the queues that a run has grown."""
        self.store._queues.flush()
        self.put(draft(), draft(queue_id=1))
        self.assertEqual(len(self.store._queues.dirty), 2)

    def test_recovered(self) -> None:
        """What a killed process stored is there again."""
        self.put(draft(b"1"), draft(b"2"))
        copy = self.open(self.kill())
        self.assertEqual(copy.max_offset(TOPIC, 0), 3)


class CopyTests(RunWriterCase):
    """Copies, whose checksums are known."""

    def test_like_one_by_one(self) -> None:
        """They are as if each had been put, and say where they are from."""
        drafts = [
            draft(b"1", prepared_offset=7),
            draft(b"22", queue_id=1, prepared_offset=8),
            draft(b"333", prepared_offset=9),
        ]
        run = [
            CopyMessage(
                **msgspec.structs.asdict(message_of(self.writer, one)),
                body_crc=crc32(one.body) & CRC_MASK,
                source=one.prepared_offset,
            )
            for one in drafts
        ]
        size = self.writer.put_copies(run, NOW)
        other = self.open(self.mktemp())
        for one in [*(draft(queue_id=queue_id) for queue_id in (0, 1)), *drafts]:
            other.put(one, NOW)
        self.assertEqual(self.file(self.store), self.file(other))
        self.assertEqual(size, sum(each.size for each in run))
        for key, queue in self.store._queues.table.items():
            self.assertEqual(queue.tail, other._queues.table[key].tail)


class CapacityTests(RunWriterCase):
    """How much a run may hold."""

    def test_used_up(self) -> None:
        """It shrinks with each run; a message that is put by itself renews it."""
        before = self.writer.capacity
        self.put(draft(), draft())
        self.assertEqual(self.writer.capacity, before - 2 * SIZE)
        while self.writer.capacity >= SIZE:
            self.put(draft())
        self.store.put(draft(), NOW)
        self.assertGreaterEqual(self.writer.capacity, SIZE)

    def test_refusal(self) -> None:
        """Nothing while the store refuses messages."""
        self.store._admission.set_flush_failure("no")
        self.assertEqual(self.writer.capacity, 0)
        self.store._admission.set_flush_failure(None)
        self.successResultOf(self.store.close())
        self.assertLessEqual(self.writer.capacity, 0)

    def test_unknown_queue(self) -> None:
        """A queue without messages is not there."""
        self.assertIsNone(self.writer.find_queue((DRAFT.topic, 7)))


class V6Tests(StoreCase):
    """A broker with an IPv6 address."""

    config = msgspec.structs.replace(StoreCase.config, store_host=bytes(20))

    def test_nothing(self) -> None:
        """Its records have another layout: it takes no runs."""
        store = self.open()
        store.put(draft(), NOW)
        assert store.runs is not None
        self.assertEqual(store.runs.capacity, 0)


class SyncFlushTests(RunWriterCase):
    """A store that flushes first."""

    config = msgspec.structs.replace(StoreCase.config, sync_flush=True)

    def test_after_the_fsync(self) -> None:
        """A run is dispatched and readable once it is on disk; offsets go on."""
        run = self.put(draft(), draft(queue_id=1), draft())
        self.assertEqual([each.queue_offset for each in run], [1, 1, 2])
        self.assertEqual(self.store.max_offset(TOPIC, 0), 0)
        self.clock.advance(0)
        self.assertEqual(self.store.max_offset(TOPIC, 0), 3)
        self.assertEqual(self.store.flushed, self.store.commit_log_max)
        self.assertEqual(self.put(draft())[0].queue_offset, 3)

    def test_nearly_too_many(self) -> None:
        """Near the limit of what may wait for the fsync each is put by itself."""
        store = self.open(self.mktemp(), max_unflushed_messages=2048)
        assert store.runs is not None
        store.put(draft(), NOW)
        self.assertEqual(store.runs.capacity, 0)
        self.clock.advance(0)
        self.assertGreater(store.runs.capacity, 0)
