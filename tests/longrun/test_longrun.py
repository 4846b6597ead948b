"""The long runs, short: what continuous integration has time for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.longrun import backlog, disk_full, kills, slow_disk

#: Kills for each way to flush.
CYCLES = 20


class LongRunTests(SynchronousTestCase):
    """One run each; what is asserted inside is not repeated here."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def test_killed_while_flushing_later(self) -> None:
        """ASYNC_FLUSH loses nothing to a kill."""
        found = kills.run(self.folder, CYCLES, "ASYNC_FLUSH", seed=1)
        self.assertGreater(found["acknowledged"], CYCLES)

    def test_killed_while_flushing_first(self) -> None:
        """SYNC_FLUSH loses nothing to a kill."""
        found = kills.run(self.folder, CYCLES, "SYNC_FLUSH", seed=2)
        self.assertGreater(found["acknowledged"], CYCLES)

    def test_slow_disk(self) -> None:
        """Those who do not wait for an fsync do not notice it."""
        for flush in ("ASYNC_FLUSH", "SYNC_FLUSH"):
            found = slow_disk.run(self.folder / flush, flush, seconds=5)
            self.assertLess(found["others' slowest answer, s"], slow_disk.DELAY / 2)

    def test_full_disk(self) -> None:
        """Service returns by itself."""
        if os.geteuid() != 0:
            raise SkipTest("mounting a small disk takes root")
        try:
            found = disk_full.run(rounds=3)
        except subprocess.CalledProcessError as error:
            raise SkipTest(f"no small disk can be mounted: {error.stderr!r}") from None
        self.assertEqual(found["rounds"], 3)

    def test_backlog(self) -> None:
        """Memory does not grow with what is read."""
        found = backlog.run(self.folder, 200_000)
        self.assertEqual(found["messages"], 200_000)
        growth = found["memory at most, MB"] - found["memory at first, MB"]
        self.assertLess(growth * 1e6, backlog.GROWTH)
