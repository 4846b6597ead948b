"""
A commit log as its slaves copy it: raw bytes, from any offset on.

What is in the page cache is read at once, all else in the store's threads, with those
reads of consumers that are cold too.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.store.files.reads import READ_AHEAD, Reads, Steps, piece
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.dispatch import Dispatcher


class LogSource:
    """
    Reads the commit log of one store.

    :ivar file_size: of the files of the log, in bytes.
    """

    def __init__(self, log: CommitLog, reads: Reads, dispatcher: Dispatcher) -> None:
        self._commit_log = log
        self._reads = reads
        self._dispatcher = dispatcher
        self.file_size = log.files.file_size

    @property
    def min_offset(self) -> int:
        """Return where the oldest file begins."""
        return self._commit_log.min_offset

    @property
    def end(self) -> int:
        """Return where the log ends."""
        return self._commit_log.end

    def read(self, position: int, size: int) -> bytes | Deferred[bytes]:
        """
        Read bytes of the log, at most to its end and to the end of one file.

        :returns: no bytes if there is no such file, any more or yet.
        """
        log = self._commit_log
        size = min(size, log.end - position)
        if size <= 0:
            return b""
        found = log.in_window(position, size)
        if found:
            return bytes(found)
        return self._reads.run(self._steps(position, size))

    def call_at_next(self, function: Callable[[], None]) -> None:
        """Call ``function`` once, when a record that is stored later is dispatched."""
        self._dispatcher.call_at_next(function)

    def cancel(self, function: Callable[[], None]) -> None:
        """Do not call ``function`` any more."""
        self._dispatcher.cancel(function)

    def _steps(self, position: int, size: int) -> Steps[bytes]:
        """Read bytes, in a thread if they are cold."""
        files = self._commit_log.files
        data = self._reads.now(files, position, size)
        if data is None:
            [data] = yield [piece(files, position, size, READ_AHEAD)]
        return data
