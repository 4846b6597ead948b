"""
Names and values: as a JSON table, and as Java's ``.properties`` text.

Configurations travel as ``.properties``. Java reads such text byte by byte as Latin-1,
so what is not ASCII is written as ``\\uXXXX``; a backslash in a value is written twice.

Source: ``KVTable``, ``MixAll.properties2String`` and ``java.util.Properties.load``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rocketmq_tw.wire.bodies.body import Body

#: A comment, or a line in group 1; a backslash at its end continues a line only.
_LINE = re.compile(
    r"[ \t\f]*(?:[#!][^\r\n]*|((?:[^\\\r\n]|\\(?:\r\n|[\s\S]))*+)\\?)(?:\r\n|\r|\n|\Z)"
)
_CONTINUED = re.compile(r"\\(?:\r\n|\r|\n)[ \t\f]*|(\\[\s\S])")
_KEY = re.compile(r"((?:[^\\=: \t\f]|\\[\s\S])*+)[ \t\f]*[=:]?[ \t\f]*")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|[\s\S])")
_SPECIAL = re.compile(r"[\\\t\n\f\r]|[^\x20-\x7e]")
_LETTERS = {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_ESCAPES = {"\\": "\\\\", **{char: f"\\{name}" for name, char in _LETTERS.items()}}


class KVTable(Body, frozen=True):
    """A table of text, such as the response to GET_BROKER_RUNTIME_INFO (28)."""

    table: dict[str, str] = {}


def encode_properties(table: Mapping[str, str]) -> bytes:
    """Write ``name=value`` lines, sorted by name, in ASCII."""
    lines = []
    for name, value in sorted(table.items()):
        name = re.sub(r"([ =:#!])", r"\\\1", _escape(name))
        value = _escape(value)
        # Space before a value would be skipped.
        value = f"\\{value}" if value.startswith(" ") else value
        lines.append(f"{name}={value}\n")
    return "".join(lines).encode()


def decode_properties(text: bytes) -> dict[str, str]:
    """
    Read ``.properties`` text by Java's rules: the last of equal names counts.

    Comments begin with ``#`` or ``!``; a backslash at a line's end continues it; ``=``,
    ``:`` or space ends a name. Nothing is an error. Unlike Java, UTF-8 is understood.
    """
    table: dict[str, str] = {}
    for found in _LINE.finditer(text.decode("utf-8", "replace")):
        line = _CONTINUED.sub(lambda part: part[1] or "", found[1] or "")
        if not line:
            continue
        name = _KEY.match(line)
        if name is not None:
            table[_unescape(name[1])] = _unescape(line[name.end() :])
    return table


def _escape(text: str) -> str:
    """Escape what is special or not ASCII."""
    return _SPECIAL.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    """Escape one character, by its letter or as UTF-16 units."""
    char = found[0]
    if char in _ESCAPES:
        return _ESCAPES[char]
    units = char.encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _unescape(text: str) -> str:
    """Undo the escapes; an unknown one is the character itself."""
    if "\\" not in text:
        return text
    plain = _ESCAPED.sub(_unescape_one, text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescape_one(found: re.Match[str]) -> str:
    """Undo one escape."""
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _LETTERS.get(code, code)
