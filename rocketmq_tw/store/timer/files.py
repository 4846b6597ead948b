"""
The timer's files in the store's folder: made when they are first needed.

::

    <root>/timerwheel             mapped
    <root>/timerlog/<offset>      written, and read with the store's means
    <root>/config/timercheck      written in place

A broker that never got a timed message has none of them.

Source: ``TimerMessageStore`` of RocketMQ 5.
"""

from __future__ import annotations

import os
from mmap import mmap

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.timer.checkpoint import OwnCheck, TimerCheckFile
from rocketmq_tw.store.timer.layout import WHEEL_SIZE
from rocketmq_tw.store.timer.log import FILE_SIZE, TimerLog
from rocketmq_tw.store.timer.wheel import TimerWheel
from rocketmq_tw.threads import RunInThread, run_here
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint

_LOG, _SNAPSHOT = "timerlog", "timerwheel."


class TimerFiles:
    """
    The files below one folder.

    :param file_size: of the files of the log.
    :param run_in_thread: runs blocking calls.
    """

    # The wheel is mapped while _map is set.

    def __init__(
        self,
        root: str,
        *,
        precision_ms: int = 1000,
        file_size: int = FILE_SIZE,
        disk: Disk | None = None,
        run_in_thread: RunInThread = run_here,
    ) -> None:
        self._root = root
        self._disk = disk or Disk()
        self._run_in_thread = run_in_thread
        self.precision_ms = precision_ms
        self.wheel_path = os.path.join(root, "timerwheel")
        self._open_files = OpenFiles(limit=8, disk=self._disk)
        self.check = TimerCheckFile(
            os.path.join(root, "config", "timercheck"), self._disk
        )
        self.log = TimerLog(
            MappedFileQueue(os.path.join(root, _LOG), file_size, self._open_files),
            Reads(run_in_thread),
        )
        self._map: mmap | None = None
        self._dirty: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether the wheel can be used."""
        return self._map is not None

    @property
    def has_log(self) -> bool:
        """Whether there is a log; known once it was loaded."""
        return bool(self.log.files.bases)

    @property
    def has_wheel(self) -> bool:
        """Whether there is a wheel that holds something."""
        try:
            return os.stat(self.wheel_path).st_size > 0
        except FileNotFoundError:
            return False

    def load(self) -> None:
        """
        Find the files of the log; its end is found by who reads it.

        :raises StoreUnreadable: a file has a wrong name or length, or is of a kind
            that this broker does not read.
        """
        for name in sorted(os.listdir(self._root) if os.path.isdir(self._root) else ()):
            if name.startswith(_SNAPSHOT):
                raise StoreUnreadable(
                    os.path.join(self._root, name),
                    "it is a snapshot of the timer's wheel, which is not read; start"
                    " the broker that wrote it once with timerWheelSnapshotFlush=false",
                )
        self.log.files.load(may_be_cut=True)

    def open_wheel(self) -> TimerWheel:
        """
        Map the wheel, a new one if there is none; its blocks are allocated.

        :raises StoreUnreadable: it has a wrong length.
        :raises OSError: there is no space for it.
        """
        path = self.wheel_path
        self._disk.make_directories(self._root)
        descriptor = self._disk.open(path, os.O_RDWR | os.O_CREAT)
        try:
            size = os.fstat(descriptor).st_size
            if size not in (0, WHEEL_SIZE):
                why = f"it has {size} bytes; a timer's wheel has {WHEEL_SIZE}"
                raise StoreUnreadable(path, why)
            self._disk.allocate(descriptor, 0, WHEEL_SIZE)
            self._map = self._disk.map(descriptor, WHEEL_SIZE, 0)
        finally:
            os.close(descriptor)
        self._dirty.update((path, self._root))
        return TimerWheel(self._map, self.precision_ms)

    def flush(self, numbers: TimerCheckPoint, own: OwnCheck) -> Deferred[None]:
        """Flush the log and the wheel to disk, then the check point."""
        dirty = self._dirty | set(self.log.files.take_dirty()) | {self.wheel_path}

        def flush() -> None:
            self._disk.fsync(sorted(dirty))
            self.check.write(numbers, own)
            self._disk.fsync([self.check.path, os.path.dirname(self.check.path)])

        def failed(failure: Failure) -> Failure:
            self._dirty |= dirty
            return failure

        flushed = self._run_in_thread(flush)
        self._dirty = set()
        flushed.addErrback(failed)
        return flushed

    def remove_old(self, commit_log_min: int) -> Deferred[None] | None:
        """Remove files of the log whose messages are gone; None if there are none."""
        paths = list(self.log.old_files(commit_log_min))
        if not paths:
            return None

        def remove() -> None:
            for path in paths:
                self._disk.remove(path)

        return self._run_in_thread(remove)

    def remove_all(self) -> None:
        """Remove the wheel and the log, which are not open; the check point stays."""
        folder = os.path.join(self._root, _LOG)
        self._disk.remove(self.wheel_path)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            self._disk.remove(os.path.join(folder, name))

    def close(self) -> None:
        """Unmap the wheel and close the files."""
        if self._map is not None:
            self._map.close()
            self._map = None
        self._open_files.close()
