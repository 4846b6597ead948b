"""
Flushes a whole file system: ``syncfs`` of Linux, which Python does not offer.

Before Linux 5.8 it did not report what could not be written, so it is not used there.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re

#: The first Linux that reports errors.
_SINCE = (5, 8)


def _library() -> ctypes.CDLL | None:
    """Return the C library if it has the call, and the kernel reports errors."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    if platform.system() != "Linux" or found is None:
        return None
    if (int(found[1]), int(found[2])) < _SINCE:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "syncfs") else None


_LIBRARY = _library()
#: Whether :func:`syncfs` can be relied on.
IS_RELIABLE = _LIBRARY is not None


def syncfs(descriptor: int) -> None:
    """
    Flush the file system of an open file or directory; other threads run meanwhile.

    :raises OSError: something could not be written, or the system has no such call.
    """
    if _LIBRARY is None:
        raise OSError("this system has no syncfs that reports errors")
    if _LIBRARY.syncfs(descriptor):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
