"""
The file system calls of the store.

Every call that changes or flushes a file goes through a :class:`Disk`, so that tests
can pass one that fails, or that loses what was not flushed. Reads do not need it.
Nothing here is on the path of a message: records are written through a mapping.
"""

import contextlib
import errno
import mmap
import os
import stat

from rocketmq_tw.store.files import syncfs

#: Device and inode: they differ where one file took the name of another.
FileId = tuple[int, int]

_NEW = os.O_RDWR | os.O_CREAT
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
#: Errors of a call that the system lacks or forbids.
_NOT_ALLOWED = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP)


class Disk:
    """
    Creates, writes, flushes and removes files.

    All methods raise OSError when the operating system does.

    :cvar many: with more paths to flush, their file systems are flushed as a whole: one
        system call instead of 0.4 ms for each of 100,000 files and directories.
    """

    many = 256

    def open(self, path: str, flags: int = os.O_RDWR) -> int:
        """Open a file, or create it if ``flags`` say so; child processes do not inherit
        it.
        """
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def create(self, path: str, size: int) -> None:
        """Create a sparse file of ``size`` bytes, or resize an existing file to it."""
        descriptor = self.open(path, _NEW)
        try:
            self.set_size(descriptor, size)
        finally:
            os.close(descriptor)

    def make_directories(self, path: str) -> list[str]:
        """
        Create a directory and its missing parents, with as few system calls as there
        can be: a new topic needs three.

        :returns: the directories that got a new entry and have to be flushed.
        """
        parent = os.path.dirname(path) or "."
        changed: list[str] = []
        try:
            os.mkdir(path)
        except FileExistsError:
            return []
        except FileNotFoundError:
            changed = self.make_directories(parent)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
        return [parent, *changed]

    def pwrite(self, descriptor: int, data: bytes | memoryview, at: int) -> int:
        """
        Write at offset ``at``; return how many bytes were written, perhaps not all.
        """
        return os.pwrite(descriptor, data, at)

    def write(self, descriptor: int, data: bytes | memoryview, at: int) -> None:
        """
        Write all of ``data`` at offset ``at``; after an error a part may be written.
        """
        view = memoryview(data)
        while view:
            done = self.pwrite(descriptor, view, at)
            at += done
            view = view[done:]

    def set_size(self, descriptor: int, size: int) -> None:
        """Cut a file, or extend it by zeros that take no disk space."""
        os.ftruncate(descriptor, size)

    def allocate(self, descriptor: int, at: int, size: int) -> None:
        """Reserve disk space, so that a later write there cannot fail with ENOSPC."""
        os.posix_fallocate(descriptor, at, size)

    def map(self, descriptor: int, size: int, at: int) -> mmap.mmap:
        """Map a part of a file for writing; ``at`` is a multiple of the page size."""
        return mmap.mmap(descriptor, size, offset=at)

    def file_id(self, descriptor: int) -> FileId:
        """Return what identifies an open file, whatever its name is by now."""
        found = os.fstat(descriptor)
        return found.st_dev, found.st_ino

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def used(self, path: str) -> int:
        """Return how full the file system of ``path`` is, in percent, rounded up."""
        while not os.path.exists(path):
            path = os.path.dirname(path) or "."
        found = os.statvfs(path)
        used = found.f_blocks - found.f_bfree
        total = used + found.f_bavail
        return -(-used * 100 // total) if total else 0

    def free(self, path: str) -> int:
        """Return how many bytes may still be written to the file system of ``path``."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def boot_id(self) -> bytes:
        """
        Return 16 bytes that change with each boot of the kernel; zeros if unknown.
        """
        try:
            with open(_BOOT_ID, encoding="ascii") as file:
                return bytes.fromhex(file.read().strip().replace("-", ""))[:16]
        except (OSError, ValueError):
            return bytes(16)

    def changed_at(self, path: str) -> float:
        """Return when a file was last written, in seconds since the epoch."""
        return os.stat(path).st_mtime

    def rename(self, path: str, to: str) -> None:
        """Rename a file, replacing ``to`` if it exists."""
        os.replace(path, to)

    def sync(self, descriptor: int) -> None:
        """
        Flush one file or directory to disk.

        For a file this covers the bytes and the size but not its times, which can save
        a write.
        """
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
        else:
            self.sync_file(descriptor)

    def sync_file(self, descriptor: int) -> None:
        """Flush one file: one system call."""
        os.fdatasync(descriptor)

    def fsync(self, paths: list[str]) -> None:
        """
        Flush files and directories to disk; removed ones are skipped.

        Files are flushed before their directories, so that no directory entry on disk
        names a file that is not. All are opened here, so this may run in any thread.

        :raises OSError: the disk failed; what it holds now is unknown.
        """
        if len(paths) > self.many and self.can_sync_file_systems:
            try:
                self._sync_file_systems(paths)
                return
            except OSError as error:
                if error.errno not in _NOT_ALLOWED:
                    raise
        for path in sorted(set(paths), key=depth):
            try:
                descriptor = self.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                self.sync(descriptor)
            finally:
                os.close(descriptor)

    @property
    def can_sync_file_systems(self) -> bool:
        """Return whether :meth:`sync_file_system` works, and reports every error."""
        return syncfs.IS_RELIABLE

    def sync_file_system(self, descriptor: int) -> None:
        """Flush everything in the file system of an open file or directory."""
        syncfs.syncfs(descriptor)

    def _sync_file_systems(self, paths: list[str]) -> None:
        """Flush the file systems of many files and directories."""
        done: set[int] = set()
        for path in paths:
            try:
                device = os.stat(path).st_dev
                if device in done:
                    continue
                descriptor = self.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                self.sync_file_system(descriptor)
            finally:
                os.close(descriptor)
            done.add(device)


def depth(path: str) -> tuple[int, str]:
    """Return a sort key: deeper paths first, then by name."""
    return -path.count("/"), path
