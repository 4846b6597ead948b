"""Tests of the table of held pulls."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable
from rocketmq_tw.wire.fields import Response
from tests.broker.doubles import MemoryConnection

KEY = (b"T", 0)


class HeldPullTableTests(SynchronousTestCase):
    """Pulls that wait, are due, and are finished."""

    def setUp(self) -> None:
        """Make a table for three pulls, two of a connection."""
        self.table = HeldPullTable(limit=3, limit_per_connection=2, max_tags=10)
        self.peer = MemoryConnection()

    def held(
        self, peer: MemoryConnection | None = None, tick: int = 5, tags: int = 0
    ) -> HeldPull:
        """Add a pull."""
        pull = HeldPull(
            key=KEY,
            peer=peer or self.peer,  # type: ignore[arg-type]
            last_tick=tick,
            matches=None,
            read=Response,
            response=Deferred(),
            tags=tags,
        )
        self.table.add(pull)
        return pull

    def test_found_in_three_ways(self) -> None:
        """By queue, by connection, and by deadline."""
        pull, later = self.held(), self.held(tick=6)
        self.assertEqual(list(self.table.by_queue[KEY]), [pull, later])
        self.assertEqual(self.table.of_peer(self.peer), [pull, later])  # type: ignore[arg-type]
        self.assertEqual(self.table.take_over(4), [])
        self.assertEqual(self.table.take_over(5), [pull])
        self.assertEqual(self.table.take_over(5), [])

    def test_due(self) -> None:
        """One that is woken is its connection's still, and counts."""
        pull = self.held()
        self.table.wake(pull)
        self.assertEqual(self.table.by_queue, {})
        self.assertEqual(self.table.take_over(5), [])
        self.assertEqual(self.table.of_peer(self.peer), [pull])  # type: ignore[arg-type]
        self.assertEqual(len(self.table), 1)

    def test_finished(self) -> None:
        """Once; nothing of it is left, whether it was woken or not."""
        waiting, woken = self.held(), self.held()
        self.table.wake(woken)
        for pull in (waiting, woken):
            self.assertTrue(self.table.finish(pull))
            self.assertFalse(self.table.finish(pull))
        self.assertEqual(len(self.table), 0)
        self.assertEqual((self.table.by_queue, self.table._by_tick), ({}, {}))
        self.assertEqual(self.table._by_peer, {})

    def test_tags(self) -> None:
        """The filters of all pulls have so many tags at most."""
        pull = self.held(tags=8)
        error = self.assertRaises(TooManyHeldPulls, self.held, tags=3)
        self.assertIn("10 tags are held already, maxHeldPullTags", str(error))
        self.table.finish(pull)
        self.assertEqual(self.held(tags=10).tags, self.table.tags)

    def test_limits(self) -> None:
        """Of a connection and in all; a finished pull makes space for another."""
        first, _ = self.held(), self.held()
        error = self.assertRaises(TooManyHeldPulls, self.held)
        self.assertEqual(
            str(error),
            "2 pulls are held already, maxHeldPullsPerConnection allows no more",
        )
        self.held(MemoryConnection())
        error = self.assertRaises(TooManyHeldPulls, self.held, MemoryConnection())
        self.assertEqual(
            str(error), "3 pulls are held already, maxHeldPulls allows no more"
        )
        self.assertEqual((self.table.refused, len(self.table)), (2, 3))
        self.table.finish(first)
        self.held(MemoryConnection())
        self.assertEqual(len(self.table._by_peer), 3)
