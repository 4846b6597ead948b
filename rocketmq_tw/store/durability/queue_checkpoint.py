"""
The queue checkpoint: how far the consume queues cover the commit log.

With Apache RocketMQ's checkpoint alone, recovery after a crash reads the newest file of
the log, up to a gibibyte. With this file it reads only what was stored in the last
second. The file also lists the queues, so that a lost or damaged one is noticed::

    magic 8    boot 16    written 8+8    flushed 8+8
    log file size 8    queue file size 8
    CRC of the list 4    size of the list 4    CRC of all that 4    the list

``written`` describes the page cache: it is valid until the kernel restarts, which the
boot id detects. ``flushed`` describes the disk. Each holds a commit log offset and the
offset of the record that ends there; recovery checks that record, in case the log was
cut in the meantime. The list (msgpack) holds, for each queue, its first and next queue
offset and the commit log offset at which its newest record ends.

There are two copies, so losing one is harmless. Apache RocketMQ ignores them.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from zlib import crc32

import msgspec

from rocketmq_tw.store.files.disk import Disk

_MAGIC = b"RMQTWCQ1"
_HEAD = struct.Struct(">8s16s6qII")
_CRC = struct.Struct(">I")
_HEAD_SIZE = _HEAD.size + _CRC.size
#: The head of a list in msgpack: 0xDD and the number of elements.
_LIST = struct.Struct(">BI")
#: Queues encoded in one reactor iteration: some 2 ms.
_AT_ONCE = 2000


class LogPosition(msgspec.Struct, frozen=True, gc=False):
    """A commit log offset, and the offset of the last record before it."""

    end: int = 0
    last: int = 0


class KnownQueue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    A queue with entries: its first and next queue offset, and where its records end.
    """

    topic: bytes
    queue_id: int
    first: int
    next: int
    log_end: int


_encode_queue = msgspec.msgpack.Encoder().encode


class QueueCheckpoint:
    """
    The numbers and the queue list of the file.

    ``is_known`` is True once a complete copy was loaded, ``is_same_boot`` while the
    kernel has not restarted since that copy was written.
    """

    def __init__(
        self, path: str, *, log_file_size: int, queue_file_size: int, disk: Disk
    ) -> None:
        """Use two copies, at ``path`` and ``path.bak``; :meth:`load` reads them."""
        self.paths = [path, path + ".bak"]
        self.written = self.flushed = LogPosition()
        self.queues: list[KnownQueue] = []
        self.is_known = self.is_same_boot = False
        self._boot = disk.boot_id()
        self._log_file_size = log_file_size
        self._queue_file_size = queue_file_size
        self._disk = disk
        self._list = b""

    def load(self) -> None:
        """
        Read the first copy that is complete.

        A copy written with other file sizes is ignored; recovery then reads the store's
        files.
        """
        for path in self.paths:
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                continue
            if self._decode(data):
                return

    def write(self) -> None:
        """
        Write the positions; the list in the files stays as it is.

        :raises OSError: a file could not be written.
        """
        head = self._encode()
        for path in self.paths:
            descriptor = self._disk.open(path, os.O_RDWR | os.O_CREAT)
            try:
                self._disk.write(descriptor, head, 0)
            finally:
                os.close(descriptor)

    def write_all(self, queues: Iterable[KnownQueue]) -> Iterator[None]:
        """
        Replace both copies, including the list; each step encodes some queues.

        :raises OSError: a file could not be written; at least one copy is complete.
        """
        number, pieces = 0, [b""]
        left = iter(queues)
        while some := list(islice(left, _AT_ONCE)):
            if number:
                yield
            number += len(some)
            pieces += map(_encode_queue, some)
        pieces[0] = _LIST.pack(0xDD, number)
        self._list = b"".join(pieces)
        self._replace()

    def _replace(self) -> None:
        """Replace both copies with the current numbers and list."""
        data = self._encode() + self._list
        for path in self.paths:
            temporary = path + ".tmp"
            descriptor = self._disk.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            try:
                self._disk.write(descriptor, data, 0)
            finally:
                os.close(descriptor)
            self._disk.rename(temporary, path)

    def _encode(self) -> bytes:
        """Return all bytes before the list."""
        head = _HEAD.pack(
            _MAGIC,
            self._boot,
            self.written.end,
            self.written.last,
            self.flushed.end,
            self.flushed.last,
            self._log_file_size,
            self._queue_file_size,
            crc32(self._list),
            len(self._list),
        )
        return head + _CRC.pack(crc32(head))

    def _decode(self, data: bytes) -> bool:
        """
        Load a copy; return False if it is incomplete or written with other file sizes.
        """
        if len(data) < _HEAD_SIZE:
            return False
        head = data[: _HEAD.size]
        if head[:8] != _MAGIC or _CRC.unpack_from(data, _HEAD.size) != (crc32(head),):
            return False
        (
            _magic,
            boot,
            written_end,
            written_last,
            flushed_end,
            flushed_last,
            log_file_size,
            queue_file_size,
            list_crc,
            list_size,
        ) = _HEAD.unpack(head)
        listed = data[_HEAD_SIZE : _HEAD_SIZE + list_size]
        if len(listed) != list_size or crc32(listed) != list_crc:
            return False
        if log_file_size != self._log_file_size:
            return False
        if queue_file_size != self._queue_file_size:
            return False
        self.queues = msgspec.msgpack.decode(listed, type=list[KnownQueue])
        self._list = listed
        self.flushed = LogPosition(flushed_end, flushed_last)
        # After a reboot the page cache is gone: only what was flushed counts.
        is_same_boot = boot == self._boot and any(boot)
        written = LogPosition(written_end, written_last)
        self.written = written if is_same_boot else self.flushed
        self.is_same_boot = is_same_boot
        self.is_known = True
        return True
