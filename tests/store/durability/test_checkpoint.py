"""Tests of the checkpoint file."""

import struct

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint


class StoreCheckpointTests(SynchronousTestCase):
    """Five numbers in a file of a page."""

    def test_writes_the_original_s_layout(self) -> None:
        """The numbers stand first, then zeros up to 4096 bytes."""
        path = self.mktemp()
        checkpoint = StoreCheckpoint(path)
        checkpoint.load()
        checkpoint.commit_log_time_ms = 1700000000001
        checkpoint.consume_queue_time_ms = 1700000000000
        checkpoint.write()
        with open(path, "rb") as file:
            data = file.read()
        self.assertEqual(len(data), 4096)
        self.assertEqual(
            struct.unpack(">5q", data[:40]), (1700000000001, 1700000000000, 0, 0, 0)
        )
        self.assertFalse(any(data[40:]))

    def test_keeps_what_is_not_ours(self) -> None:
        """All other numbers are written as they were read."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(struct.pack(">5q", 1, 2, 3, 4, 5).ljust(4096, b"\0"))
        checkpoint = StoreCheckpoint(path)
        checkpoint.load()
        checkpoint.commit_log_time_ms = 9
        checkpoint.write()
        with open(path, "rb") as file:
            self.assertEqual(struct.unpack(">5q", file.read(40)), (9, 2, 3, 4, 5))

    def test_recovery_goes_back_three_seconds(self) -> None:
        """It starts from the lower of log and queues, and not below zero."""
        checkpoint = StoreCheckpoint(self.mktemp())
        self.assertEqual(checkpoint.recovery_time_ms, 0)
        checkpoint.commit_log_time_ms = 10_000
        checkpoint.consume_queue_time_ms = 9_000
        self.assertEqual(checkpoint.recovery_time_ms, 6_000)

    def test_a_cut_file_reads_as_zeros(self) -> None:
        """A file that was being made is no reason not to start."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"\0" * 7 + b"\1")
        checkpoint = StoreCheckpoint(path)
        checkpoint.load()
        self.assertEqual(checkpoint.commit_log_time_ms, 1)
        self.assertEqual(checkpoint.consume_queue_time_ms, 0)
