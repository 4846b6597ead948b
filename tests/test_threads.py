"""Tests of running what blocks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.threads import run_here


class RunHereTests(SynchronousTestCase):
    """Where there is no thread."""

    def test_runs_at_once(self) -> None:
        """The Deferred has fired by the time it is returned."""
        done: list[int] = []
        self.assertIsNone(self.successResultOf(run_here(lambda: done.append(1))))
        self.assertEqual(done, [1])

    def test_an_error_becomes_a_failure(self) -> None:
        """As it would from a thread."""

        def refuse() -> None:
            raise OSError("no")

        self.failureResultOf(run_here(refuse), OSError)
