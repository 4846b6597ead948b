"""Tests of the table of topics."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TopicNotExist
from rocketmq_tw.broker.tables.topic_file import SLICE
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.model.topic import TopicConfig
from tests.broker.doubles import MemoryFile


class TopicTableTests(SynchronousTestCase):
    """Topics come about in Apache RocketMQ's ways, and are kept."""

    def setUp(self) -> None:
        """Make a table with the topics every broker has."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.file = MemoryFile()
        self.table = self.make()

    def make(self, **settings: bool) -> TopicTable:
        """Make a table on the file and load it."""
        table = TopicTable(
            self.file,
            "DefaultCluster",
            "broker-a",
            clock=self.clock,
            schedule=self.clock.callLater,
            **settings,
        )
        table.load()
        self.clock.advance(0)
        return table

    def send(self, topic: str, queues: int = 4, default: str = "TBW102") -> TopicConfig:
        """Create a topic as a send does."""
        return self.table.create_on_send(topic, default, queues, 0, "10.0.0.9:1")

    def test_starts_with_the_original_s_topics(self) -> None:
        """A new broker has the default topics, with their queues and permissions."""
        shown = {
            name: (config.write_queue_nums, config.perm)
            for name, config in self.table.table.items()
        }
        self.assertEqual(
            shown,
            {
                "SELF_TEST_TOPIC": (1, 6),
                "TBW102": (8, 7),
                "BenchmarkTest": (1024, 6),
                "DefaultCluster": (16, 7),
                "broker-a": (1, 7),
                "OFFSET_MOVED_EVENT": (1, 6),
                "SCHEDULE_TOPIC_XXXX": (18, 6),
                "DefaultCluster_REPLY_TOPIC": (1, 6),
                "rmq_sys_REVIVE_LOG_DefaultCluster": (8, 6),
                "rmq_sys_SYNC_BROKER_MEMBER_broker-a": (1, 1),
                "RMQ_SYS_TRANS_HALF_TOPIC": (1, 6),
                "RMQ_SYS_TRANS_OP_HALF_TOPIC": (1, 6),
            },
        )

    def test_send_creates_after_the_default_topic(self) -> None:
        """A new topic has the producer's queues, and no right to be inherited from."""
        created = self.send("TopicTest", 4)
        self.assertEqual(created, TopicConfig("TopicTest", 4, 4, 6))

    def test_default_topic_bounds_the_queues(self) -> None:
        """A producer gets no more queues than the default topic has, nor below 0."""
        self.assertEqual(self.send("Wide", 100).read_queue_nums, 8)
        self.assertEqual(self.send("None", -1).read_queue_nums, 0)

    def test_unknown_default_topic_is_refused(self) -> None:
        """Without a default topic that may be inherited from, nothing is created."""
        for default in ("Unknown", "SELF_TEST_TOPIC"):
            error = self.assertRaises(TopicNotExist, self.send, "T", 4, default)
            self.assertEqual(str(error), "topic[T] not exist, apply first please!")
        self.assertNotIn("T", self.table.table)

    def test_illegal_names_are_refused(self) -> None:
        """A name that breaks the rules creates nothing."""
        self.assertRaises(IllegalTopic, self.send, "../etc")
        self.assertRaises(IllegalTopic, self.table.create_retry, "a/b")

    def test_auto_creation_can_be_switched_off(self) -> None:
        """Then TBW102, even from an old file, lets nothing be created."""
        self.table = self.make(auto_create=False)
        self.assertEqual(self.table.require("TBW102").perm, 6)
        self.assertRaises(TopicNotExist, self.send, "TopicTest")

    def test_retry_topics_come_about_without_a_default_topic(self) -> None:
        """A send to a retry topic creates it with one queue all the same."""
        self.table = self.make(auto_create=False)
        created = self.send("%RETRY%group")
        self.assertEqual(created, TopicConfig("%RETRY%group", 1, 1, 6))

    def test_create_retry_changes_only_the_order(self) -> None:
        """A second call changes whether the group consumes in order, nothing else."""
        self.table.create_retry("g", 3, unit=True)
        changed = self.table.create_retry("g", 5, order=True)
        self.assertEqual(
            changed, TopicConfig("%RETRY%g", 3, 3, 6, topic_sys_flag=2, order=True)
        )

    def test_tells_of_changes(self) -> None:
        """Listeners get the name of each topic created, changed or deleted."""
        seen: list[str] = []
        self.table.on_change.append(seen.append)
        config = TopicConfig("T", 4, 4)
        self.table.put(config)
        self.table.put(config)
        self.assertTrue(self.table.delete("T"))
        self.assertFalse(self.table.delete("T"))
        self.assertEqual(seen, ["T", "T"])

    def test_many_changes_are_one_write(self) -> None:
        """Two thousand topics of one iteration are written once, and dated."""
        writes, counter = self.file.writes, self.table.data_version.counter
        for number in range(2000):
            self.send(f"topic-{number}")
        self.clock.advance(0)
        self.assertEqual(self.file.writes, writes + 1)
        self.assertEqual(self.table.data_version.counter, counter + 2000)
        self.assertEqual(self.table.data_version.timestamp, 1_000_000)

    def test_reads_what_it_wrote(self) -> None:
        """Topics and their version survive a restart, which changes nothing."""
        self.send("TopicTest")
        self.clock.advance(0)
        writes = self.file.writes
        again = self.make()
        self.assertEqual(again.table, self.table.table)
        self.assertEqual(again.data_version, self.table.data_version)
        self.assertEqual(self.file.writes, writes)

    def test_many_topics_are_encoded_in_steps(self) -> None:
        """A large table is written after several iterations, with what came last."""
        due: list[Callable[[], None]] = []
        table = TopicTable(
            self.file,
            "DefaultCluster",
            "broker-a",
            clock=self.clock,
            schedule=lambda _delay, work: due.append(work),
        )
        table.load()
        for number in range(3 * SLICE):
            table.put(TopicConfig(f"topic-{number}"))
        writes, steps = self.file.writes, 0
        while due:
            due.pop(0)()
            steps += 1
            if steps == 2:
                table.put(TopicConfig("Last"))
        self.assertEqual(steps, 8)
        self.assertEqual(self.file.writes, writes + 2)
        stored = json.loads(self.file.text or b"")["topicConfigTable"]
        self.assertEqual(stored.keys(), table.table.keys())

    def test_writes_the_original_s_names(self) -> None:
        """The file has the members that Apache RocketMQ reads."""
        self.send("TopicTest")
        self.clock.advance(0)
        text = json.loads(self.file.text or b"")
        self.assertEqual(
            set(text["dataVersion"]), {"counter", "stateVersion", "timestamp"}
        )
        self.assertEqual(
            text["topicConfigTable"]["TopicTest"],
            {
                "attributes": {},
                "order": False,
                "perm": 6,
                "readQueueNums": 4,
                "topicFilterType": "SINGLE_TAG",
                "topicName": "TopicTest",
                "topicSysFlag": 0,
                "writeQueueNums": 4,
            },
        )

    def test_failed_write_is_repeated_by_the_next(self) -> None:
        """A full disk keeps the change in memory, and the next write has it."""
        self.file.error = OSError(28, "No space left on device")
        self.send("TopicTest")
        self.clock.advance(0)
        self.file.error = None
        self.table.save()
        self.assertIn(b"TopicTest", self.file.text or b"")
        self.assertIn("TopicTest", self.table.table)

    def test_knows_the_system_s_topics(self) -> None:
        """Topics made at the start, and all with the system's prefix, are its own."""
        for name in ("TBW102", "broker-a", "DefaultCluster", "rmq_sys_any"):
            self.assertTrue(self.table.is_system(name), name)
        self.assertFalse(self.table.is_system("TopicTest"))

    def test_stored_topics_win_over_the_defaults(self) -> None:
        """What an administrator changed of a default topic stays so."""
        changed = msgspec.structs.replace(self.table.require("TBW102"), perm=6)
        self.table.put(changed)
        self.clock.advance(0)
        self.assertEqual(self.make().require("TBW102"), changed)

    def test_restore(self) -> None:
        """Topics that have messages are topics, whatever the file says."""
        known = self.table.table["SELF_TEST_TOPIC"]
        found = {
            "Lost": [0, 7],
            "Young": [1],
            "%RETRY%g": [0],
            "SELF_TEST_TOPIC": [3],
            "SCHEDULE_TOPIC_XXXX": [2],
            "rmq_sys_wheel_timer": [0],
            "%LMQ%light": [0],
            "group+topic": [0],
            "Empty": [],
        }
        self.assertEqual(self.table.restore(found), ["Lost", "Young", "%RETRY%g"])
        queues = [
            self.table.require(name).read_queue_nums
            for name in ("Lost", "Young", "%RETRY%g")
        ]
        self.assertEqual(queues, [8, 4, 1])
        self.assertIs(self.table.table["SELF_TEST_TOPIC"], known)
        self.assertEqual(self.table.restore(found), [])
