"""
The files ``lock`` and ``abort``: one process at a time, and whether it closed cleanly.

``lock`` holds the word "lock" and is locked on its first byte, as Apache RocketMQ does,
so that neither opens a store that the other uses. ``abort`` exists while a store is
open. If it is found at the next start, the last run did not close the store.

Source: ``DefaultMessageStore.start`` and ``shutdown`` of RocketMQ 5.
"""

import fcntl
import os
import struct

from rocketmq_tw.store.errors import StoreLocked, StoreUnreadable
from rocketmq_tw.store.files.disk import Disk

_TEXT = b"lock"
#: struct flock: write lock, from the start, first byte, length 1, no process id.
_FIRST_BYTE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", None)


class StoreLock:
    """
    The lock of one store.

    It belongs to the open file, not to the process: a second lock on the same path is
    refused in the same process too, and closing that one does not release ours.

    A program may acquire it before the store is opened, for instance before it takes
    ports, and pass it to the store, which releases it when it closes.
    """

    def __init__(self, path: str) -> None:
        """Use the file at ``path``; nothing is locked yet."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """
        Acquire the lock, creating the directory if needed; does nothing if already
        acquired.

        :raises StoreLocked: another process, or another lock object, holds it.
        :raises StoreUnreadable: the directory or the file cannot be made or opened.
        """
        if self._descriptor is not None:
            return
        directory = os.path.dirname(self._path) or "."
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            os.makedirs(directory, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o644)
        except OSError as error:
            raise StoreUnreadable(directory, error.strerror or str(error)) from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise StoreLocked(self._path) from error
        self._descriptor = descriptor
        os.pwrite(descriptor, _TEXT, 0)

    def release(self) -> None:
        """Release the lock and keep the file; does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


class AbortFile:
    """A file that exists while a store is open, and after a crash."""

    def __init__(self, path: str, disk: Disk | None = None) -> None:
        """Use the file at ``path``."""
        self._path = path
        self._disk = disk or Disk()

    def exists(self) -> bool:
        """Return whether the last run ended without closing the store."""
        return os.path.exists(self._path)

    def create(self) -> None:
        """Write and flush it, with the process id for human readers."""
        with open(self._path, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        self._disk.fsync([self._path, os.path.dirname(self._path)])

    def remove(self) -> None:
        """Remove it, after everything is written and flushed."""
        self._disk.remove(self._path)


def _lock(descriptor: int) -> None:
    """
    Lock the first byte; the lock belongs to the open file where the system allows it.
    """
    if _SET_LOCK is None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    else:
        fcntl.fcntl(descriptor, _SET_LOCK, _FIRST_BYTE)
