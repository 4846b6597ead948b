"""What documents and docstrings refer to exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw
from rocketmq_tw import client
from rocketmq_tw.client import errors

ROOT = Path(__file__).parents[2]
#: A role with a full name, as in ``:mod:`rocketmq_tw.wire.frame```. Attributes may be
#: made by an instance, so they are not looked for.
_REFERENCE = re.compile(r":(?:mod|class|meth|func|data|exc):`~?(rocketmq_tw[\w.]*)`")


def references() -> Iterator[tuple[Path, str]]:
    """Find all references to a full name, with their file."""
    for folder, pattern in (("doc", "*.rst"), ("rocketmq_tw", "*.py")):
        for path in (ROOT / folder).rglob(pattern):
            for name in _REFERENCE.findall(path.read_text(encoding="utf-8")):
                yield path, name


def exists(name: str) -> bool:
    """Whether a module, or what is in one, has this full name."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


class ApiTests(SynchronousTestCase):
    """The API reference."""

    def test_every_public_name(self) -> None:
        """All that users import is described."""
        text = "".join(path.read_text() for path in (ROOT / "doc/api").glob("*.rst"))
        text += " ".join(errors.__dict__)
        for name in {*rocketmq_tw.__all__, *client.__all__}:
            self.assertRegex(text, rf"\b{name}\b")


class ReferenceTests(SynchronousTestCase):
    """References by full name."""

    def test_all_exist(self) -> None:
        """None is left behind by a renaming."""
        broken = [
            f"{path.relative_to(ROOT)}: {name}"
            for path, name in references()
            if not exists(name)
        ]
        self.assertEqual(broken, [])

    def test_there_are_some(self) -> None:
        """The pattern finds references."""
        self.assertGreater(len(list(references())), 20)

    def test_exists(self) -> None:
        """A name that is not there is noticed."""
        self.assertTrue(exists("rocketmq_tw.wire.fields.Request.code"))
        self.assertFalse(exists("rocketmq_tw.wire.fields.Nothing"))
        self.assertFalse(exists("rocketmq_tw.nowhere"))
