"""
The exports: what a program imports, and what a type checker and completion see.

A package's exports are imported on first use. So the same names stand in three places:
in ``__all__``, in the imports under ``TYPE_CHECKING``, and in ``_HOMES``.
"""

from __future__ import annotations

import ast
import inspect
from types import ModuleType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw
import rocketmq_tw.admin
import rocketmq_tw.client
import rocketmq_tw.testing

PACKAGES = (
    rocketmq_tw,
    rocketmq_tw.admin,
    rocketmq_tw.client,
    rocketmq_tw.testing,
)


def seen_by_type_checkers(package: ModuleType) -> dict[str, str]:
    """Give the names that are imported under ``TYPE_CHECKING``, and from where."""
    found = {}
    for node in ast.parse(inspect.getsource(package)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom) and line.module, line
                for alias in line.names:
                    # Only "import x as x" makes x an export for a strict type checker.
                    assert alias.asname == alias.name, alias.name
                    found[alias.name] = line.module
    return found


class ExportTests(SynchronousTestCase):
    """The names of the packages."""

    def test_the_same_everywhere(self) -> None:
        """A type checker sees just what can be imported."""
        for package in PACKAGES:
            homes: dict[str, str] = vars(package)["_HOMES"]
            self.assertEqual(seen_by_type_checkers(package), homes)
            self.assertEqual(sorted(package.__all__), sorted(homes))

    def test_every_name_is_there(self) -> None:
        """Each is found in its home; anything defined elsewhere would be a mistake."""
        for package in PACKAGES:
            for name, home in vars(package)["_HOMES"].items():
                value: Any = getattr(package, name)
                if inspect.isclass(value) or inspect.isfunction(value):
                    self.assertEqual(value.__module__, home, name)

    def test_completion(self) -> None:
        """``dir`` lists every name, also before its first use."""
        for package in PACKAGES:
            self.assertEqual(set(package.__all__) - set(dir(package)), set())

    def test_unknown_name(self) -> None:
        """Any other name is an ``AttributeError``, as with an ordinary module."""
        for package in PACKAGES:
            self.assertRaises(AttributeError, getattr, package, "Nothing")
