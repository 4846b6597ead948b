"""Tests of the look whether a message is stored, where many have its key."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, succeed
from twisted.logger import capturedLogs

from rocketmq_tw.model.message import UNIQ_KEY
from rocketmq_tw.store.index import service
from rocketmq_tw.store.index.search import Search
from rocketmq_tw.store.interfaces import KeyQuery, Queried
from rocketmq_tw.wire import properties
from tests.broker.cases import TOPIC, sent
from tests.broker.transactions.cases import TransactionCase


class LookupTests(TransactionCase):
    """A search reads 20 messages, and there are a hundred with one key."""

    def setUp(self) -> None:
        """Commit a message, then store others, as a killed broker has them."""
        super().setUp()
        self.patch(service, "Search", lambda log, files: Search(log, files, 420))
        self.one = self.prepare(b"a")
        self.end_now(self.one)
        text = properties.encode({UNIQ_KEY: self.one.unique_key})
        for number in range(100):
            self.now(sent(TOPIC, b"%d" % number, queue_id=2, properties=text))
        self.other = self.prepare(b"b", more={UNIQ_KEY: self.one.unique_key})
        for number in range(100):
            self.now(sent(TOPIC, b"%d" % number, queue_id=2, properties=text))
        self.killed()

    def test_pages(self) -> None:
        """Page by page it is found behind all of them, and not stored once more."""
        self.end_now(self.one, from_transaction_check=True)
        self.assertEqual(self.consumed().count(b"a"), 1)
        self.assertEqual(self.stats.gauges["transactionsPerhapsTwice"](), 0)

    def test_not_before_its_half_message(self) -> None:
        """What is before the half message is not looked at."""
        pages: list[int | None] = []
        query = self.store.query

        def count(asked: KeyQuery) -> Deferred[Queried]:
            """Note a page."""
            pages.append(asked.before)
            return query(asked)

        with patch.object(self.store, "query", count):
            self.end_now(self.other, from_transaction_check=True)
        self.assertEqual(self.consumed().count(b"b"), 1)
        self.assertIn(len(pages), range(5, 9))
        self.assertEqual(pages[0], None)
        offsets: list[Any] = pages[1:]
        self.assertEqual(offsets, sorted(offsets, reverse=True))
        self.assertGreater(offsets[-1], self.other.commit_log_offset)

    def test_no_further(self) -> None:
        """Where pages lead no further the message is stored, and a line says so."""
        at = self.other.commit_log_offset + 1
        found = Queried([], gap="stopped", stopped_at=at)
        with (
            patch.object(self.store, "query", lambda _: succeed(found)),
            capturedLogs() as events,
        ):
            self.end_now(self.other, from_transaction_check=True)
        self.assertEqual(self.consumed().count(b"b"), 1)
        self.assertIn("perhaps once more", events[0]["log_format"])
        self.assertEqual(self.stats.gauges["transactionsPerhapsTwice"](), 1)
