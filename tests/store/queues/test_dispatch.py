"""Tests of the one way from a record to its entry, its arrival and the index."""

from types import SimpleNamespace
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import DELAY_LEVELS_MS
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.queues.consumequeue import SCHEDULE_TOPIC, TAIL_LIMIT
from rocketmq_tw.store.queues.dispatch import (
    Dispatcher,
    entry_code,
    is_queued,
    record_code,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire.record import Checked
from tests.store.cases import DRAFT, TAG_A

STORED_MS = 1700000000001


def _checked(topic: bytes, properties: bytes, sys_flag: int = 0) -> Checked:
    """Make the facts of a record."""
    return Checked(topic, 2, 0, 0, 100, sys_flag, STORED_MS, properties)


class CodeTests(SynchronousTestCase):
    """What is decided of a record."""

    def test_plain_topics_have_the_hash_of_the_tags(self) -> None:
        """No tags are 0."""
        found = _checked(b"T", b"A\x01b\x02TAGS\x01TagA\x02")
        self.assertEqual(record_code(found, DELAY_LEVELS_MS), 2598919)
        self.assertEqual(record_code(_checked(b"T", b""), DELAY_LEVELS_MS), 0)

    def test_delayed_messages_have_their_due_time(self) -> None:
        """Apache RocketMQ's vector: level 3 is ten seconds."""
        found = _checked(SCHEDULE_TOPIC, b"DELAY\x013\x02TAGS\x01TagA\x02")
        self.assertEqual(record_code(found, DELAY_LEVELS_MS), 0x0000018BCFE58F11)

    def test_high_levels_count_as_the_highest(self) -> None:
        """There are eighteen, the last is two hours; without any it is a second."""
        self.assertEqual(len(DELAY_LEVELS_MS), 18)
        high = _checked(SCHEDULE_TOPIC, b"DELAY\x0199\x02")
        self.assertEqual(entry_code(high, 5, DELAY_LEVELS_MS), 7_200_005)
        self.assertEqual(entry_code(high, 5, ()), 1005)

    def test_without_a_level(self) -> None:
        """What is no level leaves the hash of the tags."""
        for text in (b"", b"DELAY\x010\x02", b"DELAY\x01x\x02", b"DELAY\x01-1\x02"):
            found = _checked(SCHEDULE_TOPIC, text + b"TAGS\x01TagA\x02")
            self.assertEqual(record_code(found, DELAY_LEVELS_MS), TAG_A)

    def test_open_transactions_have_no_entry(self) -> None:
        """Only plain and committed messages are readable."""
        kinds = {flag: is_queued(flag) for flag in (0, 4, 8, 12, 0x80)}
        self.assertEqual(kinds, {0: True, 4: False, 8: True, 12: False, 0x80: False})


class DispatcherTests(SynchronousTestCase):
    """Entries, listeners, and who waits for the next record."""

    def setUp(self) -> None:
        """Make a table of queues without files."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.queues = ConsumeQueues(self.mktemp(), 80, files)
        self.dispatcher = Dispatcher(
            queues=self.queues, delay_levels_ms=DELAY_LEVELS_MS
        )
        self.queue = self.queues.create(b"T", 2)

    def dispatch(self, at: int = 0) -> None:
        """Dispatch a new record of 100 bytes."""
        self.dispatcher.dispatch(self.queue, at, 100, DRAFT, STORED_MS)

    def test_sizes(self) -> None:
        """Records that are larger than most are counted by their size, on each way."""
        queue, dispatcher = self.queue, self.dispatcher
        dispatcher.dispatch(queue, 0, 1024, DRAFT, STORED_MS)
        self.assertIsNone(queue.larger)
        dispatcher.dispatch(queue, 1024, 1025, DRAFT, STORED_MS)
        stored = [Appended(0, size, 0, STORED_MS) for size in (10, 4096, 4097)]
        dispatcher.dispatch_all(queue, stored, [DRAFT] * 3)
        run: Any = [
            SimpleNamespace(queue=queue, size=size, commit_log_offset=0, tags_code=0)
            for size in (10, 5 << 20)
        ]
        dispatcher.dispatch_run(run, STORED_MS)
        self.assertEqual(queue.larger, [2, 1, 0, 0, 0, 1])
        self.assertEqual(queue.messages, 7)

    def test_records_of_the_log_get_their_entry_once(self) -> None:
        """An illegal topic is passed over; it never was readable."""
        added = [
            self.dispatcher.dispatch_record(0, _checked(topic, b"", flag))
            for topic, flag in ((b"T", 0), (b"T", 0), (b"T", 4), (b"..", 0))
        ]
        self.assertEqual(added, [True, False, False, False])
        self.assertEqual(self.queues.by_topic(), {"T": [2]})

    def test_new_records_get_the_same_entry_as_those_of_the_log(self) -> None:
        """Recovery makes what was there before, the schedule topic's due time too."""
        for topic in (b"New", SCHEDULE_TOPIC):
            record = _checked(topic, b"DELAY\x013\x02TAGS\x01TagA\x02")
            queue = self.queues.create(topic, 2)
            draft = msgspec.structs.replace(DRAFT, properties=record.properties)
            self.dispatcher.dispatch(queue, 0, 100, draft, STORED_MS)
            new = queue.entry(0)
            queue.clear()
            self.dispatcher.dispatch_record(0, record)
            self.assertEqual((new, queue.next), (queue.entry(0), 1))

    def test_a_queue_with_entries_is_dirty(self) -> None:
        """It is written with the others; a long tail is written at once."""
        self.dispatch()
        self.dispatch(100)
        self.assertEqual(self.queues.dirty, [self.queue])
        self.assertEqual(self.queue.written, 0)
        for number in range(TAIL_LIMIT // 20):
            self.dispatch(200 + number * 100)
        self.assertGreater(self.queue.written, 0)
        self.assertEqual(self.queues.dirty, [self.queue])

    def test_entries_of_records_of_the_log_are_written_in_time_too(self) -> None:
        """A slave has no recovery behind it that would write them."""
        self.dispatcher.dispatch_record(0, _checked(b"T", b""))
        self.assertEqual(self.queues.dirty, [self.queue])
        self.queues.flush()
        self.assertEqual(self.queue.written, 1)

    def test_listeners_may_come_and_go_while_they_are_notified(self) -> None:
        """One that is removed by another hears of that record, and of no more."""
        heard: list[str] = []

        def first(*_arrival: object) -> None:
            heard.append("first")
            self.dispatcher.remove_listener(first)
            self.dispatcher.remove_listener(second)

        def second(*_arrival: object) -> None:
            heard.append("second")

        self.dispatcher.add_listener(first)
        self.dispatcher.add_listener(second)
        self.dispatch()
        self.dispatch()
        self.assertEqual(heard, ["first", "second"])

    def test_records_of_the_log_notify_like_new_ones(self) -> None:
        """Each notifies once and wakes the index; one that has an entry does not."""
        heard: list[object] = []
        woken: list[bool] = []
        self.dispatcher.add_listener(lambda *arrival: heard.append(arrival))
        self.dispatcher.call_at_next(lambda: woken.append(True))
        record = _checked(b"T", b"")
        self.dispatcher.dispatch_record(0, record)
        self.dispatcher.dispatch_record(0, record)
        self.dispatcher.dispatch_record(100, _checked(b"T", b"", 4))
        entry = (b"T", 2, 1, record.tags_code, record.store_time_ms)
        self.assertEqual(heard, [entry])
        self.assertEqual(woken, [True])

    def test_who_waits_for_the_next_record_is_called_once(self) -> None:
        """A record that is in no queue counts too, new or read from the log."""
        calls: list[int] = []
        ways = (self.dispatch, self.dispatcher.dispatch_unqueued, self.half_message)
        for number, dispatch in enumerate(ways):
            self.dispatcher.call_at_next(lambda number=number: calls.append(number))
            dispatch()
            dispatch()
        self.assertEqual(calls, [0, 1, 2])

    def half_message(self) -> None:
        """Dispatch a record of the log that is in no queue."""
        self.dispatcher.dispatch_record(100, _checked(b"T", b"", 4))

    def test_waiting_can_be_cancelled(self) -> None:
        """Nothing is called then, and nothing is left to test for."""
        calls: list[int] = []

        def call() -> None:
            calls.append(1)

        self.dispatcher.call_at_next(call)
        self.dispatcher.cancel(call)
        self.dispatch()
        self.assertEqual(calls, [])
