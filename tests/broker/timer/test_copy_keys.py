"""Tests of the copies that another broker has made."""

from __future__ import annotations

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer import copy_keys
from rocketmq_tw.broker.timer.copies import source_of
from rocketmq_tw.broker.timer.copy_keys import CopyKeys
from tests.broker.timer.test_copies import record

DELIVERED = {"TIMER_DEQUEUE_MS": "6010", "UNIQ_KEY": "k"}


class CopyKeysTests(SynchronousTestCase):
    """Some copies."""

    def test_taken(self) -> None:
        """As many messages of a key are left out as there are copies."""
        keys = CopyKeys()
        for _ in range(2):
            keys.add("T", "k", 5000)
        found = [keys.take("T", "k", 5000) for _ in range(3)]
        self.assertEqual((found, len(keys)), ([True, True, False], 0))

    def test_others(self) -> None:
        """Another topic, key or slot is another message."""
        keys = CopyKeys()
        keys.add("T", "k", 5000)
        for each in (("U", "k", 5000), ("T", "l", 5000), ("T", "k", 6000)):
            self.assertFalse(keys.take(*each))
        self.assertEqual(len(keys), 1)

    def test_limit(self) -> None:
        """More are not kept, and one line says so."""
        self.patch(copy_keys, "MAX_COPIES", 2)
        keys = CopyKeys()
        with capturedLogs() as events:
            for number in range(5):
                keys.add("T", str(number), 5000)
        self.assertEqual((len(keys), keys.over, len(events)), (2, 3, 1))


class SourceTests(SynchronousTestCase):
    """What a record says."""

    def test_copy(self) -> None:
        """A copy of Apache's has the key and the slot of its message."""
        found = source_of(record(b"T", **DELIVERED))
        assert found is not None
        self.assertIsNone(found.offset)
        self.assertEqual((found.topic, found.unique_key), ("T", "k"))
        self.assertEqual(found.out_ms, 5000)

    def test_none(self) -> None:
        """What waits, has no key, or no slot, is no such copy."""
        for data in (
            record(**DELIVERED),
            record(b"T", UNIQ_KEY="k"),
            record(b"T", **{**DELIVERED, "UNIQ_KEY": None}),
            record(b"T", **{**DELIVERED, "TIMER_OUT_MS": "x"}),
        ):
            self.assertIsNone(source_of(data))
