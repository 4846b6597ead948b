"""Tests of pulls that wait for the disk."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.broker.pull.cold import ColdPulls


class Connection:
    """A connection whose peer reads when told."""

    def __init__(self) -> None:
        self.is_connected = True
        self.writable: Deferred[None] | None = None

    def when_writable(self) -> Deferred[None]:
        """Fire at once, or when told."""
        return self.writable or succeed(None)


class ColdPullsTests(SynchronousTestCase):
    """The line of one connection."""

    def setUp(self) -> None:
        """Let two pulls of a connection read, and one stand in line."""
        self.peer = Connection()
        self.cold = ColdPulls(limit=2)
        self.reading: list[Deferred[Any]] = [Deferred(), Deferred()]
        for each in self.reading:
            self.assertFalse(self.cold.must_wait(self.peer))
            self.cold.count(self.peer, each)
        self.assertTrue(self.cold.must_wait(self.peer))
        self.started: list[str] = []
        self.waiting = self.cold.wait(self.peer, lambda: self.start("third"))

    def start(self, name: str) -> str:
        """Carry out a pull that is warm."""
        self.started.append(name)
        return name

    def test_others_are_not_concerned(self) -> None:
        """Each connection has its own line."""
        self.assertFalse(self.cold.must_wait(Connection()))

    def test_the_next_follows(self) -> None:
        """As soon as one is answered."""
        self.reading[0].callback("first")
        self.assertEqual(self.successResultOf(self.waiting), "third")
        self.assertEqual(self.successResultOf(self.reading[0]), "first")

    def test_a_peer_that_does_not_read(self) -> None:
        """Nothing is read for it meanwhile."""
        self.peer.writable = Deferred()
        self.reading[0].callback("first")
        self.assertEqual(self.started, [])
        self.peer.writable.callback(None)
        self.assertEqual(self.started, ["third"])

    def test_a_peer_that_is_gone(self) -> None:
        """Nothing is read for it any more."""
        self.peer.is_connected = False
        self.reading[0].callback("first")
        self.assertIsNone(self.successResultOf(self.waiting))
        self.assertEqual(self.started, [])

    def test_nothing_is_left_behind(self) -> None:
        """A line that is empty is forgotten, after errors too."""
        self.reading[0].errback(ValueError("broken"))
        self.reading[1].callback(None)
        self.failureResultOf(self.reading[0], ValueError)
        self.assertEqual(self.cold.lines, {})

    def test_an_error_in_line(self) -> None:
        """The waiter is notified of it."""
        broken = self.cold.wait(self.peer, lambda: 1 // 0)
        self.reading[0].callback("first")
        self.failureResultOf(broken, ZeroDivisionError)

    def test_limit(self) -> None:
        """As many wait in all as may; the next is refused, in a sentence."""
        cold = ColdPulls(limit=1, max_waiting=1)
        reading: Deferred[Any] = Deferred()
        cold.count(self.peer, reading)
        waiting = cold.wait(self.peer, lambda: "second")
        with self.assertRaises(TooManyHeldPulls) as caught:
            cold.wait(self.peer, lambda: "third")
        self.assertIn("maxColdPulls", str(caught.exception))
        self.assertEqual((cold.waiting, cold.refused), (1, 1))
        reading.callback("first")
        self.assertEqual(self.successResultOf(waiting), "second")
        self.assertEqual((cold.waiting, cold.lines), (0, {}))
