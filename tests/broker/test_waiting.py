"""Tests of :mod:`rocketmq_tw.broker.waiting`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyWaiting
from rocketmq_tw.broker.waiting import SMALL, WaitingRequests
from tests.broker.cases import Peer


class WaitingRequestsTests(SynchronousTestCase):
    """Four requests may wait, three of a connection, of 10,000 bytes together."""

    def setUp(self) -> None:
        """Let two requests of a connection wait."""
        self.waiting = WaitingRequests(limit=4, limit_per_connection=3, max_size=10_000)
        self.peer, self.other = Peer(), Peer()
        self.waiting.begin(self.peer, 100)
        self.waiting.begin(self.peer, 100)

    def refused(self, words: str, peer: Peer, size: int = 100) -> None:
        """Expect that a request may not wait, and that nothing is counted for it."""
        before = len(self.waiting), self.waiting.size
        with self.assertRaises(TooManyWaiting) as caught:
            self.waiting.begin(peer, size)
        self.assertIn(words, str(caught.exception))
        self.assertEqual((len(self.waiting), self.waiting.size), before)

    def test_per_connection(self) -> None:
        """Another connection is not concerned."""
        self.waiting.begin(self.peer, 100)
        self.refused("maxWaitingRequestsPerConnection (3)", self.peer)
        self.waiting.begin(self.other, 100)
        self.assertEqual(self.waiting.refused, 1)

    def test_in_all(self) -> None:
        """A connection of which none waits has its first all the same."""
        self.waiting.begin(self.other, 100)
        self.waiting.begin(self.other, 100)
        self.refused("maxWaitingRequests (4)", self.other)
        self.waiting.begin(Peer(), SMALL)
        self.refused("maxWaitingRequests (4)", Peer(), SMALL + 1)

    def test_bytes(self) -> None:
        """Those of all count."""
        self.refused("maxWaitingRequestsSize (10000)", self.peer, 9_801)
        self.waiting.begin(self.other, 9_800)
        self.waiting.end(self.other, 9_800)
        self.waiting.begin(self.peer, 9_800)
        self.assertEqual(self.waiting.size, 10_000)

    def test_end(self) -> None:
        """Nothing is kept of a connection without requests."""
        for _ in range(2):
            self.waiting.end(self.peer, 100)
        self.assertEqual((len(self.waiting), self.waiting.size), (0, 0))
        self.assertEqual(self.waiting._by_peer, {})
