"""
References in JSON: ``{"$ref":"$.a.b[0]"}`` means the object at that path.

Java peers write one where the same object stands twice, as a set of queues that several
parts of a body share. Whoever reads the result sees the object each time. So a text of
thirty lines, each naming the line before twice, means a thousand million objects. What
references mean is therefore counted before anything follows them, in time linear in
what was read, and has a limit. References to what contains them are refused: no body of
the protocol contains itself.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rocketmq_tw.wire.errors import MalformedJson

_STEP = re.compile(r"\.([^.\[\]]++)|\[(\d{1,9})\]")
#: A text counts as one node, and as one more for each so many characters.
_CHARACTERS_A_NODE = 64


class Reference(NamedTuple):
    """
    A reference to look up: ``container[key]`` becomes what the path means.

    :ivar at: where it stands in the text, in characters.
    """

    container: Any
    key: Any
    path: str
    at: int


def look_up(root: Any, path: str) -> Any:
    """Follow ``$.a.b[0].c`` from the root; None where it leads nowhere."""
    value = root
    for name, index in _STEP.findall(path[1:]):
        try:
            value = value[int(index)] if index else value[name]
        except (LookupError, TypeError):
            return None
    return value


def resolve(
    root: Any, references: list[Reference], *, max_nodes: int, max_depth: int
) -> None:
    """
    Put what references mean in their place, in the order of the text.

    :param max_nodes: how many values the whole may have, each counted wherever it is
        seen; a text counts as one more for each 64 characters.
    :raises MalformedJson: there are more, they are nested deeper than ``max_depth``, or
        a reference means what contains it.
    """
    for reference in references:
        reference.container[reference.key] = look_up(root, reference.path)
    sizes = _Sizes(references[0].at, max_depth)
    size, depth = sizes.of(root, 0)
    if size > max_nodes or depth > max_depth:
        raise MalformedJson(
            references[0].at,
            f"references make it more than {max_nodes} values or {max_depth} levels",
        )


class _Sizes:
    """Counts nodes and levels; what is seen several times is visited once."""

    def __init__(self, at: int, max_depth: int) -> None:
        self._at = at
        self._max_depth = max_depth
        #: By identity; None while the members are being counted.
        self._known: dict[int, tuple[int, int] | None] = {}

    def of(self, value: Any, level: int) -> tuple[int, int]:
        """Return the nodes and levels of a value that stands at this level."""
        if isinstance(value, str):
            return 1 + len(value) // _CHARACTERS_A_NODE, 0
        if not isinstance(value, dict | list):
            return 1, 0
        known = self._known.get(id(value))
        if known is not None:
            return known
        if id(value) in self._known:
            raise MalformedJson(self._at, "a reference to what contains it")
        if level >= self._max_depth:
            raise MalformedJson(self._at, f"nested deeper than {self._max_depth}")
        self._known[id(value)] = None
        counted = self._known[id(value)] = self._members(value, level + 1)
        return counted

    def _members(
        self, value: dict[Any, Any] | list[Any], level: int
    ) -> tuple[int, int]:
        """Add up the members of a container; names count as texts do."""
        size, depth = 1, 0
        if isinstance(value, dict):
            size += sum(len(name) // _CHARACTERS_A_NODE for name in value)
            value = list(value.values())
        for each in value:
            inner, levels = self.of(each, level)
            size += inner
            depth = max(depth, levels)
        return size, depth + 1
