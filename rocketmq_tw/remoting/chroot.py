"""
Prepares a program for the new root directory that ``twistd --chroot`` gives it.

Much is imported when it is first used: what an administrator asks for, the page of the
console, an encoding. In a root without a Python tree it would not be found, so it is
imported before. Programs that keep their root import no more than ever.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules

from rocketmq_tw.model.errors import RocketMQError

_PACKAGE = __name__.partition(".")[0]
#: What no server uses: the command line, the client for asyncio, doubles for tests.
_OTHERS = ("admin.cli", "aio", "testing")
#: What Python, Twisted and libraries import when they first use it. Those that are not
#: installed are left out.
_LATER = (
    "_strptime",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.raw_unicode_escape",
    "encodings.unicode_escape",
    "encodings.utf_16",
    "encodings.utf_8_sig",
    "ipaddress",
    "lz4.frame",
    "stringprep",
    "tempfile",
    "twisted.internet._resolver",
    "twisted.python.threadpool",
    "unicodedata",
    "yaml",
    "zstandard",
)


class UnusableRoot(RocketMQError):
    """The new root directory lacks files without which no program starts there."""

    def __init__(self, root: str, missing: list[str]) -> None:
        super().__init__(root, missing)
        self.root = root
        self.missing = missing

    def __str__(self) -> str:
        return (
            f"the new root directory {self.root} (--chroot) lacks"
            f" {' and '.join(self.missing)}, without which nothing can start there"
        )


def check_root(root: str, *, changes_user: bool) -> None:
    """
    Check a new root directory.

    :param changes_user: whether the program becomes another user there.
    :raises UnusableRoot: it lacks what Twisted opens there.
    """
    # Every port keeps a descriptor of the first in reserve; the second says in which
    # groups the user is.
    needed = ["dev/null", *(["etc/passwd"] if changes_user else [])]
    missing = [each for each in needed if not os.path.exists(os.path.join(root, each))]
    if missing:
        raise UnusableRoot(root, missing)


def import_servers() -> None:
    """Import all modules that a server may use, of this package and of others."""
    for name in _LATER:
        with suppress(ImportError):
            import_module(name)
    for name in server_modules():
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            # A library that is not installed: what needs it is off.
            if error.name is None or error.name.startswith(_PACKAGE):
                raise


def server_modules(package: str = _PACKAGE) -> Iterator[str]:
    """Give the names of these modules; of packages without importing their modules."""
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        short = module.name.removeprefix(f"{_PACKAGE}.")
        if short in _OTHERS or short.endswith("__main__"):
            continue
        yield module.name
        if module.ispkg:
            yield from server_modules(module.name)
