"""What the tests of windows share: a log of small files, its disk and its thread."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.wire.record import decode
from tests.store.cases import SIZE, SMALL, draft
from tests.store.disks import FaultyDisk

PAGE = 4096
#: The size of a record: four a page, sixteen a window, 63 a file.
RECORD = PAGE // 4


class WindowsCase(SynchronousTestCase):
    """Has a log with files of four windows of four pages."""

    def setUp(self) -> None:
        """Make the log."""
        self.thread = ManualThreads()
        self.disk = FaultyDisk()
        self.log = self.make()

    def make(self, **options: object) -> CommitLog:
        """Make a log in a directory of its own."""
        files = OpenFiles(disk=self.disk)
        config = msgspec.structs.replace(
            SMALL, commit_log_file_size=16 * PAGE, window_size=4 * PAGE, **options
        )
        log = CommitLog(self.mktemp(), config, files, self.thread)
        self.addCleanup(files.close)
        self.addCleanup(log.close)
        self.offsets: list[int] = []
        return log

    def append(self, count: int, size: int = RECORD) -> None:
        """Append records of this size, each with a body of its own."""
        for _ in range(count):
            body = b"%06d" % len(self.offsets)
            body = body.ljust(size - SIZE + 5, b"x")
            self.offsets.append(self.log.append(draft(body), 0, 0))

    def check(self) -> None:
        """Expect every record where it was appended."""
        for number, offset in enumerate(self.offsets):
            record = self.log.record_at(offset)
            assert record is not None, offset
            self.assertEqual(decode(record).body[:6], b"%06d" % number)

    def counts(self) -> tuple[int, int]:
        """Return how many windows were mapped when needed, and how many prepared."""
        return self.log._windows.mapped, self.log._windows.prepared

    def next_path(self) -> str:
        """Return the path of the second file."""
        return self.log.files.path(16 * PAGE)
