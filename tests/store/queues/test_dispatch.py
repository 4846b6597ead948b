"""Tests of making entries from records."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import DELAY_LEVELS_MS
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.dispatch import (
    SCHEDULE_TOPIC,
    dispatch,
    due_time_ms,
    entry_code,
    has_entry,
)
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire.record import Checked

STORED_MS = 1700000000001


def _checked(topic: bytes, properties: bytes, sys_flag: int = 0) -> Checked:
    """Make the facts of a record."""
    return Checked(topic, 2, 0, 0, 100, sys_flag, STORED_MS, properties)


class DispatchTests(SynchronousTestCase):
    """From facts to entries."""

    def test_plain_topics_have_the_hash_of_the_tags(self) -> None:
        """No tags are 0."""
        found = _checked(b"T", b"A\x01b\x02TAGS\x01TagA\x02")
        self.assertEqual(entry_code(found, DELAY_LEVELS_MS), 2598919)
        self.assertEqual(entry_code(_checked(b"T", b""), DELAY_LEVELS_MS), 0)

    def test_delayed_messages_have_their_due_time(self) -> None:
        """The original's vector: level 3 is ten seconds."""
        found = _checked(SCHEDULE_TOPIC, b"DELAY\x013\x02TAGS\x01TagA\x02")
        self.assertEqual(entry_code(found, DELAY_LEVELS_MS), 0x0000018BCFE58F11)

    def test_high_levels_count_as_the_highest(self) -> None:
        """There are eighteen, the last is two hours."""
        self.assertEqual(len(DELAY_LEVELS_MS), 18)
        self.assertEqual(due_time_ms(99, 5, DELAY_LEVELS_MS), 7_200_005)
        self.assertEqual(due_time_ms(1, 5, ()), 1005)

    def test_open_transactions_have_no_entry(self) -> None:
        """Only plain and committed messages are readable."""
        kinds = {flag: has_entry(flag) for flag in (0, 4, 8, 12, 0x80)}
        self.assertEqual(kinds, {0: True, 4: False, 8: True, 12: False, 0x80: False})

    def test_adds_the_entry_once(self) -> None:
        """An illegal topic is passed over; it never was readable."""
        files = OpenFiles()
        self.addCleanup(files.close)
        queues = ConsumeQueues(self.mktemp(), 80, files)
        added = [
            dispatch(queues, 0, _checked(topic, b"", flag), DELAY_LEVELS_MS)
            for topic, flag in ((b"T", 0), (b"T", 0), (b"T", 4), (b"..", 0))
        ]
        self.assertEqual(added, [True, False, False, False])
        self.assertEqual(queues.by_topic(), {"T": [2]})
