"""Tests of rocketmq_tw.broker.transactions.counts_file."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from twisted.logger import capturedLogs

from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC, TopicConfig
from tests.broker.cases import TOPIC
from tests.broker.transactions.cases import ROLLBACK, TransactionCase, half

OTHER = "Other"


class CountsFileTests(TransactionCase):
    """Half messages of two topics."""

    settings = {
        **TransactionCase.settings,
        "transaction_check_interval": 1_000_000,
        "transaction_metric_flush_interval": 10_000,
    }

    def setUp(self) -> None:
        """Store two of one topic, and one of another."""
        super().setUp()
        self.tables.topics.put(TopicConfig(OTHER))
        self.first = self.prepare(b"a")
        self.prepare(b"b")
        self.now(half(b"c", topic=OTHER))

    @property
    def path(self) -> str:
        """Where the file is."""
        return os.path.join(self.root, "config", "transactionMetrics")

    def written(self) -> dict[str, Any]:
        """Return the document."""
        with open(self.path, encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
        return found

    def write(self, document: object) -> None:
        """Replace the document."""
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(document, file)

    def halves(self) -> dict[bytes, int]:
        """Return how many are pending of each topic that has any."""
        self.clock.pump([0.0] * 20)
        table = self.broker.transaction_counts.table
        return {topic: each.halves for topic, each in table.items() if each.halves}

    def test_written(self) -> None:
        """The file is that of Apache RocketMQ; topics with none are left out."""
        self.pass_time(10)
        saved_ms = int(self.clock.wall_seconds() * 1000)
        entries = {
            TOPIC: {"count": 2, "timeStamp": saved_ms},
            OTHER: {"count": 1, "timeStamp": saved_ms},
        }
        found = self.written()
        self.assertEqual(found["transactionCount"], entries)
        self.assertEqual(found["dataVersion"]["counter"], 1)
        self.end_now(self.first)
        self.pass_time(10)
        entries[TOPIC] = {"count": 1, "timeStamp": saved_ms + 10_000}
        self.assertEqual(self.written()["transactionCount"], entries)
        self.end_now(self.messages(TRANS_HALF_TOPIC)[2], ROLLBACK)
        self.pass_time(10)
        self.assertEqual(set(self.written()["transactionCount"]), {TOPIC})

    def test_none(self) -> None:
        """A broker without transactions has no such file."""
        self.stop()
        shutil.rmtree(self.root)
        self.start()
        self.pass_time(20)
        self.restart()
        self.assertFalse(os.path.exists(self.path))
        self.assertIsNone(self.parts.counts.made)

    def test_unchanged(self) -> None:
        """Nothing is written while the counts stay as they are."""
        self.pass_time(10)
        os.unlink(self.path)
        self.pass_time(20)
        self.assertFalse(os.path.exists(self.path))

    def test_restart(self) -> None:
        """A stop writes it, and a start reads it instead of the half messages."""
        self.restart()
        self.assertEqual(self.halves(), {TOPIC.encode(): 2, OTHER.encode(): 1})
        self.stop()
        document = self.written()
        document["transactionCount"] = {"Third": {"count": 3, "timeStamp": 7}}
        self.write(document)
        self.start()
        # As many as are pending, so nothing is read.
        self.assertEqual(self.halves(), {b"Third": 3})

    def test_killed(self) -> None:
        """After a kill they are counted again."""
        self.killed()
        self.assertEqual(self.halves(), {TOPIC.encode(): 2, OTHER.encode(): 1})

    def test_damaged(self) -> None:
        """With a damaged file and backup it starts, counts again, and says so."""
        self.stop()
        for path in (self.path, f"{self.path}.bak"):
            with open(path, "wb") as file:
                file.write(b"{not json")
        with capturedLogs() as events:
            self.start()
        text = " ".join(str(event.get("why", "")) for event in events)
        self.assertIn("transactionMetrics cannot be used", text)
        self.assertEqual(self.halves(), {TOPIC.encode(): 2, OTHER.encode(): 1})
        self.pass_time(10)
        self.assertEqual(self.written()["transactionCount"][TOPIC]["count"], 2)

    def test_other_document(self) -> None:
        """Counts below zero, and what is no count, are not used."""
        self.stop()
        entries = {TOPIC: {"count": -1, "timeStamp": 7}, "Odd": {"count": "x"}, "I": 5}
        self.write({"dataVersion": {}, "transactionCount": entries})
        self.start()
        self.assertEqual(self.halves(), {TOPIC.encode(): 2, OTHER.encode(): 1})

    def test_many(self) -> None:
        """They are counted some at a time; what ends meanwhile is right."""
        for number in range(1000):
            self.now(half(b"%d" % number))
        counts = self.broker.transaction_counts
        counts.stored(b"Wrong")
        self.pass_time(10)
        made = self.parts.counts.made
        assert made is not None
        made.check()
        made.check()
        self.assertLessEqual(counts.halves, 320)
        messages = self.messages(TRANS_HALF_TOPIC)
        self.end_now(messages[5])
        self.end_now(messages[900], ROLLBACK)
        self.prepare(b"new")
        self.clock.pump([0.0] * 100)
        self.assertEqual(self.halves(), {TOPIC.encode(): 1001, OTHER.encode(): 1})

    def test_given_up(self) -> None:
        """What was given up, and is committed meanwhile, is not pending."""
        for number in range(400):
            self.now(half(b"%d" % number))
        given_up = self.messages(TRANS_HALF_TOPIC)[-1]
        counts = self.broker.transaction_counts
        counts.left(given_up.queue_offset, TOPIC.encode())
        self.parts.journal.decide(given_up.queue_offset, Decision.GIVEN_UP)
        counts.stored(b"Wrong")
        self.pass_time(10)
        made = self.parts.counts.made
        assert made is not None
        made.check()
        self.end_now(given_up)
        self.assertEqual(self.halves(), {TOPIC.encode(): 401, OTHER.encode(): 1})

    def test_deleted_topic(self) -> None:
        """A topic that is deleted is not shown any more."""
        self.tables.topics.delete(OTHER)
        self.assertEqual(self.halves(), {TOPIC.encode(): 2})
