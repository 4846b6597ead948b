"""Tests of the commit log."""

import errno
import os

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import DiskFull, RecordTooLong, StoreNotWriteable
from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.wire.record import decode, encode
from tests.store.cases import DRAFT, SIZE, SMALL, draft


class CommitLogTests(SynchronousTestCase):
    """Appending and reading."""

    def setUp(self) -> None:
        """Make a log of files of 1000 bytes."""
        self.log = self.make(SMALL)

    def make(self, config: StoreConfig) -> CommitLog:
        """Make a log in a directory of its own."""
        files = OpenFiles()
        log = CommitLog(self.mktemp(), config, files)
        self.addCleanup(files.close)
        self.addCleanup(log.close)
        return log

    def test_appends_records(self) -> None:
        """The file holds just the record, and zeros."""
        self.assertEqual(self.log.append(DRAFT, 7, 9), 0)
        self.assertEqual(self.log.append(DRAFT, 8, 9), SIZE)
        with open(self.log.files.path(0), "rb") as file:
            data = file.read()
        host = SMALL.store_host
        records = encode(DRAFT, 7, 0, 9, host) + encode(DRAFT, 8, SIZE, 9, host)
        self.assertEqual(data, records.ljust(1000, b"\0"))
        self.assertEqual(self.log.end, 2 * SIZE)

    def test_leaves_a_blank_at_the_end(self) -> None:
        """A record that does not fit with 8 bytes to spare goes to the next file."""
        for _ in range(7):
            self.log.append(DRAFT, 0, 0)
        room = 1000 - 7 * SIZE
        body = bytes(5 + room - SIZE - 7)
        self.assertEqual(self.log.append(draft(body), 0, 0), 1000)
        marker = self.log.files.read(7 * SIZE, 8)
        self.assertEqual(marker.hex(), f"{room:08x}cbd43194")

    def test_fills_a_file_to_the_marker(self) -> None:
        """A record that leaves just 8 bytes stays."""
        for _ in range(7):
            self.log.append(DRAFT, 0, 0)
        room = 1000 - 7 * SIZE
        body = bytes(5 + room - SIZE - 8)
        self.assertEqual(self.log.append(draft(body), 0, 0), 7 * SIZE)
        self.assertEqual(self.log.end, 992)
        self.assertEqual(self.log.append(DRAFT, 0, 0), 1000)
        self.assertEqual(self.log.files.read(992, 8).hex(), "00000008cbd43194")

    def test_moves_batches_as_a_whole(self) -> None:
        """No part of a batch stays in the old file."""
        for _ in range(7):
            self.log.append(DRAFT, 0, 0)
        places = self.log.append_all([DRAFT] * 3, range(7, 10), 0)
        self.assertEqual(places, [1000, 1000 + SIZE, 1000 + 2 * SIZE])
        self.assertEqual(self.log.files.read(7 * SIZE + 4, 4).hex(), "cbd43194")
        for number, place in enumerate(places):
            found = self.log.record_at(place)
            assert found is not None
            stored = decode(found)
            self.assertEqual(stored.commit_log_offset, place)
            self.assertEqual(stored.queue_offset, 7 + number)

    def test_refuses_what_no_file_can_hold(self) -> None:
        """Nothing is written."""
        self.assertRaises(RecordTooLong, self.log.append, draft(bytes(1000)), 0, 0)
        self.assertEqual(self.log.end, 0)
        self.assertEqual(self.log.files.bases, [])

    def test_moves_its_window(self) -> None:
        """Records of all sizes are written whole through a small window."""
        log = self.make(
            msgspec.structs.replace(
                SMALL, commit_log_file_size=1 << 20, window_size=4096
            )
        )
        places = [log.append(draft(bytes([n]) * n * 97), n, 0) for n in range(150)]
        self.assertGreater(log.end, 1 << 20)
        for number, place in enumerate(places):
            found = log.record_at(place)
            assert found is not None
            self.assertEqual(decode(found).body, bytes([number]) * number * 97)

    def test_a_full_disk_changes_nothing(self) -> None:
        """The error names the file, and the log goes on when there is room."""
        for _ in range(8):
            self.log.append(DRAFT, 0, 0)

        def refuse(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        patch = self.patch(os, "posix_fallocate", refuse)
        error = self.assertRaises(DiskFull, self.log.append, DRAFT, 0, 0)
        self.assertEqual(error.path, self.log.files.path(1000))
        self.assertEqual((self.log.end, self.log.files.bases), (8 * SIZE, [0]))
        self.assertEqual(self.log.files.read(8 * SIZE, 8), bytes(8))
        self.assertFalse(os.path.exists(error.path))
        patch.restore()
        self.assertEqual(self.log.append(DRAFT, 0, 0), 1000)

    def test_other_errors_are_distinguished(self) -> None:
        """A failing disk is not a full one."""

        def refuse(*_: object) -> None:
            raise OSError(errno.EIO, "broken")

        self.patch(os, "posix_fallocate", refuse)
        self.assertRaises(StoreNotWriteable, self.log.append, DRAFT, 0, 0)

    def test_returns_records_only_at_their_offsets(self) -> None:
        """Neither other offsets nor a record within a body pass."""
        within = encode(DRAFT, 0, 0, 0, SMALL.store_host)
        place = self.log.append(draft(within), 0, 0)
        self.assertIsNotNone(self.log.record_at(place))
        for other in range(place - 1, self.log.end + 2):
            if other != place:
                self.assertIsNone(self.log.record_at(other))
