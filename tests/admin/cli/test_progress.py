"""The progress bar."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.progress import progress


class ProgressTests(SynchronousTestCase):
    """Into a pipe there is none."""

    def test_pipe(self) -> None:
        """It can be advanced nevertheless."""
        with progress("sending", 3) as advance:
            advance(1)
            advance(2)
