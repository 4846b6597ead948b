"""The token with which one signs in: read from a file, or made at the first start."""

from __future__ import annotations

import os
import secrets
import stat

from twisted.logger import Logger

from rocketmq_tw.console.errors import BadConsoleSetting
from rocketmq_tw.jsonfile import read_bytes, replace_private

#: Characters of a token, at least; one that is made here has 43.
SHORTEST = 16
#: Characters of a token, at most.
LONGEST = 512

_log = Logger()


def check_token(path: str) -> None:
    """
    Check the token in a file, if there is one; nothing is made.

    :raises BadConsoleSetting: it cannot be used.
    """
    try:
        found = read_bytes(path)
    except OSError as error:
        raise _not_kept(path, error) from None
    if found is not None:
        _checked(path, found)


def make_token(path: str) -> str:
    """
    Return the token in a file; make the file, and its folder, if there is none.

    :raises BadConsoleSetting: see :func:`read_token`.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise _not_kept(path, error) from None
    return read_token(path)


def read_token(path: str) -> str:
    """
    Return the token in a file; write a new one, for this user alone, if there is none.

    :raises BadConsoleSetting: the file cannot be read or written, or holds no token.
    """
    try:
        found = read_bytes(path)
        if found is None:
            token = secrets.token_urlsafe(32)
            replace_private(path, token.encode() + b"\n")
            return token
        others = stat.S_IMODE(os.stat(path).st_mode) & 0o077
    except OSError as error:
        raise _not_kept(path, error) from None
    if others:
        _log.warn(
            "others than its owner may use {path}, which has the console's token;"
            " chmod 600 stops that",
            path=path,
        )
    return _checked(path, found)


def _not_kept(path: str, error: OSError) -> BadConsoleSetting:
    """Return the error that says why there is no file."""
    why = error.strerror or error
    return BadConsoleSetting(f"the console's token cannot be kept in {path}: {why}")


def _checked(path: str, found: bytes) -> str:
    """Return the token that a file holds. :raises BadConsoleSetting: it holds none."""
    token = found.decode("ascii", "replace").strip()
    legal = token.isascii() and token.isprintable() and " " not in token
    if not legal or not SHORTEST <= len(token) <= LONGEST:
        raise BadConsoleSetting(
            f"{path} holds no token for the console; expected {SHORTEST} to {LONGEST}"
            " letters, digits and signs in one line; remove the file, and a new one"
            " is made"
        )
    return token
