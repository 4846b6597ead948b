"""Tests of :mod:`rocketmq_tw.store.durability.shared_work`."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.shared_work import SharedWork


class SharedWorkTests(SynchronousTestCase):
    """Many who ask, and few runs."""

    def setUp(self) -> None:
        """Note the runs."""
        self.runs: list[Deferred[None]] = []
        self.work = SharedWork(self.run_once)

    def run_once(self) -> Deferred[None]:
        """Begin a run that the test ends."""
        self.runs.append(Deferred())
        return self.runs[-1]

    def test_shared(self) -> None:
        """All who ask during a run share the next one, which begins after it."""
        first = self.work.ask()
        others = [self.work.ask() for _ in range(1000)]
        self.assertEqual(len(self.runs), 1)
        self.runs[0].callback(None)
        self.successResultOf(first)
        self.assertEqual(len(self.runs), 2)
        self.assertNoResult(others[0])
        self.runs[1].callback(None)
        for each in others:
            self.successResultOf(each)
        self.assertEqual(len(self.runs), 2)

    def test_failure(self) -> None:
        """All who share a run get its failure; the next run is not affected."""
        first, second = self.work.ask(), self.work.ask()
        self.runs[0].errback(OSError("no"))
        self.failureResultOf(first, OSError)
        self.runs[1].callback(None)
        self.successResultOf(second)

    def test_asked_by_who_was_served(self) -> None:
        """Who asks again from a callback gets another run."""
        again: list[Deferred[None]] = []
        self.work.ask().addCallback(lambda _: again.append(self.work.ask()))
        self.runs[0].callback(None)
        self.assertNoResult(again[0])
        self.runs[1].callback(None)
        self.successResultOf(again[0])
