"""Tests of the times of sends to single queues."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.statistics.watched import FORGOTTEN
from rocketmq_tw.wire.requests.admin import ViewStatistics
from rocketmq_tw.wire.requests.topic import DeleteTopic
from tests.broker.cases import TOPIC, sent
from tests.broker.send.test_batch import batched
from tests.broker.statistics.test_processor import ViewCase

NAME, QUEUE = "TOPIC_PUT_LATENCY", f"1@{TOPIC}"


class QueuePutsTests(ViewCase):
    """They are counted once a tool has asked."""

    settings = {
        "max_statistics": 2,
        "flush_disk_type": FlushDiskType.SYNC_FLUSH,
    }

    def setUp(self) -> None:
        """Make the topic, and let a tool ask."""
        super().setUp()
        self.ask(sent())
        self.assertEqual(self.view(NAME, QUEUE), [0, 0, 0])

    def send_slowly(self, *requests: object) -> None:
        """Send, and let the disk take 250 ms."""
        self.threads.hold()
        waiting = [self.ask(request) for request in requests]
        self.clock.advance(0.25)
        self.threads.run()
        self.threads.release()
        for each in waiting:
            if isinstance(each, Deferred):
                self.successResultOf(each)

    def count(self) -> int:
        """Return how many queues there are."""
        return self.stats.gauges["statisticsOfPuts"]()

    def test_counted(self) -> None:
        """Milliseconds until sends are safe, and how many sends there were."""
        self.send_slowly(sent(queue_id=1), batched(b"1", b"2", queue_id=1))
        self.send_slowly(sent(queue_id=0))
        data = json.loads(self.ask(ViewStatistics(NAME, QUEUE)).body)
        for window in ("statsMinute", "statsHour", "statsDay"):
            self.assertEqual((data[window]["sum"], data[window]["avgpt"]), (500, 250.0))

    def test_unknown(self) -> None:
        """A queue that is not there."""
        for key in (f"99@{TOPIC}", f"-1@{TOPIC}", "0@Other", TOPIC, "@", ""):
            self.unknown(NAME, key)
        self.assertEqual(self.count(), 1)

    def test_limit(self) -> None:
        """There are not too many; that is counted."""
        self.view(NAME, f"0@{TOPIC}")
        self.unknown(NAME, f"2@{TOPIC}")
        self.assertEqual(self.count(), 2)
        self.assertEqual(self.stats.gauges["statisticsOfPutsRefused"](), 1)

    def test_forgotten(self) -> None:
        """An hour after the last question nothing is counted any more."""
        self.clock.pump([10.0] * (FORGOTTEN - 1))
        self.assertEqual((self.count(), len(self.stats.watched)), (1, 1))
        self.clock.pump([10.0])
        self.assertEqual((self.count(), len(self.stats.watched)), (0, 0))

    def test_deleted_topic(self) -> None:
        """Those of its queues go with it."""
        self.ask(DeleteTopic(TOPIC))
        self.assertEqual((self.count(), len(self.stats.watched)), (0, 0))
        self.unknown(NAME, QUEUE)
