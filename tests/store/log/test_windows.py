"""Tests of the windows of the commit log: prepared in time, too late, or not at all."""

from __future__ import annotations

import errno
import os

from rocketmq_tw.store.errors import DiskFull
from tests.store.cases import NOW, SIZE, TOPIC, StoreCase, draft
from tests.store.log.cases import PAGE, WindowsCase


class PreparedTests(WindowsCase):
    """The thread is in time."""

    def test_while_the_last_quarter_is_used(self) -> None:
        """Not before, and only once."""
        self.append(12)
        self.assertEqual(self.thread.work, [])
        self.append(4)
        self.assertEqual(len(self.thread.work), 1)

    def test_no_system_call_at_a_border(self) -> None:
        """At the borders of windows none, at those of files the blank."""
        self.append(1)
        for _ in range(200):
            self.thread.run()
            calls = dict(self.disk.calls)
            self.append(1)
            if self.offsets[-1] % (16 * PAGE) == 0:
                calls["pwrite"] += 1
                # The file that gets the blank may have to be opened.
                calls["open"] = self.disk.calls["open"]
            self.assertEqual(dict(self.disk.calls), calls)
        self.check()
        mapped, prepared = self.counts()
        self.assertEqual(mapped, 1)
        self.assertGreater(prepared, 12)

    def test_the_file_is_part_of_the_log_when_it_is_used(self) -> None:
        """Until then nobody sees it; then it is flushed, and its directory too."""
        self.append(60)
        self.thread.run()
        self.assertEqual(os.stat(self.next_path()).st_size, 16 * PAGE)
        self.assertEqual(self.log.files.bases, [0])
        self.log.take_dirty()
        self.append(4)
        self.assertEqual(self.log.files.bases, [0, 16 * PAGE])
        written = self.log.take_dirty()
        path = self.next_path()
        self.assertLessEqual({path, os.path.dirname(path)}, set(written))
        self.assertEqual(written[path][1], os.stat(path).st_ino)

    def test_cleared(self) -> None:
        """What no record can be in yet is written, so that the kernel has the pages."""
        self.append(13)
        self.thread.run()
        self.assertEqual(self.disk.calls["pwrite"], 1)
        self.append(10)
        self.check()

    def test_not_cleared_for_senders_that_wait(self) -> None:
        """With SYNC_FLUSH the next fsync would have to write it."""
        self.log = self.make(sync_flush=True)
        self.append(40)
        self.thread.run()
        self.assertEqual(self.disk.calls["pwrite"], 0)


class UnpreparedTests(WindowsCase):
    """The thread is late, or it fails."""

    def test_late(self) -> None:
        """The window is mapped at once, and the thread then touches no file."""
        self.append(200)
        self.assertEqual(self.counts()[1], 0)
        calls = dict(self.disk.calls)
        self.thread.run()
        self.assertEqual(self.disk.calls["pwrite"], calls["pwrite"])
        self.assertEqual(self.disk.calls["set_size"], calls["set_size"])
        self.check()

    def test_in_the_middle(self) -> None:
        """Zeros are written up to the moment at which the reactor goes on itself."""
        self.append(16)
        allocate = self.disk.allocate

        def meanwhile(descriptor: int, at: int, size: int) -> None:
            """Let the reactor need the window while the thread is at work."""
            self.disk.allocate = allocate  # type: ignore[method-assign]
            allocate(descriptor, at, size)
            self.append(10)

        self.disk.allocate = meanwhile  # type: ignore[method-assign]
        self.thread.run()
        self.assertEqual(len(self.offsets), 26)
        self.check()
        self.assertEqual(self.counts(), (2, 0))

    def test_a_record_longer_than_the_window(self) -> None:
        """It gets a window of its own."""
        self.append(13)
        self.thread.run()
        self.append(1, 6 * PAGE)
        self.check()
        self.assertEqual(self.counts(), (2, 0))

    def test_a_record_that_skips_to_the_next_file(self) -> None:
        """What was prepared in this file is not used."""
        self.append(40)
        self.thread.run()
        self.append(1, 9 * PAGE)
        self.assertEqual(self.offsets[-1], 16 * PAGE)
        self.check()

    def test_failures_do_not_matter(self) -> None:
        """Whatever call fails, the records that follow are stored."""
        for name in ("open", "set_size", "allocate", "map", "pwrite"):
            self.log = self.make()
            self.append(61)
            self.disk.fail_next(name, errno.EIO)
            self.thread.run()
            self.assertTrue(self.disk.failed)
            self.disk.failed = False
            self.assertFalse(os.path.exists(self.next_path()), name)
            self.append(10)
            self.check()

    def test_nearly_full_disk(self) -> None:
        """The last MiB are left to what is needed now."""
        self.disk.free = lambda path: 64 << 20  # type: ignore[method-assign]
        self.append(61)
        self.thread.run()
        self.assertFalse(os.path.exists(self.next_path()))
        self.append(10)
        self.check()

    def test_full_disk(self) -> None:
        """What fits is stored; only what needs the next file is refused."""
        self.append(61)
        self.disk.fail_next("allocate", errno.ENOSPC)
        self.thread.run()
        self.append(2)
        self.disk.fail_next("allocate", errno.ENOSPC)
        self.assertIsNone(self.log.failure)
        self.assertRaises(DiskFull, self.append, 1)
        self.assertIn("full", self.log.failure or "")
        self.assertEqual(self.log.files.bases, [0])
        self.assertFalse(os.path.exists(self.next_path()))
        self.append(1)
        self.assertIsNone(self.log.failure)
        self.check()


class ClosedTests(WindowsCase):
    """The log is closed meanwhile."""

    def test_removes_the_file(self) -> None:
        """An unused file is not left behind."""
        self.append(61)
        self.thread.run()
        self.log.close()
        self.assertFalse(os.path.exists(self.next_path()))

    def test_before_the_thread_began(self) -> None:
        """It makes no file any more."""
        self.append(61)
        self.log.close()
        self.thread.run()
        self.assertFalse(os.path.exists(self.next_path()))

    def test_in_the_middle(self) -> None:
        """The file that the thread made is removed, and not made again."""
        self.append(61)
        allocate = self.disk.allocate

        def meanwhile(descriptor: int, at: int, size: int) -> None:
            """Close the log while the thread is at work."""
            allocate(descriptor, at, size)
            self.log.close()

        self.disk.allocate = meanwhile  # type: ignore[method-assign]
        self.thread.run()
        self.assertFalse(os.path.exists(self.next_path()))


class RecoveredTests(StoreCase):
    """The process dies while a file is prepared."""

    def test_killed(self) -> None:
        """The empty file behind the log is removed; nothing else is missing."""
        store = self.open()
        for _ in range(8):
            store.put(draft(), NOW)
        names = os.listdir(self.path("commitlog"))
        self.assertEqual(sorted(names), [f"{0:020d}", f"{1000:020d}"])
        self.root = self.kill()
        again = self.open()
        self.assertEqual(again.max_offset(TOPIC, 0), 8)
        self.assertEqual(again.commit_log_max, 8 * SIZE)
        self.assertEqual(os.listdir(self.path("commitlog")), [f"{0:020d}"])

    def test_power_cut(self) -> None:
        """Two files whose length did not reach the disk are as good as none."""
        store = self.open()
        for _ in range(8):
            store.put(draft(), NOW)
        self.root = self.kill()
        for base in (1000, 2000):
            with open(self.path("commitlog", f"{base:020d}"), "wb"):
                pass
        self.assertEqual(self.open().max_offset(TOPIC, 0), 8)
