"""The standard output: with any encoding, and when it cannot be written."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys


def prepare_streams() -> None:
    """Let characters that the output's encoding does not have be escaped."""
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
