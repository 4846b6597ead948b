"""
A stream of bytes in files of equal length, each named by its first offset.

A name has 20 digits: ``00000000001073741824`` begins at byte 1 GiB. A file has its full
length from its creation (sparse), so its size does not show how much was written;
recovery finds that by reading (:mod:`rocketmq_tw.store.durability.recovery`). Bytes
never move.

Source: ``MappedFileQueue`` and ``DefaultMappedFile`` of RocketMQ 5.
"""

import mmap
import os
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable

from rocketmq_tw.store.errors import FileLost, StoreUnreadable
from rocketmq_tw.store.files.disk import Disk, FileId

_NAME_DIGITS = 20


class OpenFiles:
    """
    A cache of open file descriptors; the least recently used is closed first.

    ``disk`` makes the system calls.

    :ivar on_unmap: called with the path of a file, or of a directory, that is about to
        be truncated, moved or removed: nothing of it may stay mapped for reading.
    """

    def __init__(self, limit: int = 128, disk: Disk | None = None) -> None:
        """Keep at most ``limit`` files open."""
        self.disk = disk or Disk()
        self._limit = limit
        self.on_unmap: list[Callable[[str], None]] = []
        self._descriptors: OrderedDict[str, int] = OrderedDict()

    def descriptor(self, path: str) -> int:
        """
        Return a descriptor to read and write ``path``; use it at once and do not keep
        it.

        :raises OSError: the file cannot be opened.
        """
        found = self._descriptors.get(path)
        if found is not None:
            self._descriptors.move_to_end(path)
            return found
        opened = self.disk.open(path)
        self._descriptors[path] = opened
        if len(self._descriptors) > self._limit:
            os.close(self._descriptors.popitem(last=False)[1])
        return opened

    def unmap(self, path: str) -> None:
        """Have unmapped what is mapped for reading of a file, or below a directory."""
        for callback in self.on_unmap:
            callback(path)

    def forget(self, path: str) -> None:
        """Close ``path`` if it is open, and have it unmapped."""
        self.unmap(path)
        descriptor = self._descriptors.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def forget_below(self, directory: str) -> None:
        """Close the files that are open somewhere below a directory."""
        self.unmap(directory)
        start = directory + "/"
        for path in [path for path in self._descriptors if path.startswith(start)]:
            self.forget(path)

    def close(self) -> None:
        """Close all descriptors."""
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])


class MappedFileQueue:
    """The files of one stream of bytes: a commit log, or one consume queue."""

    # There may be 100,000 of them.
    __slots__ = (
        "_files",
        "bases",
        "changes",
        "directory",
        "dirty",
        "disk",
        "file_size",
        "mapped",
    )

    def __init__(self, directory: str, file_size: int, files: OpenFiles) -> None:
        """
        Use files of ``file_size`` bytes in ``directory``; both are created when needed.
        """
        self.directory = directory
        self.file_size = file_size
        self.bases: list[int] = []
        #: How often bytes were changed, or files removed; what is written through a
        #: mapping, behind all that is read, does not count.
        self.changes = 0
        #: Paths that were written and not yet flushed.
        self.dirty: set[str] = set()
        #: The files that are or were mapped for writing, by their paths.
        self.mapped: dict[str, FileId] = {}
        self.disk = files.disk
        self._files = files

    def load(self, may_be_empty: bool = True, may_be_cut: bool = False) -> None:
        """
        Find the existing files; sub-directories are ignored.

        :param may_be_empty: empty last files are removed: their creator crashed.
        :param may_be_cut: a short last file is extended to its full length.
        :raises StoreUnreadable: a file has a wrong name or a wrong length.
        :raises FileLost: a file is empty.
        """
        self.bases = []
        self.changes += 1
        if not os.path.isdir(self.directory):
            return
        with os.scandir(self.directory) as entries:
            found = sorted(
                (entry.name, entry.stat().st_size)
                for entry in entries
                if entry.is_file()
            )
        while may_be_empty and found and found[-1][1] == 0:
            self.disk.remove(os.path.join(self.directory, found.pop()[0]))
        if may_be_cut and found and found[-1][1] < self.file_size:
            name, _ = found.pop()
            self.disk.create(os.path.join(self.directory, name), self.file_size)
            found.append((name, self.file_size))
        for name, size in found:
            path = os.path.join(self.directory, name)
            if not (name.isdigit() and len(name) == _NAME_DIGITS):
                raise StoreUnreadable(path, "its name is not an offset of 20 digits")
            if size == 0:
                raise FileLost(path, "it is empty")
            if size != self.file_size:
                why = f"it has {size} bytes; {self.file_size} are configured"
                raise StoreUnreadable(path, why)
            if int(name) % self.file_size:
                raise StoreUnreadable(path, f"files begin every {self.file_size} bytes")
            self.bases.append(int(name))

    def path(self, base: int) -> str:
        """Return the path of the file that begins at ``base``."""
        return f"{self.directory}/{base:020d}"

    def base_of(self, position: int) -> int:
        """
        Return the base of the file that holds ``position``, whether it exists or not.
        """
        return position - position % self.file_size

    def rest(self, position: int) -> int:
        """Return how many bytes there are from ``position`` to the end of its file."""
        return self.file_size - position % self.file_size

    def has(self, base: int) -> bool:
        """Return whether there is a file that begins at ``base``."""
        at = bisect_left(self.bases, base)
        return at < len(self.bases) and self.bases[at] == base

    def create(self, base: int) -> str:
        """
        Create the file at ``base`` in its full length, or keep an existing one.

        :raises OSError: it cannot be created.
        """
        path = self.path(base)
        if self.has(base):
            return path
        self.dirty.update(self.disk.make_directories(self.directory))
        self.disk.create(path, self.file_size)
        insort(self.bases, base)
        self.dirty.update((path, self.directory))
        return path

    def adopt(self, base: int, file_id: FileId) -> None:
        """Include a file that was created, or mapped for writing, in a thread."""
        path = self.path(base)
        if not self.has(base):
            insort(self.bases, base)
            self.dirty.update((path, self.directory))
        self.mapped.setdefault(path, file_id)

    def remove(self, base: int) -> None:
        """Remove one file, if it exists."""
        path = self.path(base)
        self._forget(path)
        if self.has(base):
            self.bases.remove(base)
        self.changes += 1
        self.disk.remove(path)

    def detach(self, base: int) -> str:
        """Drop one file from the queue without deleting it; return its path."""
        path = self.path(base)
        self._forget(path)
        self.bases.remove(base)
        self.changes += 1
        return path

    def is_detached(self, path: str) -> bool:
        """Return whether a path is one of a file that this queue no longer has."""
        directory, _, name = path.rpartition("/")
        return directory == self.directory and not self.has(int(name))

    def forget(self) -> None:
        """Have no files: they were moved, and are closed."""
        self.changes += 1
        self.bases = []
        self.dirty.clear()
        self.mapped.clear()

    def clear(self) -> None:
        """Remove all files, including those with a wrong name or length."""
        for base in list(self.bases):
            self.remove(base)
        if os.path.isdir(self.directory):
            for name in sorted(os.listdir(self.directory)):
                path = os.path.join(self.directory, name)
                if os.path.isfile(path):
                    self._files.forget(path)
                    self.disk.remove(path)

    def descriptor(self, base: int) -> int:
        """Return a descriptor of the file that begins at ``base``; use it at once."""
        return self._files.descriptor(self.path(base))

    def map(self, base: int, at: int, size: int) -> mmap.mmap:
        """
        Map a part of a file for writing, its blocks allocated.

        The file is remembered: one that takes its name later is not what was written.

        :param at: an offset in the file, a multiple of the page size.
        :raises OSError: no space is left, or the file system refuses.
        """
        path = self.path(base)
        descriptor = self._files.descriptor(path)
        self.disk.allocate(descriptor, at, size)
        mapped = self.disk.map(descriptor, size, at)
        self.mapped.setdefault(path, self.disk.file_id(descriptor))
        return mapped

    def read(self, position: int, count: int) -> bytes:
        """Read up to ``count`` bytes, at most to the end of one file; empty without a
        file.
        """
        base = self.base_of(position)
        if not self.has(base):
            return b""
        capacity = base + self.file_size - position
        descriptor = self._files.descriptor(self.path(base))
        return os.pread(descriptor, min(count, capacity), position - base)

    def write(self, position: int, data: bytes | bytearray | memoryview) -> None:
        """
        Write across as many files as needed, creating them.

        :raises OSError: a part may have been written; writing it again is harmless.
        """
        view = memoryview(data)
        self.changes += 1
        while view:
            base = self.base_of(position)
            self.dirty.add(self.create(base))
            part = view[: base + self.file_size - position]
            self.disk.write(self.descriptor(base), part, position - base)
            position += len(part)
            view = view[len(part) :]

    def truncate(self, position: int) -> None:
        """
        Replace everything from ``position`` on by zeros; remove later files.

        Stale bytes behind the end could pass for records after the next crash.
        """
        self.changes += 1
        for base in [base for base in self.bases if base >= position]:
            self.remove(base)
        base = self.base_of(position)
        if self.has(base):
            self._files.unmap(self.path(base))
            self.disk.set_size(self.descriptor(base), position - base)
            self.disk.set_size(self.descriptor(base), self.file_size)
            self.dirty.add(self.path(base))

    def take_dirty(self) -> list[str]:
        """Return the paths that must be flushed, and clear the set."""
        paths, self.dirty = self.dirty, set()
        return sorted(paths)

    def _forget(self, path: str) -> None:
        """Close one file that is to be removed; nothing of it is to be flushed."""
        self._files.forget(path)
        self.dirty.discard(path)
        self.mapped.pop(path, None)
