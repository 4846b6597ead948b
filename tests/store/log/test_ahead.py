"""Tests of one window that is prepared."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.log.ahead import NextWindow

PAGE = 4096


class NextWindowTests(SynchronousTestCase):
    """A file of four pages, and one that is not there."""

    def setUp(self) -> None:
        """Make the first file, full of records."""
        files = OpenFiles()
        self.addCleanup(files.close)
        self.queue = MappedFileQueue(self.mktemp(), 4 * PAGE, files)
        self.queue.write(0, b"r" * 4 * PAGE)

    def planned(self, position: int, used: int) -> NextWindow:
        """Plan a window of two pages."""
        return NextWindow(
            self.queue, position=position, size=2 * PAGE, used=used, clears=True
        )

    def test_keeps_what_is_used(self) -> None:
        """Only what lies behind the current window is overwritten."""
        planned = self.planned(PAGE + 10, 2 * PAGE)
        planned.prepare()
        window = planned.take(PAGE + 10, 2 * PAGE)
        assert window is not None
        self.addCleanup(window.close)
        self.assertEqual((window.start, window.end), (PAGE, 3 * PAGE + 10))
        written = self.queue.read(0, 4 * PAGE)
        self.assertEqual(written[: 2 * PAGE], b"r" * 2 * PAGE)
        self.assertEqual(written[2 * PAGE : 3 * PAGE + 10], bytes(PAGE + 10))

    def test_does_not_cover(self) -> None:
        """It is not used for what reaches beyond it."""
        planned = self.planned(PAGE, 2 * PAGE)
        planned.prepare()
        self.assertIsNone(planned.take(PAGE, 2 * PAGE + 1))

    def test_cancelled(self) -> None:
        """Once it is taken, ready or not, the thread changes nothing."""
        planned = self.planned(4 * PAGE, 4 * PAGE)
        self.assertIsNone(planned.take(4 * PAGE, 1))
        planned.prepare()
        self.assertFalse(os.path.exists(self.queue.path(4 * PAGE)))
        self.assertEqual(self.queue.bases, [0])

    def test_discarded(self) -> None:
        """A file that was made for it is removed, one of the log is not."""
        for position in (4 * PAGE, PAGE):
            planned = self.planned(position, 4 * PAGE)
            planned.prepare()
            planned.discard()
        names = os.listdir(self.queue.directory)
        self.assertEqual(names, [os.path.basename(self.queue.path(0))])
