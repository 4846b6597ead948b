"""Tests of responding to held pulls that are due, in slices of count and of time."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pull.due import SLICE, DuePulls
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable
from rocketmq_tw.wire.fields import Response
from tests.broker.doubles import MemoryConnection


class DuePullsTests(SynchronousTestCase):
    """Pulls of a few peers; a read takes as long as the test says."""

    def setUp(self) -> None:
        """Let reads take no time."""
        self.clock = Clock()
        self.table = HeldPullTable(limit=10_000, limit_per_connection=10_000)
        self.scheduled = 0
        self.due = DuePulls(
            table=self.table, clock=self.clock, schedule=self.count_schedule
        )
        self.cost = 0.0
        self.reads = 0
        self.responses: list[Any] = []

    def count_schedule(self) -> None:
        """Count the calls."""
        self.scheduled += 1

    def read(self) -> Response:
        """Read for a pull."""
        self.reads += 1
        self.clock.advance(self.cost)
        return Response()

    def add(self, peer: MemoryConnection, count: int = 1) -> None:
        """Add pulls that were held and are due."""
        for _ in range(count):
            response: Deferred[Any] = Deferred()
            response.addBoth(self.responses.append)
            pull = HeldPull(
                key=(b"T", 0),
                peer=peer,  # type: ignore[arg-type]
                last_tick=5,
                matches=None,
                read=self.read,
                response=response,
            )
            self.table.add(pull)
            self.table.wake(pull)
            self.due.add(pull)

    def test_a_count(self) -> None:
        """No more than are asked for, the oldest first."""
        self.add(MemoryConnection(), 5)
        self.due.respond(3, SLICE)
        self.assertEqual((self.reads, len(self.due), len(self.table)), (3, 2, 2))

    def test_a_time(self) -> None:
        """Large messages: as many as fit the slice, but one in any case."""
        self.cost = SLICE / 4
        self.add(MemoryConnection(), 100)
        self.due.respond(100, self.clock.seconds() + SLICE)
        self.assertEqual(self.reads, 4)
        self.due.respond(100, self.clock.seconds() - 1)
        self.assertEqual(self.reads, 5)

    def test_slow_peers_wait_together(self) -> None:
        """One callback for all pulls of a peer; others are not held up."""
        slow, other = MemoryConnection(), MemoryConnection()
        slow.is_write_blocked = True
        self.add(slow, 1000)
        self.add(other)
        self.due.respond(2000, self.clock.seconds() + SLICE)
        self.assertEqual((self.reads, len(self.due)), (1, 0))
        self.assertEqual(len(slow._drained), 1)
        slow.drain()
        self.assertEqual((self.scheduled, self.reads, len(self.due)), (1, 1, 1000))
        self.due.respond(1000, self.clock.seconds() + SLICE)
        self.assertEqual(self.reads, 1001)

    def test_blocked_again(self) -> None:
        """A peer that blocks between two responses waits once more."""
        slow = MemoryConnection()
        self.add(slow, 3)
        for expected in (1, 2, 3):
            self.due.respond(1, self.clock.seconds() + SLICE)
            self.assertEqual(self.reads, expected)
            slow.is_write_blocked = True
            self.due.respond(10, self.clock.seconds() + SLICE)
            slow.drain()
        self.assertEqual(len(self.responses), 3)

    def test_lost_peers(self) -> None:
        """Nothing is read for them."""
        lost = MemoryConnection()
        self.add(lost, 2)
        lost.is_connected = False
        self.due.respond(10, self.clock.seconds() + SLICE)
        self.assertEqual((self.reads, self.responses), (0, [None, None]))
