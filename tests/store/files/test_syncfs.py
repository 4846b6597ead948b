"""Tests of flushing a whole file system."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.syncfs import syncfs


class SyncfsTests(SynchronousTestCase):
    """The errors of the system call, or of its lack, are OSErrors."""

    def test_no_descriptor(self) -> None:
        """What is not open cannot be flushed."""
        reading, writing = os.pipe()
        os.close(writing)
        os.close(reading)
        self.assertRaises(OSError, syncfs, reading)
