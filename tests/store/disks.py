"""
Disks that fail, and disks that forget.

They work on real files, so what is mapped is written as ever; only the calls that go
through :class:`~rocketmq_tw.store.files.disk.Disk` are met.
"""

from __future__ import annotations

import errno
import mmap
import os
import random
from collections import Counter

from rocketmq_tw.store.files.disk import Disk

#: How much of a file reaches the disk or does not.
SECTOR = 512


class FaultyDisk(Disk):
    """
    Lets chosen calls fail.

    ``calls`` counts them by name; ``failed`` says whether one has failed.
    """

    def __init__(self) -> None:
        """Begin with a disk that works."""
        self.calls: Counter[str] = Counter()
        self.failed = False
        self._faults: dict[tuple[str, int], int] = {}

    def fail(self, name: str, nth: int, code: int = errno.EIO) -> None:
        """Let the ``nth`` call of all fail; a code of 0 is a short write."""
        self._faults[name, nth] = code

    def fail_next(self, name: str, code: int = errno.EIO) -> None:
        """Let the next call fail."""
        self.fail(name, self.calls[name] + 1, code)

    def open(self, path: str, flags: int = os.O_RDWR) -> int:
        """Open, or fail."""
        self._meet("open")
        return super().open(path, flags)

    def pwrite(self, descriptor: int, data: bytes | memoryview, at: int) -> int:
        """Write all, or half of it, or a part before failing."""
        view = memoryview(data)
        half = view[: max(1, len(view) // 2)]
        try:
            is_short = self._meet("pwrite")
        except OSError:
            super().pwrite(descriptor, half, at)
            raise
        return super().pwrite(descriptor, half if is_short else view, at)

    def set_size(self, descriptor: int, size: int) -> None:
        """Cut, or fail."""
        self._meet("set_size")
        super().set_size(descriptor, size)

    def allocate(self, descriptor: int, at: int, size: int) -> None:
        """Reserve, or fail."""
        self._meet("allocate")
        super().allocate(descriptor, at, size)

    def map(self, descriptor: int, size: int, at: int) -> mmap.mmap:
        """Map, or fail."""
        self._meet("map")
        return super().map(descriptor, size, at)

    def sync(self, descriptor: int) -> None:
        """Do as if all was forced, or fail."""
        self._meet("sync")

    def sync_file(self, descriptor: int) -> None:
        """Do as :meth:`sync`."""
        self.sync(descriptor)

    @property
    def can_sync_file_systems(self) -> bool:
        """Say that it can, whatever the kernel is."""
        return True

    def sync_file_system(self, descriptor: int) -> None:
        """Do as if all was forced, or fail."""
        self._meet("sync_file_system")

    def _meet(self, name: str) -> bool:
        """Count a call; let it fail, or say that it is to be a short one."""
        self.calls[name] += 1
        code = self._faults.get((name, self.calls[name]))
        if code:
            self.failed = True
            raise OSError(code, os.strerror(code))
        return code == 0


class ForgetfulDisk(FaultyDisk):
    """
    Knows what a power cut leaves of the files below one directory.

    A file's bytes are safe from its last sync on, its name from that of its directory.
    What there is at first is safe.
    """

    def __init__(self, root: str) -> None:
        """Begin with what is in ``root``."""
        super().__init__()
        self._root = os.path.realpath(root)
        self._names: dict[str, set[str]] = {}
        self._bytes: dict[str, bytes] = {}
        self._fresh: set[str] = set()
        for folder, folders, files in os.walk(self._root):
            self._names[folder] = {*folders, *files}
            for name in files:
                self._bytes[f"{folder}/{name}"] = _read(f"{folder}/{name}")

    def open(self, path: str, flags: int = os.O_RDWR) -> int:
        """Open; a file that is made is another one than what had its name before."""
        if flags & os.O_CREAT and not os.path.exists(path):
            self._fresh.add(os.path.realpath(path))
        return super().open(path, flags)

    def sync(self, descriptor: int) -> None:
        """Keep a file's bytes, or a directory's names, as they are now."""
        super().sync(descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isdir(path):
            self._names[path] = set(os.listdir(path))
            for name in self._names[path]:
                if f"{path}/{name}" in self._fresh:
                    self._bytes.pop(f"{path}/{name}", None)
        else:
            self._fresh.discard(path)
            self._bytes[path] = _read(path)

    def sync_file_system(self, descriptor: int) -> None:
        """Keep everything as it is now."""
        super().sync_file_system(descriptor)
        for folder, folders, files in os.walk(self._root):
            self._names[folder] = {*folders, *files}
            for name in files:
                self._fresh.discard(f"{folder}/{name}")
                self._bytes[f"{folder}/{name}"] = _read(f"{folder}/{name}")

    def power_off(self, to: str, chance: random.Random | None = None) -> str:
        """
        Make the directory ``to``, as a power cut now leaves ours.

        :param chance: what was not forced is there or not, sector by sector, as it
            decides; without it, nothing of that is there.
        """
        os.makedirs(to)
        self._restore(self._root, to, chance)
        return to

    def _restore(self, path: str, to: str, chance: random.Random | None) -> None:
        """Make a directory's copy."""
        safe = self._names.get(path, set())
        there = set(os.listdir(path)) if os.path.isdir(path) else set()
        names = set(safe)
        if chance is not None:
            names = {n for n in sorted(safe | there) if n in safe & there}
            names |= {n for n in sorted(safe ^ there) if chance.random() < 0.5}
        for name in sorted(names):
            inner, copy = f"{path}/{name}", f"{to}/{name}"
            if inner in self._names or os.path.isdir(inner):
                os.makedirs(copy)
                self._restore(inner, copy, chance)
            else:
                with open(copy, "wb") as file:
                    file.write(self._left(inner, chance))

    def _left(self, path: str, chance: random.Random | None) -> bytes:
        """Give what is left of one file."""
        safe = self._bytes.get(path, b"")
        if chance is None or not os.path.isfile(path):
            return safe
        now = _read(path)
        old = safe.ljust(len(now), b"\0")[: len(now)]
        return b"".join(
            (now if chance.random() < 0.5 else old)[at : at + SECTOR]
            for at in range(0, len(now), SECTOR)
        )


def _read(path: str) -> bytes:
    """Read a file whole."""
    with open(path, "rb") as file:
        return file.read()
