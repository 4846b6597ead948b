"""
The window of a file through which records are written.

Only a part of the active file is mapped, so that little memory is held. Before a range
is mapped its blocks are allocated: a full disk then is an error here, at the border of
a window, and not a SIGBUS in the middle of a message. Bytes in a shared mapping belong
to the kernel, so they outlive a killed process.
"""

import mmap

from rocketmq_tw.store.files.segments import MappedFileQueue

_PAGE = mmap.ALLOCATIONGRANULARITY


class Window:
    """
    A mapped part of one file.

    ``start`` and ``end`` are offsets in the whole stream, like all offsets here.
    """

    def __init__(
        self, queue: MappedFileQueue, base: int, position: int, size: int
    ) -> None:
        """
        Map at least ``size`` bytes from ``position`` on, up to the end of the file.

        :raises OSError: no space is left, or the file system refuses.

        0.4 ms for 8 MiB. MAP_POPULATE was tried: 1 to 3 ms at once, nothing gained.
        """
        skip = (position - base) // _PAGE * _PAGE
        length = min(position - base - skip + size, queue.file_size - skip)
        descriptor = queue.descriptor(base)
        queue.disk.allocate(descriptor, skip, length)
        self.start = base + skip
        self.end = self.start + length
        self.view = queue.disk.map(descriptor, length, skip)

    def close(self) -> None:
        """Unmap it; what was written is not lost."""
        self.view.close()
