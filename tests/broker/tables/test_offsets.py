"""Tests of the table of consumer offsets."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.tables.encoded_offsets import SLICE
from rocketmq_tw.broker.tables.offsets import VERSION_STEP, ConsumerOffsets
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable
from tests.broker.doubles import MemoryFile


class ConsumerOffsetsTests(SynchronousTestCase):
    """Offsets are kept in memory, and written when a timer says so."""

    def setUp(self) -> None:
        """Make a table with one offset."""
        self.file = MemoryFile()
        self.offsets = ConsumerOffsets(self.file, clock=Clock())
        self.offsets.commit("CG", "TopicTest", 0, 12)

    def test_returns_what_was_committed(self) -> None:
        """The last commit counts, even a smaller one; unknown queues give None."""
        self.offsets.commit("CG", "TopicTest", 0, 7)
        self.assertEqual(self.offsets.query("CG", "TopicTest", 0), 7)
        self.assertIsNone(self.offsets.query("CG", "TopicTest", 1))
        self.assertIsNone(self.offsets.query("other", "TopicTest", 0))

    def test_shape(self) -> None:
        """It is another one where an offset has come or gone, and only there."""

        def shape_after(*, is_other: bool) -> None:
            before, self.shape = self.shape, self.offsets.shape
            self.assertEqual(self.shape != before, is_other)

        self.shape = self.offsets.shape
        self.offsets.commit("CG", "TopicTest", 0, 13)
        shape_after(is_other=False)
        self.offsets.commit("CG", "TopicTest", 1, 1)
        shape_after(is_other=True)
        self.offsets.commit("CG", "TopicTest", 1, -1)
        shape_after(is_other=True)
        self.offsets.remove_group("CG")
        shape_after(is_other=True)

    def test_below_zero_is_never_committed(self) -> None:
        """A commit of -1 leaves the group without an offset, in table and file."""
        self.offsets.commit("CG", "TopicTest", 1, -1)
        self.assertEqual(self.offsets.of_group("CG"), {"TopicTest": {0: 12}})
        self.offsets.commit("CG", "TopicTest", 0, -1)
        self.assertIsNone(self.offsets.query("CG", "TopicTest", 0))
        self.assertEqual(self.offsets.table, {})
        self.offsets.save()
        assert self.file.text is not None
        self.assertIn(b'"offsetTable":{}', self.file.text)

    def test_below_zero_in_the_file(self) -> None:
        """What another broker stored as -1 was never committed."""
        text = b'{"offsetTable":{"A@CG":{0:-1,1:34},"B@CG":{0:-9223372036854775808}}}'
        read = ConsumerOffsets(MemoryFile(text), clock=Clock())
        read.load()
        self.assertEqual(read.table, {("A", "CG"): {1: 34}})

    def test_limit(self) -> None:
        """So many offsets are kept; what is removed makes space for others."""
        text = b'{"offsetTable":{"A@CG":{0:1,1:1},"B@CG":{0:1}}}'
        offsets = ConsumerOffsets(MemoryFile(text), clock=Clock(), limit=3)
        offsets.load()
        for topic, queue_id in (("A", 2), ("C", 0)):
            commit = (offsets.commit, "CG", topic, queue_id, 1)
            self.assertRaises(TooManyOffsets, *commit)
        offsets.commit("CG", "A", 0, 2)
        self.assertEqual((len(offsets), offsets.refused), (3, 2))
        self.assertNotIn(("C", "CG"), offsets.table)
        offsets.commit("CG", "B", 0, -1)
        offsets.commit("CG", "C", 0, 1)
        offsets.remove_topic("A")
        self.assertEqual(len(offsets), 1)

    def test_offsets_behind_the_end(self) -> None:
        """After a power cut nothing new is passed over; empty queues tell nothing."""
        ends = {0: 9, 1: 12, 2: 20, 3: 0}
        for queue_id in ends:
            self.offsets.commit("CG", "TopicTest", queue_id, 12)
        self.offsets.save()
        self.offsets.bound(lambda topic, queue_id: ends[queue_id])
        expected = {0: 9, 1: 12, 2: 12, 3: 12}
        self.assertEqual(self.offsets.of_group("CG"), {"TopicTest": expected})
        self.offsets.save()
        self.assertEqual(self.file.writes, 2)

    def test_saves_in_slices(self) -> None:
        """A large table is encoded in parts; what is committed meanwhile is due."""
        clock = Clock()
        offsets = ConsumerOffsets(self.file, clock=clock)
        for number in range(SLICE):
            offsets.commit(f"CG{number}", "T", 0, number)
        offsets.save_in_steps()
        self.assertEqual(self.file.writes, 0)
        offsets.commit("CG0", "T", 0, 7)
        offsets.save_in_steps()
        clock.advance(0)
        self.assertEqual(clock.getDelayedCalls(), [])
        read = ConsumerOffsets(self.file, clock=clock)
        read.load()
        self.assertEqual(read.query(f"CG{SLICE - 1}", "T", 0), SLICE - 1)
        self.assertEqual((len(read), self.file.writes), (SLICE, 1))
        offsets.save()
        read.load()
        self.assertEqual(read.query("CG0", "T", 0), 7)

    def test_many_offsets_of_one_group(self) -> None:
        """They are one entry of the file."""
        for queue in range(2 * SLICE + 1):
            self.offsets.commit("CG", "Large", queue, queue + 5)
        text = all_at_once(self.offsets.encode_in_steps())
        table = ConsumerOffsetTable.decode(text).offset_table
        self.assertEqual(table["TopicTest@CG"], {0: 12})
        self.assertEqual(table["Large@CG"], self.offsets.table["Large", "CG"])

    def test_offsets_behind_their_queues(self) -> None:
        """All are corrected, and named in one line."""
        heard: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(heard.append)
        self.addCleanup(globalLogPublisher.removeObserver, heard.append)
        for queue in range(5):
            self.offsets.commit("CG", "T", queue, 10)
        self.offsets.bound(lambda topic, queue: 3)
        self.assertEqual(set(self.offsets.of_group("CG")["T"].values()), {3})
        (line,) = [formatEvent(event) for event in heard]
        self.assertIn("6 offsets were behind", line)
        self.assertIn("CG had read TopicTest/0 up to 12", line)

    def test_save_during_the_slices(self) -> None:
        """The whole text is newer: the slices end, and write nothing over it."""
        clock = Clock()
        offsets = ConsumerOffsets(self.file, clock=clock)
        for number in range(SLICE):
            offsets.commit(f"CG{number}", "T", 0, number)
        offsets.save_in_steps()
        offsets.save()
        clock.advance(0)
        self.assertEqual((self.file.text, self.file.writes), (offsets.encode(), 1))

    def test_small_tables_are_saved_at_once(self) -> None:
        """With the same text as whole; a failure is retried."""
        self.file.error = OSError(28, "No space left on device")
        self.offsets.save_in_steps()
        self.file.error = None
        self.offsets.save_in_steps()
        self.assertEqual(self.file.text, self.offsets.encode())
        self.offsets.save_in_steps()
        self.assertEqual(self.file.writes, 1)

    def test_saves_only_changes(self) -> None:
        """A commit writes nothing; saving twice writes once; so does the same again."""
        self.assertEqual(self.file.writes, 0)
        self.offsets.save()
        self.offsets.commit("CG", "TopicTest", 0, 12)
        self.offsets.save()
        self.assertEqual(self.file.writes, 1)

    def test_failed_save_is_tried_again(self) -> None:
        """What could not be written is still due."""
        self.file.error = OSError(28, "No space left on device")
        self.assertRaises(OSError, self.offsets.save)
        self.file.error = None
        self.offsets.save()
        self.assertEqual(self.file.writes, 1)

    def test_writes_quoted_keys(self) -> None:
        """The text is strict JSON in Apache RocketMQ's shape."""
        self.assertEqual(
            self.offsets.encode(),
            b'{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},'
            b'"offsetTable":{"TopicTest@CG":{"0":12}}}',
        )

    def test_reads_the_original_s_file(self) -> None:
        """Bare integer keys, and what Apache RocketMQ adds, are no obstacle."""
        text = (
            b'{"dataVersion":{"counter":3,"stateVersion":0,"timestamp":9},'
            b'"groupTopicMap":{"CG":["A"]},'
            b'"offsetTable":{"A@CG":{0:12,1:34},"%RETRY%CG@CG":{0:1}}}'
        )
        read = ConsumerOffsets(MemoryFile(text), clock=Clock())
        read.load()
        self.assertEqual(
            read.of_group("CG"), {"A": {0: 12, 1: 34}, "%RETRY%CG": {0: 1}}
        )
        self.assertEqual(read.data_version.counter, 3)

    def test_version_counts_commits_in_steps(self) -> None:
        """The version goes up once every 500 commits that change an offset."""
        for offset in range(1, VERSION_STEP):
            self.offsets.commit("CG", "TopicTest", 0, offset)
            self.offsets.commit("CG", "TopicTest", 0, offset)
        self.assertEqual(self.offsets.data_version.counter, 1)

    def test_removes_groups_and_topics(self) -> None:
        """Offsets go with their group or their topic."""
        self.offsets.commit("other", "TopicTest", 0, 1)
        self.offsets.commit("CG", "B", 0, 1)
        self.offsets.remove_group("CG")
        self.assertEqual(list(self.offsets.table), [("TopicTest", "other")])
        self.offsets.remove_topic("TopicTest")
        self.assertEqual(self.offsets.table, {})
