"""Values that are fetched at most every few seconds."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.kept import Kept


class KeptTests(SynchronousTestCase):
    """How often it is fetched."""

    def setUp(self) -> None:
        """Let nothing be fetched yet."""
        self.clock = Clock()
        self.fetches: list[Deferred[int]] = []
        self.kept = Kept(self.clock, self.fetch, 5.0)

    def fetch(self) -> Deferred[int]:
        """Begin a fetch."""
        self.fetches.append(Deferred())
        return self.fetches[-1]

    def test_shared(self) -> None:
        """All who ask meanwhile share one fetch; for a while nobody causes another."""
        first, second = self.kept.get(), self.kept.get()
        self.assertEqual(len(self.fetches), 1)
        self.fetches[0].callback(7)
        self.assertEqual(self.successResultOf(first), 7)
        self.assertEqual(self.successResultOf(second), 7)
        self.clock.advance(4.9)
        self.assertEqual(self.successResultOf(self.kept.get()), 7)
        self.clock.advance(0.1)
        self.assertNoResult(self.kept.get())
        self.assertEqual(len(self.fetches), 2)

    def test_gone(self) -> None:
        """One who goes does not take the fetch from the others."""
        first, second = self.kept.get(), self.kept.get()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.fetches[0].callback(7)
        self.assertEqual(self.successResultOf(second), 7)

    def test_all_gone(self) -> None:
        """If all have gone, the next one does not begin a second fetch."""
        first = self.kept.get()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second = self.kept.get()
        self.assertEqual(len(self.fetches), 1)
        self.fetches[0].callback(7)
        self.assertEqual(self.successResultOf(second), 7)

    def test_failure(self) -> None:
        """All get the failure; it is not kept."""
        first, second = self.kept.get(), self.kept.get()
        self.fetches[0].errback(ValueError("no"))
        self.failureResultOf(first, ValueError)
        self.failureResultOf(second, ValueError)
        self.assertNoResult(self.kept.get())
        self.assertEqual(len(self.fetches), 2)

    def test_renewed(self) -> None:
        """Who asks after a change gets what is fetched after it."""
        self.kept.get()
        self.fetches[0].callback(7)
        self.kept.renew()
        after = self.kept.get()
        self.assertNoResult(after)
        self.fetches[1].callback(8)
        self.assertEqual(self.successResultOf(after), 8)
        self.assertEqual(self.successResultOf(self.kept.get()), 8)

    def test_renewed_meanwhile(self) -> None:
        """What was being fetched at the change is fetched again."""
        before = self.kept.get()
        self.kept.renew()
        after = self.kept.get()
        self.fetches[0].callback(7)
        self.assertNoResult(after)
        self.fetches[1].callback(8)
        self.assertEqual(self.successResultOf(before), 8)
        self.assertEqual(self.successResultOf(after), 8)
        self.assertEqual(len(self.fetches), 2)
