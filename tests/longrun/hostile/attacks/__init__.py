"""The attacks, by what they attack. Each module adds its own to the table."""

from __future__ import annotations

import importlib

_MODULES = (
    "headers",
    "connections",
    "requests",
    "pulls",
    "names",
    "tables",
    "queues",
    "slaves",
    "large",
)


def load() -> None:
    """Fill the table, in the order of the modules: large tables come last."""
    for name in _MODULES:
        importlib.import_module(f"{__name__}.{name}")
