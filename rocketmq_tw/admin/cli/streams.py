"""The standard output: with any encoding, and when it cannot be written."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys


def prepare_streams() -> None:
    """
    Let characters that the output's encoding does not have be escaped.

    What was closed by whoever starts the program is read as empty, and written to
    nowhere: connections would get the numbers of those files.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_closed_pipe(error: OSError) -> bool:
    """Whether who reads the output has had enough, as ``head`` has."""
    return error.errno == errno.EPIPE


def discard_output() -> None:
    """
    Write nothing more: the interpreter would try again when it ends, and complain.
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
