"""
Names that a package imports on first use (PEP 562).

Importing the package itself is cheap then: a producer does not load the consumers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def importer_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """
    Return the ``__getattr__`` of a package.

    :param package: its name, for the error.
    :param homes: the full name of the module that defines each public name.
    """

    def find(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home), name)

    return find
