"""
The checkpoint: the store times up to which messages are on disk.

The file has 4096 bytes. It begins with five big-endian numbers of 8 bytes: the store
time (ms) of the last message flushed in the commit log, in the consume queues and in
the index files; a master's flushed offset; the commit log offset of the last message
flushed. The master's flushed offset is kept as it is found.

Source: ``StoreCheckpoint`` of RocketMQ 5.
"""

import os
import struct

from rocketmq_tw.store.files.disk import Disk

_FIELDS = struct.Struct(">5q")
_SIZE = 4096
#: Recovery starts this many milliseconds before the time in the checkpoint.
_MARGIN_MS = 3000


class StoreCheckpoint:
    """
    The numbers of one checkpoint file.

    ``commit_log_time_ms``, ``consume_queue_time_ms`` and ``index_time_ms`` are store
    times; 0 means that nothing is known.
    """

    def __init__(self, path: str, disk: Disk | None = None) -> None:
        """Use the file at ``path``; :meth:`load` reads it."""
        self.path = path
        self._disk = disk or Disk()
        self._written: bytes | None = None
        self.commit_log_time_ms = 0
        self.consume_queue_time_ms = 0
        self.index_time_ms = 0
        self.master_flushed_offset = 0
        self.confirmed_offset = 0

    def load(self) -> None:
        """
        Read the file. A missing file reads as zeros, a short one is padded with them.
        """
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
        """Return the store time up to which everything is on disk, minus a margin."""
        known = min(self.commit_log_time_ms, self.consume_queue_time_ms)
        return max(0, known - _MARGIN_MS)

    def write(self) -> None:
        """
        Write the file if a number has changed, without an fsync.

        :raises OSError: the file could not be written.
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
