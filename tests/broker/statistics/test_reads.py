"""Tests of what groups are sent of single queues."""

from __future__ import annotations

from unittest.mock import patch

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.broker.statistics.reads import QueueReads
from rocketmq_tw.broker.statistics.watched import FORGOTTEN
from rocketmq_tw.wire.requests.topic import DeleteTopic
from tests.broker.cases import GROUP, TOPIC, pulled, sent
from tests.broker.pop.cases import PopCase
from tests.broker.statistics.test_processor import ViewCase

QUEUE = f"{TOPIC}@0@{GROUP}"
LATENCY = f"0@{TOPIC}@{GROUP}"


class QueueReadsTests(ViewCase):
    """They are counted once a tool has asked."""

    settings = {"max_statistics": 3}

    def setUp(self) -> None:
        """Store messages, and let a group have one."""
        super().setUp()
        for _ in range(5):
            self.ask(sent())
        self.ask(pulled(max_msg_nums=1))

    def count(self) -> int:
        """Return how many there are."""
        return self.stats.gauges["statisticsOfReads"]()

    def test_counted(self) -> None:
        """The first response has zeros; then it has what came since."""
        for name in ("QUEUE_GET_NUMS", "QUEUE_GET_SIZE"):
            self.assertEqual(self.view(name, QUEUE), [0, 0, 0])
        self.assertEqual(self.view("GROUP_GET_LATENCY", LATENCY), [0, 0, 0])
        self.ask(pulled(queue_offset=1, max_msg_nums=3))
        self.ask(pulled(queue_id=1))
        size = self.store.commit_log_max // 5
        self.assertEqual(self.view("QUEUE_GET_NUMS", QUEUE), [3, 3, 3])
        self.assertEqual(self.view("QUEUE_GET_SIZE", QUEUE), [3 * size] * 3)
        self.clock.pump([10.0] * 7)
        self.assertEqual(self.view("QUEUE_GET_NUMS", QUEUE), [0, 3, 3])

    def test_latency(self) -> None:
        """It is the time of pulls that wait for the disk."""
        self.view("GROUP_GET_LATENCY", LATENCY)
        get, slow = self.store.get, Deferred[None]()
        self.patch(
            self.store, "get", lambda *args: slow.addCallback(lambda _: get(*args))
        )
        waiting = self.ask(pulled())
        self.clock.advance(0.25)
        slow.callback(None)
        self.successResultOf(waiting)
        self.assertEqual(self.view("GROUP_GET_LATENCY", LATENCY), [250] * 3)
        self.assertEqual(self.stats.longest_read_ms, 250)

    def test_unknown(self) -> None:
        """A queue that is not there, or a group that read nothing of the topic."""
        others = f"{TOPIC}@99@{GROUP}", f"{TOPIC}@0@Other"
        for key in (*others, TOPIC, "@@", "", QUEUE[1:]):
            self.unknown("QUEUE_GET_NUMS", key)
        self.unknown("QUEUE_GET_SIZE", f"{TOPIC}@-1@{GROUP}")
        self.unknown("GROUP_GET_LATENCY", f"{TOPIC}@{GROUP}")
        self.assertEqual(self.count(), 0)

    def test_forgotten(self) -> None:
        """An hour after the last question nothing is counted any more."""
        self.view("QUEUE_GET_NUMS", QUEUE)
        entry = self.tables.progress.table[TOPIC, GROUP]
        self.clock.pump([10.0] * (FORGOTTEN - 1))
        # Ten minutes without messages have not ended it.
        self.assertIs(self.tables.progress.table[TOPIC, GROUP], entry)
        self.view("QUEUE_GET_NUMS", QUEUE)
        self.clock.pump([10.0] * (FORGOTTEN - 1))
        self.assertEqual(self.count(), 1)
        self.clock.pump([10.0])
        self.assertEqual(self.count(), 0)
        self.assertIsNone(entry.watched)

    def test_limit(self) -> None:
        """There are not too many; that is counted, and the limit can be changed."""
        for queue_id in range(3):
            self.view("QUEUE_GET_NUMS", f"{TOPIC}@{queue_id}@{GROUP}")
        last = f"{TOPIC}@3@{GROUP}"
        self.unknown("QUEUE_GET_NUMS", last)
        self.assertEqual(self.count(), 3)
        self.assertEqual(self.stats.gauges["statisticsOfReadsRefused"](), 1)
        with capturedLogs() as events:
            self.clock.pump([10.0] * 2)
        said = [formatEvent(each) for each in events]
        self.assertEqual(len([each for each in said if "maxStatistics" in each]), 1)
        self.broker.live.change({"maxStatistics": "4"})
        self.view("QUEUE_GET_NUMS", last)

    def test_deleted_topic(self) -> None:
        """Those of its queues go with it."""
        self.view("QUEUE_GET_NUMS", QUEUE)
        self.ask(DeleteTopic(TOPIC))
        self.assertEqual(self.count(), 0)
        self.unknown("QUEUE_GET_NUMS", QUEUE)

    def test_deleted_while_they_are_looked_at(self) -> None:
        """What a step is about to forget may be gone, or asked for again."""
        progress = self.tables.progress
        reads = QueueReads(progress)
        keys = [(TOPIC, queue_id, GROUP) for queue_id in range(3)]
        for key in keys:
            reads.find(key, 10, 0, 0.0)
        with patch("rocketmq_tw.broker.statistics.watched.AT_ONCE", 1):
            steps = reads.roll(FORGOTTEN)
            next(steps)
            reads.drop(TOPIC)
            self.assertIsNotNone(reads.find(keys[2], 10, FORGOTTEN, 0.0))
            self.assertEqual(list(steps), [None, None])
        self.assertEqual(len(reads), 1)
        self.assertEqual(list(progress.table[TOPIC, GROUP].watched or ()), [2])


class PoppedQueueTests(ViewCase, PopCase):
    """Pops count, too."""

    def test_pops(self) -> None:
        """By the queue from which the messages came."""
        self.fill(b"one")
        self.receipts()
        queues = [f"{TOPIC}@{n}@{GROUP}" for n in range(4)]
        for order in (False, True):
            before = sum(self.view("QUEUE_GET_NUMS", key)[0] for key in queues)
            self.fill(b"two", b"three")
            self.receipts(order=order)
            after = sum(self.view("QUEUE_GET_NUMS", key)[0] for key in queues)
            self.assertEqual(after - before, 2)
