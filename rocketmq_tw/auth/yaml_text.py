"""
YAML of operators' files, read and written in small steps.

A loader of the ``yaml`` package composes a whole document in one call of its C code,
which holds the interpreter: 0.9 s for 1 MiB. Here it returns one event at a time, so
that a thread which reads a document lets others run between two of them.

Only what such files need is read: mappings with texts as keys, sequences, texts,
numbers, truth values and null. References (``&name``, ``*name``) are refused, since a
few lines of them can mean any number of values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rocketmq_tw.auth.errors import BadPolicy

#: Mappings and sequences within one another.
MAX_DEPTH = 16
#: Characters of what may be a number or a truth value; all that is longer is a text.
MAX_NUMBER = 40

_STANDARD = "tag:yaml.org,2002:"
#: What is not a text unless it is quoted.
_TYPED = frozenset(f"{_STANDARD}{name}" for name in ("int", "float", "bool", "null"))
_TEXT = f"{_STANDARD}str"
#: Escaped in texts that are written: what JSON escapes, and what is not printable.
_UNPRINTABLE = re.compile(
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
)

#: Keys that need no quotes, unless they are one of these.
_PLAIN_KEY = re.compile("[A-Za-z][A-Za-z0-9]{2,}")
_WORDS = frozenset(("null", "true", "false", "yes", "off"))


class _Builder:
    """
    Builds the value of a document from its events.

    :param yaml: the package.
    """

    def __init__(self, yaml: Any, loader: Any) -> None:
        self._yaml = yaml
        self._loader = loader
        self._constructor = yaml.constructor.SafeConstructor()
        #: Mappings and sequences that have begun, each with the key that waits for its
        #: value.
        self._open: list[tuple[dict[str, Any] | list[Any], str | None]] = []
        self._key: str | None = None
        self.value: Any = None

    def add(self, event: Any) -> None:
        """:raises BadPolicy: the event is not one of those that are read."""
        yaml = self._yaml
        if isinstance(event, yaml.ScalarEvent):
            self._add_scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, event.tag, "map")
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], event.tag, "seq")
        elif isinstance(event, yaml.CollectionEndEvent):
            value, self._key = self._open.pop()
            self._put(value)
        elif isinstance(event, yaml.AliasEvent):
            raise BadPolicy("has references; write the values instead")

    def _begin(self, value: dict[str, Any] | list[Any], tag: str, kind: str) -> None:
        if tag not in (None, "!", _STANDARD + kind):
            raise BadPolicy("has a tag, which is not allowed here")
        if len(self._open) >= MAX_DEPTH:
            raise BadPolicy(f"has over {MAX_DEPTH} levels")
        if self._is_key():
            raise BadPolicy("has a key that is no text")
        self._open.append((value, self._key))
        self._key = None

    def _is_key(self) -> bool:
        """Whether the next value is a key."""
        if not self._open or self._key is not None:
            return False
        return isinstance(self._open[-1][0], dict)

    def _put(self, value: Any) -> None:
        """Add a value to what has begun last."""
        if not self._open:
            self.value = value
            return
        parent = self._open[-1][0]
        if isinstance(parent, list):
            parent.append(value)
        else:
            assert self._key is not None
            parent[self._key] = value
            self._key = None

    def _add_scalar(self, event: Any) -> None:
        if self._is_key():
            self._key = event.value
            return
        self._put(self._scalar(event))

    def _scalar(self, event: Any) -> Any:
        """Return the value of a text; one in quotes is a text."""
        tag = event.tag
        if tag is None and event.implicit[0] and len(event.value) <= MAX_NUMBER:
            kind = self._yaml.ScalarNode
            tag = self._loader.resolve(kind, event.value, event.implicit)
            if tag not in _TYPED:
                tag = _TEXT
        if tag in (None, "!", _TEXT):
            return event.value
        if tag not in _TYPED or len(event.value) > MAX_NUMBER:
            raise BadPolicy("has a tag, which is not allowed here")
        node = self._yaml.ScalarNode(tag, event.value)
        make = self._constructor.yaml_constructors[tag]
        return make(self._constructor, node)


def read_yaml(data: bytes) -> Any:
    """
    Return the value of a document; None for an empty one.

    :raises BadPolicy: it cannot be read; the text says why, behind the file's name.
    """
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = base(data)
    except yaml.YAMLError:  # characters that YAML forbids
        raise BadPolicy("is not YAML") from None
    builder = _Builder(yaml, loader)
    documents = 0
    try:
        while (event := loader.get_event()) is not None:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise BadPolicy("has more than one document")
            builder.add(event)
    except (yaml.YAMLError, ValueError, KeyError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise BadPolicy(f"is not YAML{line}") from None
    finally:
        loader.dispose()
    return builder.value


def write_yaml(document: dict[str, Any]) -> bytes:
    """
    Return the text of a document with the values that :func:`read_yaml` returns.

    Texts are in quotes, so that they stay texts for every reader.
    """
    return "".join(_mapping(document, "", "")).encode() or b"{}\n"


def _mapping(value: dict[str, Any], first: str, indent: str) -> Iterator[str]:
    """Write a mapping; ``first`` stands before its first key."""
    for key, each in value.items():
        yield f"{first}{_key(key)}:"
        first = indent
        yield from _value(each, indent)


def _value(value: Any, indent: str) -> Iterator[str]:
    """Write a value behind what it belongs to, and the end of the line."""
    if isinstance(value, dict) and value:
        yield "\n"
        yield from _mapping(value, f"{indent}  ", f"{indent}  ")
    elif isinstance(value, list) and value:
        yield "\n"
        for each in value:
            yield from _item(each, indent)
    else:
        yield f" {_scalar(value)}\n"


def _item(value: Any, indent: str) -> Iterator[str]:
    """Write an element of a sequence."""
    if isinstance(value, dict) and value:
        yield from _mapping(value, f"{indent}- ", f"{indent}  ")
    else:
        yield f"{indent}-"
        yield from _value(value, f"{indent}  ")


def _key(text: str) -> str:
    """Return a key, in quotes if it might not be taken for a text."""
    is_plain = _PLAIN_KEY.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else _scalar(text)


def _scalar(value: Any) -> str:
    """Return a text, a number, a truth value or null; or an empty collection."""
    if value is None or isinstance(value, bool | int | list | dict):
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_UNPRINTABLE.sub(_escaped, text)}"'


def _float(value: float) -> str:
    """Return a number, which YAML 1.1 takes for a text without a point."""
    text = repr(value).replace("inf", ".inf").replace("nan", ".nan")
    return text if "." in text else text.replace("e", ".0e")


def _escaped(found: re.Match[str]) -> str:
    return f"\\U{ord(found[0]):08X}"
