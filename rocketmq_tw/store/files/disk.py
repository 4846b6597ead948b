"""
The disk, as the store uses it.

Every call that changes a file, or makes sure of one, goes through a :class:`Disk`, so
that tests can pass one that fails, or that forgets what was not flushed to it.
Reading needs none. Nothing here is on the path of a message: records go through a
mapping.
"""

import mmap
import os
import stat

_NEW = os.O_RDWR | os.O_CREAT
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Disk:
    """
    Makes, writes, flushes and removes files.

    All methods raise OSError when the file system refuses.
    """

    def open(self, path: str, flags: int = os.O_RDWR) -> int:
        """Open a file, made if ``flags`` say so; children do not inherit it."""
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def create(self, path: str, size: int) -> None:
        """Make a sparse file of ``size`` bytes, or give one that is there that size."""
        descriptor = self.open(path, _NEW)
        try:
            self.set_size(descriptor, size)
        finally:
            os.close(descriptor)

    def make_directories(self, path: str) -> list[str]:
        """
        Make a directory and those above it.

        :returns: the directories that have a new entry; to be flushed.
        """
        changed: list[str] = []
        at = path
        while not os.path.isdir(at):
            at = os.path.dirname(at) or "."
            changed.append(at)
        if changed:
            os.makedirs(path, exist_ok=True)
        return changed

    def pwrite(self, descriptor: int, data: bytes | memoryview, at: int) -> int:
        """Write at ``at``; return how many bytes were taken, perhaps not all."""
        return os.pwrite(descriptor, data, at)

    def write(self, descriptor: int, data: bytes | memoryview, at: int) -> None:
        """Write all of ``data`` at ``at``; an error may leave a part of it."""
        view = memoryview(data)
        while view:
            done = self.pwrite(descriptor, view, at)
            at += done
            view = view[done:]

    def set_size(self, descriptor: int, size: int) -> None:
        """Cut a file, or let it grow by zeros that take no space."""
        os.ftruncate(descriptor, size)

    def allocate(self, descriptor: int, at: int, size: int) -> None:
        """Reserve space, so that writing there cannot fail for want of it."""
        os.posix_fallocate(descriptor, at, size)

    def map(self, descriptor: int, size: int, at: int) -> mmap.mmap:
        """Map a part of a file for writing; ``at`` is a multiple of the page size."""
        return mmap.mmap(descriptor, size, offset=at)

    def remove(self, path: str) -> None:
        """Remove a file; it may be gone already."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def used(self, path: str) -> int:
        """Return how full the disk of a path is, in percent, rounded up."""
        while not os.path.exists(path):
            path = os.path.dirname(path) or "."
        found = os.statvfs(path)
        used = found.f_blocks - found.f_bfree
        total = used + found.f_bavail
        return -(-used * 100 // total) if total else 0

    def boot_id(self) -> bytes:
        """Return 16 bytes that change with each start of the kernel; else zeros."""
        try:
            with open(_BOOT_ID, encoding="ascii") as file:
                return bytes.fromhex(file.read().strip().replace("-", ""))[:16]
        except (OSError, ValueError):
            return bytes(16)

    def changed_at(self, path: str) -> float:
        """Return when a file was last written, in seconds since the epoch."""
        return os.stat(path).st_mtime

    def rename(self, path: str, to: str) -> None:
        """Rename a file; one that is there is replaced."""
        os.replace(path, to)

    def sync(self, descriptor: int) -> None:
        """
        Flush one file or directory to disk.

        Of a file the bytes and the size, but not its times: that can spare a write.
        """
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
        else:
            os.fdatasync(descriptor)

    def fsync(self, paths: list[str]) -> None:
        """
        Flush files and directories to disk; those removed meanwhile are skipped.

        Files come before the directories that name them: no name is on disk whose file
        is not. All are opened here, so it may run in any thread.

        :raises OSError: the disk failed; what it holds now is not known.
        """
        for path in sorted(paths, key=_depth):
            try:
                descriptor = self.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                self.sync(descriptor)
            finally:
                os.close(descriptor)


def _depth(path: str) -> tuple[int, str]:
    """Order what lies deeper first, and the files of one directory by name."""
    return -path.count("/"), path
