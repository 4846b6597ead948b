"""Tests of what is removed when an operator asks for it."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.wire.requests.admin import (
    CleanQueues,
    CleanUnusedTopics,
    DeleteExpiredLog,
)
from tests.broker.cases import TOPIC, BrokerCase, sent

#: Bytes of a file of the log, which some of the messages fill.
_FILE = 4096
_BODY = b"x" * 1000


class CleaningTests(BrokerCase):
    """A broker with small files."""

    settings = {
        "mapped_file_size_commit_log": _FILE,
        "mapped_file_size_consume_queue": 40,
        "file_reserved_time": 1,
        "delete_when": "23",
        "clean_resource_interval": 10_000,
    }

    def done(self, request: Any) -> None:
        """Ask, and expect success."""
        response = self.ask(request)
        if isinstance(response, Deferred):
            self.clock.pump([0.01] * 20)
            response = self.successResultOf(response)
        self.assertEqual((response.status, response.remark), (0, None))

    def log_files(self) -> int:
        """Return how many files the log has."""
        return len(os.listdir(os.path.join(self.root, "commitlog")))

    def fill(self) -> None:
        """Store messages of several files, and let them become old."""
        for _ in range(12):
            self.ask(sent(body=_BODY))
        self.clock.pump([10.0] * 2)
        for path in self.files():
            os.utime(path, (1, 1))

    def test_delete_log(self) -> None:
        """Old files go at the next look, and not only in the night."""
        self.fill()
        before = self.log_files()
        self.clock.pump([10.0] * 12)
        self.assertEqual(self.log_files(), before)
        self.done(DeleteExpiredLog())
        self.clock.pump([10.0] + [0.2] * 50)
        self.assertLess(self.log_files(), before)
        self.assertGreater(self.store.min_offset(TOPIC, 0), 0)

    def test_delete_log_for_a_while(self) -> None:
        """After twenty looks only the hours count again."""
        self.done(DeleteExpiredLog())
        self.clock.pump([10.0] * 30)
        self.fill()
        before = self.log_files()
        self.clock.pump([10.0] * 12)
        self.assertEqual(self.log_files(), before)

    def test_clean_queues(self) -> None:
        """Queues follow the log; those that have messages keep them."""
        self.fill()
        queues = os.path.join(self.root, "consumequeue", TOPIC, "0")
        before = len(os.listdir(queues))
        self.done(CleanQueues())
        self.assertEqual(len(os.listdir(queues)), before)
        log = self.store._log
        log.files.detach(log.files.bases[0])
        log.files.detach(log.files.bases[0])
        self.done(CleanQueues())
        self.assertLess(len(os.listdir(queues)), before)
        self.assertEqual(len(self.messages_left()), 12 - self.first())

    def first(self) -> int:
        """Return the first offset of the queue."""
        return int(self.store.min_offset(TOPIC, 0))

    def messages_left(self) -> list[int]:
        """Read the queue from its first offset on."""
        found = []
        offset = self.first()
        while offset < self.store.max_offset(TOPIC, 0):
            fetched = self.store.get(TOPIC, 0, offset, 1, 1 << 20, None)
            self.assertEqual(fetched.count, 1)
            found.append(offset)
            offset = fetched.next_offset
        return found

    def test_clean_topics(self) -> None:
        """Queues without a topic go; those of topics and of the broker stay."""
        self.ask(sent())
        self.ask(sent("Gone"))
        self.tables.topics.exchange("Gone", None)
        self.done(CleanUnusedTopics())
        self.assertIn(TOPIC, self.store.queues())
        self.assertNotIn("Gone", self.store.queues())

    def test_system_topics_stay(self) -> None:
        """Also where a table has lost them."""
        self.ask(sent(properties="DELAY\x013\x02"))
        self.tables.topics.exchange("SCHEDULE_TOPIC_XXXX", None)
        self.done(CleanUnusedTopics())
        self.assertIn("SCHEDULE_TOPIC_XXXX", self.store.queues())


class MemoryTests(BrokerCase):
    """A broker whose messages are in memory."""

    settings = {"memory_store_size": 1 << 20}

    def test_nothing_to_do(self) -> None:
        """There are no files, which is no error."""
        self.ask(sent())
        self.assertEqual(self.successResultOf(self.ask(CleanQueues())).status, 0)
        self.assertEqual(self.ask(DeleteExpiredLog()).status, 0)
        self.assertEqual(len(self.messages(TOPIC)), 1)
