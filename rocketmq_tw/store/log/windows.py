"""
The windows of the commit log: each is prepared in a thread, or mapped when needed.
"""

import errno

from twisted.logger import Logger

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import DiskFull, StoreError, StoreNotWriteable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.segments import MappedFileQueue
from rocketmq_tw.store.files.window import Window, map_window
from rocketmq_tw.store.log.ahead import NextWindow
from rocketmq_tw.threads import RunInThread

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
#: The next window is prepared while the last quarter of this one is in use.
_LEAD = 4


class Windows:
    """
    Makes the windows of one log.

    ``lead`` is how many bytes before its last one a window calls for the next;
    ``mapped`` counts the windows that were mapped when they were needed, and
    ``prepared`` the others. ``failure`` is why the last one that was needed could not
    be had; None if it could.
    """

    _log = Logger()

    def __init__(
        self,
        files: MappedFileQueue,
        config: StoreConfig,
        prepare_in_thread: RunInThread | None,
    ) -> None:
        """:param prepare_in_thread: None prepares none."""
        self.lead = 0
        self.mapped = self.prepared = 0
        self.failure: str | None = None
        self._files = files
        self._size = config.window_size
        self._clears = not config.sync_flush
        self._prepare_in_thread = prepare_in_thread
        self._next: NextWindow | None = None
        if prepare_in_thread is not None:
            self.lead = min(self._size, files.file_size) // _LEAD

    def window(self, base: int, position: int, size: int) -> Window:
        """
        Return a window with ``size`` bytes from ``position`` on, in the file at
        ``base``, which is created if necessary.

        :raises DiskFull: no file was created.
        :raises StoreNotWriteable: the same for any other reason.
        """
        found = None
        if self._next is not None and self._next.base == base:
            found = self._next.take(position, size)
            self._next = None
        self.discard()
        if found is None:
            self.mapped += 1
            found = self._map(base, position, size)
        else:
            self.prepared += 1
        self.failure = None
        return found

    def prepare(self, end: int, used: int) -> None:
        """
        Prepare a window that begins at ``end``, or the next file's first.

        :param used: where the current window ends.
        """
        if self._prepare_in_thread is None or self._next is not None:
            return
        file_end = self._files.base_of(end) + self._files.file_size
        self._next = NextWindow(
            self._files,
            position=end if used < file_end else file_end,
            size=self._size,
            used=used,
            clears=self._clears,
        )
        self._prepare_in_thread(self._next.prepare).addErrback(
            lambda failure: self._log.failure("no window was prepared", failure)
        )

    def discard(self) -> None:
        """Forget the prepared window, and remove its file if it is a new one."""
        if self._next is not None:
            self._next.discard()
        self._next = None

    def _map(self, base: int, position: int, size: int) -> Window:
        """Map a window, in a new file if necessary."""
        files = self._files
        is_new = not files.has(base)
        try:
            files.create(base)
            return map_window(files, base, position, max(size, self._size))
        except OSError as error:
            if is_new:
                files.remove(base)
            failed = not_written(error, files.path(base), files.disk)
            self.failure = reason(failed)
            raise failed from error


def not_written(error: OSError, path: str, disk: Disk) -> StoreError:
    """Return the store's error for one of the system, for a file of the log."""
    if error.errno in _NO_SPACE:
        return DiskFull(path, disk.used(path))
    return StoreNotWriteable(str(error))


def reason(failed: StoreError) -> str:
    """Return why a store accepts no messages, without saying that it does not."""
    return failed.why if isinstance(failed, StoreNotWriteable) else str(failed)
