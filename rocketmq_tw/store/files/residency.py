"""
Whether mapped pages are in memory: ``mincore`` of Linux, which Python does not offer.

Whoever touches a mapped page that is not in memory waits for the disk, and here that
would be the reactor. So the pages are looked up before they are touched. One may still
be evicted in between, if memory is that short: then the reactor waits for one read.

The kernel shows this only to those who may write to the file (since 5.2), and to others
all pages are in memory. The store may write to its files. There are also systems that
never look (gVisor); so it is tried once on a page that nobody has touched.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from collections.abc import Callable
from contextlib import closing

PAGE = mmap.PAGESIZE
_NO_PAGE = 0


class _Buffer(ctypes.Structure):
    """``Py_buffer``: what an object shows of its memory."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


def address_of(mapped: mmap.mmap) -> int:
    """Return where a mapping begins in memory; valid until it is closed."""
    buffer = _Buffer()
    api = ctypes.pythonapi
    api.PyObject_GetBuffer(ctypes.py_object(mapped), ctypes.byref(buffer), 0)
    try:
        address = buffer.buf
        assert isinstance(address, int)
        return address
    finally:
        api.PyBuffer_Release(ctypes.byref(buffer))


class Residency:
    """
    Looks up whether mapped pages are in memory.

    :param mincore: the system call.
    :param largest: bytes that are looked up at most; more are never in memory.
    """

    def __init__(self, mincore: Callable[[int, int, int], int], largest: int) -> None:
        self._mincore = mincore
        self._largest = largest
        # A byte for each page that a range may touch, which the system call sets.
        self._pages = bytearray(largest // PAGE + 2)
        self._kept = (ctypes.c_char * len(self._pages)).from_buffer(self._pages)
        self._address = ctypes.addressof(self._kept)

    def is_resident(self, address: int, size: int) -> bool:
        """
        Return whether all pages of a mapped range are in memory.

        Takes 3 us for 1 MiB of pages that are mapped already, and 20 us or more for
        others.

        :param size: at least 1.
        """
        if size > self._largest:
            return False
        skipped = address % PAGE
        size += skipped
        if self._mincore(address - skipped, size, self._address):
            return False
        return self._pages.find(_NO_PAGE, 0, (size + PAGE - 1) // PAGE) < 0


def find_residency(largest: int) -> Residency | None:
    """
    Return what looks pages up, if this system does it truly; otherwise None.

    :param largest: bytes that are looked up at most.
    """
    if platform.system() != "Linux" or not hasattr(os, "memfd_create"):
        return None
    # This call waits for nothing, so it need not let other threads run.
    library = ctypes.PyDLL(None)
    if not hasattr(library, "mincore"):
        return None
    mincore = library.mincore
    mincore.argtypes = [ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t]
    residency = Residency(mincore, largest)
    return residency if is_true(residency) else None


def is_true(residency: Residency) -> bool:
    """Return whether a page is in memory once it is written, and not before."""
    try:
        descriptor = os.memfd_create("residency")
    except OSError:
        return False
    try:
        os.ftruncate(descriptor, PAGE)
        with closing(mmap.mmap(descriptor, PAGE, prot=mmap.PROT_READ)) as mapped:
            address = address_of(mapped)
            before = residency.is_resident(address, PAGE)
            os.pwrite(descriptor, b"written", 0)
            return not before and residency.is_resident(address, PAGE)
    except OSError:
        return False
    finally:
        os.close(descriptor)
