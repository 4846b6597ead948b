"""
The checkpoint: up to when messages are known to be on disk.

A file of 4096 bytes that begins with five numbers of 8 bytes, big-endian: the store
time (ms) of the last message flushed in the commit log, in the consume queues
and in the index files; a master's flushed offset; the commit log offset of the last
message flushed. We keep the third and the fourth as we find them.

Source: ``StoreCheckpoint`` of RocketMQ 5.
"""

import os
import struct

from rocketmq_tw.store.files.disk import Disk

_FIELDS = struct.Struct(">5q")
_SIZE = 4096
#: Recovery goes back so much further, in milliseconds.
_MARGIN_MS = 3000


class StoreCheckpoint:
    """
    The numbers of a checkpoint file.

    ``commit_log_time_ms``, ``consume_queue_time_ms`` and ``index_time_ms`` are store
    times; 0 where nothing is known.
    """

    def __init__(self, path: str, disk: Disk | None = None) -> None:
        """Keep the file at ``path``; nothing is read yet."""
        self.path = path
        self._disk = disk or Disk()
        self._written: bytes | None = None
        self.commit_log_time_ms = 0
        self.consume_queue_time_ms = 0
        self.index_time_ms = 0
        self.master_flushed_offset = 0
        self.confirmed_offset = 0

    def load(self) -> None:
        """Read the file; a missing or cut one reads as zeros."""
        try:
            with open(self.path, "rb") as file:
                data = file.read(_FIELDS.size)
        except FileNotFoundError:
            return
        (
            self.commit_log_time_ms,
            self.consume_queue_time_ms,
            self.index_time_ms,
            self.master_flushed_offset,
            self.confirmed_offset,
        ) = _FIELDS.unpack(data.ljust(_FIELDS.size, b"\0"))

    @property
    def recovery_time_ms(self) -> int:
        """Return the store time up to which all is on disk, with a margin."""
        known = min(self.commit_log_time_ms, self.consume_queue_time_ms)
        return max(0, known - _MARGIN_MS)

    def write(self) -> None:
        """
        Write the file if a number changed; it is not flushed.

        :raises OSError: the file system refuses.
        """
        data = _FIELDS.pack(
            self.commit_log_time_ms,
            self.consume_queue_time_ms,
            self.index_time_ms,
            self.master_flushed_offset,
            self.confirmed_offset,
        )
        if data == self._written:
            return
        descriptor = self._disk.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            self._disk.set_size(descriptor, _SIZE)
            self._disk.write(descriptor, data, 0)
        finally:
            os.close(descriptor)
        self._written = data
