"""Tests of rocketmq_tw.broker.transactions.producers."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.transactions.producers import PATIENCE, Producers
from tests.broker.doubles import MemoryConnection, client_of


class ProducersTests(SynchronousTestCase):
    """Who of a group is asked."""

    def setUp(self) -> None:
        """Have a group of three."""
        self.clock = Clock()
        self.peers = [MemoryConnection() for _ in range(3)]
        first = client_of(self.peers[0])
        groups = {"G": [first, *map(client_of, self.peers[1:])], "First": [first]}
        self.producers = Producers(lambda group: groups.get(group, []), self.clock)

    def chosen(self, count: int) -> list[int]:
        """Return the indexes of the next ones."""
        found = [self.producers.next_of("G") for _ in range(count)]
        return [self.peers.index(each) for each in found]  # type: ignore[arg-type]

    def test_in_turn(self) -> None:
        """They take turns."""
        self.assertEqual(self.chosen(4), [0, 1, 2, 0])
        self.assertIsNone(self.producers.next_of("Other"))

    def test_who_does_not_read(self) -> None:
        """Is left out, unless nobody reads."""
        self.peers[0].is_write_blocked = True
        self.peers[1].is_connected = False
        self.assertEqual(self.chosen(2), [2, 2])
        self.peers[2].is_write_blocked = True
        self.assertNotIn(1, self.chosen(4))
        for peer in self.peers:
            peer.is_connected = False
        self.assertIsNone(self.producers.next_of("G"))

    def test_waits(self) -> None:
        """For a second; then the group is left out until the next round."""
        peer = self.peers[0]
        peer.is_write_blocked = True
        reading = self.producers.when_reading("G", peer)  # type: ignore[arg-type]
        peer.drain()
        self.assertTrue(self.successResultOf(reading))
        reading = self.producers.when_reading("G", peer)  # type: ignore[arg-type]
        self.clock.advance(PATIENCE)
        self.assertFalse(self.successResultOf(reading))
        self.assertIsNone(self.producers.next_of("G"))
        self.producers.begin()
        self.assertIsNotNone(self.producers.next_of("G"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits_once_for_each(self) -> None:
        """One producer of many groups does not hold up the others for a second each."""
        peer = self.peers[0]
        peer.is_write_blocked = True
        self.producers.when_reading("G", peer)  # type: ignore[arg-type]
        self.clock.advance(PATIENCE)
        self.assertIsNone(self.producers.next_of("First"))
        self.producers.begin()
        self.assertIs(self.producers.next_of("First"), peer)
