"""
The index files of a store: ``index/<yyyyMMddHHmmssSSS>``, named by their local time.

They are derived from the commit log. A damaged file is removed with all newer ones, and
rebuilt. After a crash a file is trusted only if it is full and the checkpoint says that
it was flushed.

Source: ``IndexService`` of RocketMQ 5.
"""

import os
import time

from twisted.logger import Logger

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index.file import IndexFile

_NAME_DIGITS = 17


class IndexFiles:
    """
    The files of one directory, the oldest first.

    Files with other names in the directory are ignored.
    """

    _log = Logger()

    def __init__(
        self, directory: str, slots: int, max_count: int, disk: Disk | None = None
    ) -> None:
        """Use files of ``slots`` slots and ``max_count`` entries in ``directory``."""
        self.files: list[IndexFile] = []
        self._directory = directory
        self._slots = slots
        self._max_count = max_count
        self._disk = disk or Disk()

    def load(self, trusted_time_ms: int | None) -> None:
        """
        Find the files and remove damaged ones.

        :param trusted_time_ms: after a crash, the store time up to which full files are
            on disk; None trusts all.
        :raises OSError: the directory cannot be read or written.
        """
        self.files = []
        if not os.path.isdir(self._directory):
            return
        for name in sorted(os.listdir(self._directory)):
            if name.isdecimal() and len(name) == _NAME_DIGITS:
                self.files.append(self._file(name))
        for at, file in enumerate(self.files):
            why = file.load()
            if why is None and trusted_time_ms is not None:
                why = _distrust(file, trusted_time_ms)
            if why is not None:
                self.cut(at, why)
                return

    def cut(self, at: int, why: str) -> None:
        """
        Remove the file at index ``at`` and all newer ones; the builder rebuilds them.
        """
        for file in reversed(self.files[at:]):
            self._log.info(
                "removing index file {path}, to be rebuilt: {why}",
                path=file.path,
                why=why,
            )
            self._remove(file)
        del self.files[at:]

    def trim(self, log_min: int) -> list[str]:
        """
        Detach the files that hold only messages below the commit log's minimum.

        :returns: their paths. The files are large, so the caller removes them in a
            thread.
        """
        paths = []
        while self.files and self.files[0].end_offset < log_min:
            file = self.files.pop(0)
            file.close()
            paths.append(file.path)
        return paths

    def open_for(self, now: float) -> IndexFile:
        """
        Return the newest file if it has capacity, otherwise a new one.

        :param now: seconds since the epoch; becomes the name of a new file.
        :raises OSError: a new file cannot be created.
        """
        last = self.files[-1] if self.files else None
        if last is not None and last.capacity:
            return last
        self._disk.make_directories(self._directory)
        file = self._file(self._name(now))
        file.create(last)
        if last is not None:
            last.close()
        self.files.append(file)
        return file

    def fsync(self, file: IndexFile) -> None:
        """
        Flush a file and its directory entry; may run in any thread.

        :raises OSError: the disk failed.
        """
        self._disk.fsync([file.path, self._directory])

    def close(self) -> None:
        """Unmap and close all files."""
        for file in self.files:
            file.close()

    def _name(self, now: float) -> str:
        """
        Return a name that sorts behind the others, even if the clock was set back.
        """
        last = os.path.basename(self.files[-1].path) if self.files else ""
        name = _stamp(now)
        while name <= last:
            now += 1
            name = _stamp(now)
        return name

    def _file(self, name: str) -> IndexFile:
        """Return the object for the file with this name."""
        path = os.path.join(self._directory, name)
        return IndexFile(path, self._slots, self._max_count, self._disk)

    def _remove(self, file: IndexFile) -> None:
        """Close and remove one file, if it exists."""
        file.close()
        self._disk.remove(file.path)


def _distrust(file: IndexFile, trusted_time_ms: int) -> str | None:
    """Return why a file is not trusted after a crash; None if it is."""
    if file.capacity or file.end_time_ms > trusted_time_ms:
        return "the last run crashed, and this file was not flushed"
    return None


def _stamp(now: float) -> str:
    """Format a time in the local time zone, with milliseconds."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.localtime(now))
    return f"{stamp}{int(now * 1000) % 1000:03d}"
