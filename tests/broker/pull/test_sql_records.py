"""Expressions as filters of records."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pull.sql_records import SqlRecords
from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.store.queues.filtered import RecordFilter


class RecordsTests(SynchronousTestCase):
    """What the store asks."""

    def test_accepts(self) -> None:
        """The properties decide; the code of tags does not."""
        found = SqlRecords(compile_sql("a > 3 AND TAGS = 'T'"))
        self.assertIsInstance(found, RecordFilter)
        self.assertTrue(found(0))
        self.assertTrue(found.accepts(b"a\x014\x02TAGS\x01T\x02"))
        self.assertFalse(found.accepts(b"a\x013\x02TAGS\x01T\x02"))
        self.assertFalse(found.accepts(b"a\x01\xff\x02"))
        self.assertEqual(found.cost, 7)
