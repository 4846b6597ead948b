"""
Files that are flushed again and again, through descriptors that are kept.

The fsync of a file that was deleted succeeds if it was opened before. So whoever keeps
a descriptor has to look whether the path still leads to that file.
"""

import os
from collections.abc import Mapping

from rocketmq_tw.store.files.disk import Disk, FileId, depth


class SyncedFiles:
    """Flushes files; the descriptor of one, the active file, is kept."""

    def __init__(self, disk: Disk) -> None:
        """Nothing is open yet."""
        self._disk = disk
        self._path = ""
        self._descriptor = -1

    def flush(self, written: Mapping[str, FileId | None], active: str) -> list[str]:
        """
        Flush files and directories to disk, files first; runs in a thread.

        :param written: path to the file that was written to; None is any file.
        :param active: the path that is to be flushed again.
        :returns: the paths that are gone, or are another file's by now.
        :raises OSError: the disk failed; what it holds now is not known.
        """
        if self._path != active:
            self.close()
        elif len(written) == 1 and active in written:
            self._disk.sync_file(self._descriptor)
            return []
        lost = []
        for path in sorted(written, key=depth):
            if not self._flush_one(path, written[path], active):
                lost.append(path)
        return lost

    def is_there(self, path: str, file_id: FileId | None) -> bool:
        """Return whether a path leads to the file that was written to: 1.5 us."""
        try:
            found = os.stat(path)
        except OSError:
            return False
        return file_id is None or (found.st_dev, found.st_ino) == file_id

    def close(self) -> None:
        """Close the kept descriptor."""
        if self._path:
            os.close(self._descriptor)
        self._path, self._descriptor = "", -1

    def _flush_one(self, path: str, file_id: FileId | None, active: str) -> bool:
        """Flush one path; return whether that is the file which was written to."""
        disk = self._disk
        if path == self._path:
            disk.sync_file(self._descriptor)
            return True
        try:
            descriptor = disk.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        is_kept = False
        try:
            is_right = file_id is None or disk.file_id(descriptor) == file_id
            disk.sync(descriptor)
            is_kept = is_right and path == active
        finally:
            if not is_kept:
                os.close(descriptor)
        if is_kept:
            self._path, self._descriptor = path, descriptor
        return is_right
