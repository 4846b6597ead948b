"""
Parts of the log that are mapped for reading, so that pulls copy only what they send.

The messages of a queue lie among those of others, and one read fetches them with all
that is between them: 166 KiB for 32 messages of 1 KiB in a topic of four queues. From a
mapping the messages alone are copied.

::

    file         |------------------------------------------------ ... ---|
    mapped       |======================================================== |
    parts         . . . [ ][ ][ ] . . [ ] . . . . . . . . .    1 MiB each

A file is mapped as a whole, which takes nothing but addresses. What counts are the
pages that are touched, and a page that is not in memory would stop the reactor for as
long as the disk takes. So a part is used only when all of its pages are in memory
(:mod:`rocketmq_tw.store.files.residency`), and that is looked up again after
:data:`TRUST` seconds. Where one is missing, bytes are read the other way
(:mod:`rocketmq_tw.store.files.reads`), by a thread if need be. To look up and map the
pages of a part that is read only once costs more than it saves: 70 us. So it begins
with the second read of the same bytes: by another queue of the topic, by another group.

A page may be evicted after it was looked up, if memory is that short. Then the reactor
waits for one read of the disk, some ms; if that read fails, the process ends (SIGBUS).
Once such a page is noticed, no further part is mapped for :data:`IDLE` seconds.

A page beyond the end of its file must not be touched (SIGBUS). The files have their
full length while they are read; whoever is about to truncate, remove or detach one
has it unmapped first (``on_unmap`` of
:class:`~rocketmq_tw.store.files.segments.OpenFiles`).

What is mapped is the page cache itself. It counts as resident memory of the process, up
to a limit, but the system takes it back as it does with all of the page cache. What was
not used for :data:`IDLE` seconds is unmapped, so nothing of this is there at rest.

Source: none; Apache RocketMQ maps each file, and looks nothing up.
"""

from __future__ import annotations

import mmap
from contextlib import suppress

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.store.files.residency import Residency, address_of
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles

_SHIFT = 20
#: Bytes of a part; no more are read at once.
PART = 1 << _SHIFT
#: Files that are mapped at a time.
MAX_FILES = 8
#: Seconds for which it is known that the pages of a part are in memory.
TRUST = 0.01
#: Seconds after which a part that was not used is unmapped, or up to twice as many.
IDLE = 10.0
#: Parts that are unmapped in one reactor iteration, in 2 ms, and the pause between two.
AT_ONCE = 64
PAUSE = 0.01
#: Map pages now instead of one by one when they are touched; since Linux 5.14.
_POPULATE_READ = 22


class _MappedFile:
    """
    One file of the log.

    ``trusted_until`` has a time for each part: 0 while the part is not mapped.
    ``unread`` has how many bytes are to be read of it otherwise, until it is looked up.
    """

    __slots__ = (
        "address",
        "mapped",
        "memory",
        "path",
        "trusted_until",
        "unread",
        "used",
    )

    def __init__(self, mapped: mmap.mmap, path: str) -> None:
        self.mapped = mapped
        self.memory = memoryview(mapped)
        self.address = address_of(mapped)
        self.path = path
        parts = -(-len(mapped) // PART)
        self.trusted_until = [0.0] * parts
        self.unread = [PART] * parts
        self.unread[-1] = self.size_of(parts - 1)
        self.used = 0.0

    def size_of(self, part: int) -> int:
        """Return how many bytes a part has: the last one is shorter."""
        return min(PART, len(self.memory) - part * PART)

    def populate(self, part: int) -> None:
        """Map the pages of a part, which are in memory."""
        with suppress(OSError):  # an older system does so page by page
            self.mapped.madvise(_POPULATE_READ, part * PART, self.size_of(part))

    def drop(self, part: int) -> None:
        """Unmap the pages of a part."""
        self.trusted_until[part] = 0.0
        self.unread[part] = self.size_of(part)
        self.mapped.madvise(mmap.MADV_DONTNEED, part * PART, self.size_of(part))

    def close(self) -> None:
        """Unmap it; as soon as nobody refers to a part of it any more."""
        with suppress(BufferError):
            self.memory.release()
            self.mapped.close()


class MappedReads:
    """
    Reads the log of one store from mapped parts of its files.

    :param files: the files of the log.
    :param open_files: has a file unmapped before it changes.
    :param clock: for how long pages are trusted, and unmaps what is not used any more.
    :param residency: looks up pages; None where none can be, so nothing is mapped.
    :param max_size: bytes of the parts that are mapped at a time.
    """

    # 0 <= _count <= _max_count: the parts that are mapped. The timer runs while a file
    # is mapped.

    def __init__(
        self,
        files: MappedFileQueue,
        *,
        open_files: OpenFiles,
        clock: IReactorTime,
        residency: Residency | None,
        max_size: int,
    ) -> None:
        self._files = files
        self._file_size = files.file_size
        self._clock = clock
        self._seconds = clock.seconds
        self._residency = residency
        self._max_count = 0 if residency is None else max_size // PART
        self._count = 0
        # Nothing more is mapped until then, as memory is short.
        self._short_until = 0.0
        self._mapped: dict[int, _MappedFile] = {}
        self._timer: IDelayedCall | None = None
        open_files.on_unmap.append(self.unmap)

    @property
    def size(self) -> int:
        """Return how many bytes are mapped, if all parts are whole."""
        return self._count * PART

    def view(self, position: int, size: int) -> memoryview | None:
        """
        Return bytes of one file; None if they are not mapped, or not all in memory.

        Use them at once: the file stays mapped while they are referred to. On the path
        of every pull: 0.3 us.

        :param size: at least 1.
        """
        at = position % self._file_size
        file = self._mapped.get(position - at)
        end = at + size
        if size <= 0 or size > PART or end > self._file_size:
            return None
        if file is None:
            file = self._map(position - at)
            if file is None:
                return None
        now = self._seconds()
        first, last = at >> _SHIFT, (end - 1) >> _SHIFT
        if file.trusted_until[first] <= now and not self._look_up(
            file, first, size, now
        ):
            return None
        if first != last and file.trusted_until[last] <= now:
            if not self._look_up(file, last, size, now):
                return None
        return file.memory[at:end]

    def unmap(self, path: str) -> None:
        """Unmap a file, or those below a directory."""
        below = path + "/"
        for base, file in list(self._mapped.items()):
            if file.path == path or file.path.startswith(below):
                self._close(base)

    def close(self) -> None:
        """Unmap all files."""
        for base in list(self._mapped):
            self._close(base)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _map(self, base: int) -> _MappedFile | None:
        """Map a file, if there is one and may be one more."""
        files = self._files
        if not self._max_count or len(self._mapped) >= MAX_FILES:
            return None
        if not files.has(base):
            return None
        try:
            mapped = mmap.mmap(
                files.descriptor(base), self._file_size, prot=mmap.PROT_READ
            )
        except (OSError, ValueError):  # too many mappings; a file that was cut
            return None
        file = self._mapped[base] = _MappedFile(mapped, files.path(base))
        if self._timer is None:
            self._timer = self._clock.callLater(IDLE, self._drop_idle)
        return file

    def _look_up(self, file: _MappedFile, part: int, size: int, now: float) -> bool:
        """
        Return whether a part may be used, and trust it for some time then.

        Takes 3 us for a part that is mapped, and 70 us for one that becomes it.

        :param size: how many bytes are read, of it and perhaps of another part.
        """
        file.used = now
        is_mapped = file.trusted_until[part] > 0
        if not is_mapped:
            unread = file.unread[part] = file.unread[part] - size
            if unread >= 0 or self._count >= self._max_count or now < self._short_until:
                return False
            # If a page is missing, it is looked up again after as many more reads.
            file.unread[part] = file.size_of(part)
        part_size = file.size_of(part)
        assert self._residency is not None
        if not self._residency.is_resident(file.address + part * PART, part_size):
            if is_mapped:
                self._drop(file, part)
                self._short_until = now + IDLE
            return False
        if not is_mapped:
            file.populate(part)
            self._count += 1
        file.trusted_until[part] = now + TRUST
        return True

    def _drop_idle(self) -> None:
        """Unmap what was not used since the last time, some parts at a time."""
        self._timer = None
        before, dropped = self._seconds() - IDLE, 0
        for base, file in list(self._mapped.items()):
            for part, until in enumerate(file.trusted_until):
                if 0 < until <= before:
                    self._drop(file, part)
                    dropped += 1
                    if dropped == AT_ONCE:
                        self._timer = self._clock.callLater(PAUSE, self._drop_idle)
                        return
            if file.used <= before:
                self._close(base)
        if self._mapped:
            self._timer = self._clock.callLater(IDLE, self._drop_idle)

    def _drop(self, file: _MappedFile, part: int) -> None:
        """Unmap a part."""
        file.drop(part)
        self._count -= 1

    def _close(self, base: int) -> None:
        """Unmap a file."""
        file = self._mapped.pop(base)
        self._count -= sum(until > 0 for until in file.trusted_until)
        file.close()
