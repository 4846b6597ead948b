"""
Reads the commit log for the index.

What is in the page cache is read at once. The rest is read in the store's threads,
which open the file themselves: it may be deleted by age meanwhile.
"""

import os
from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.store.files.reads import NO_WAIT
from rocketmq_tw.store.index.keys import is_blank
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.record_layout import MAX_RECORD_SIZE

#: Bytes of log read at once, between two checks of the clock: some 0.5 ms.
CHUNK = 64 << 10


class LogReader:
    """
    Reads the log of one store up to ``readable_end()``, one file at a time.

    Bytes that a thread has read are kept until the next :meth:`read`.
    """

    def __init__(
        self,
        *,
        log: CommitLog,
        readable_end: Callable[[], int],
        run_in_thread: RunInThread,
    ) -> None:
        self._files = log.files
        self._end = readable_end
        self._run_in_thread = run_in_thread
        self._read_ahead: tuple[int, bytes] = (-1, b"")

    def read(self, position: int) -> "bytes | Deferred[None]":
        """
        Return the bytes at a position, with at least one complete record if possible.

        :returns: a Deferred if they are not in the page cache: it fires when a thread
            has read them and the next call returns them. It fails with OSError.
        :raises OSError: what is in the page cache cannot be read.
        """
        read_at, data = self._read_ahead
        self._read_ahead = (-1, b"")
        if read_at == position:
            return data
        data = self._read_warm(position, CHUNK)
        size = int.from_bytes(data[:4], "big")
        if len(data) >= 8 and (is_blank(data, 0) or size > MAX_RECORD_SIZE):
            return data
        left = self._left(position)
        wanted = min(max(size, 8), left)
        if len(data) < wanted:
            data = self._read_warm(position, wanted)
        if len(data) >= wanted:
            return data
        return self._read_cold(position, min(max(wanted, CHUNK), left))

    def _left(self, position: int) -> int:
        """Return the bytes from a position to the end of the log or of its file."""
        file_end = self._files.base_of(position) + self._files.file_size
        return min(file_end, self._end()) - position

    def _read_warm(self, position: int, count: int) -> bytes:
        """Read what is in the page cache, up to the end of the log and of one file."""
        base = self._files.base_of(position)
        if not self._files.has(base):
            return b""
        buffer = bytearray(min(count, self._left(position)))
        descriptor = self._files.descriptor(base)
        try:
            done = os.preadv(descriptor, [buffer], position - base, NO_WAIT or 0)
        except BlockingIOError:
            return b""
        except OSError:
            return os.pread(descriptor, len(buffer), position - base)
        return bytes(buffer[:done])

    def _read_cold(self, position: int, count: int) -> "Deferred[None]":
        """Read in a thread."""
        base = self._files.base_of(position)
        path = self._files.path(base)

        def read() -> None:
            with open(path, "rb", buffering=0) as file:
                data = os.pread(file.fileno(), count, position - base)
            self._read_ahead = (position, data)

        return self._run_in_thread(read)
