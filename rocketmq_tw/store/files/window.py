"""
The memory-mapped part of a file through which records are written.

Only a part of the active file is mapped, to limit memory use. The blocks of a range are
allocated before it is mapped: a full disk is then an error here, and not a SIGBUS in
the middle of a message. Bytes in a shared mapping belong to the kernel, so they survive
a killed process.
"""

import contextlib
import mmap

from rocketmq_tw.store.files.segments import MappedFileQueue

_PAGE = mmap.ALLOCATIONGRANULARITY


class Window:
    """
    A mapped part of one file.

    ``start`` and ``end`` are offsets in the whole stream, as everywhere in this
    package. ``view`` is for writing, ``memory`` shows the same bytes without a copy.
    """

    def __init__(self, view: mmap.mmap, start: int) -> None:
        """Use a mapping that begins at offset ``start``."""
        self.view = view
        self.memory = memoryview(view).toreadonly()
        self.start = start
        self.end = start + len(view)

    def close(self) -> None:
        """
        Unmap it; the bytes written stay in the file.

        While anybody refers to a part of it, it stays mapped: a forgotten reference
        must not stop the log from using its next window.
        """
        with contextlib.suppress(BufferError):
            self.memory.release()
            self.view.close()


def map_window(queue: MappedFileQueue, base: int, position: int, size: int) -> Window:
    """
    Map at least ``size`` bytes from ``position`` on, up to the end of the file.

    :raises OSError: no space is left, or the file cannot be mapped.

    Takes 0.4 ms for 8 MiB.
    """
    start = first_of_page(base, position)
    size = min(position + size, base + queue.file_size) - start
    return Window(queue.map(base, start - base, size), start)


def first_of_page(base: int, position: int) -> int:
    """Return where the page of ``position`` begins, counted from the file's start."""
    return position - (position - base) % _PAGE
