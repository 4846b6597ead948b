"""
Tables of names and values, as JSON and as Java's ``.properties`` text.

Configurations are sent as ``.properties`` text. Java reads it as Latin-1, so other
characters are written as ``\\uXXXX``; a backslash in a value is doubled.

Source: ``KVTable``, ``MixAll.properties2String`` and ``java.util.Properties.load``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.errors import BadField

#: Bytes; a longer text is refused. All settings of a broker take some 10 KB, and a
#: character may cost half a microsecond.
MAX_TEXT = 64 << 10

#: A comment, or a line in group 1; a backslash at its end continues only a line.
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
    """A table of texts, such as the response to GET_BROKER_RUNTIME_INFO (28)."""

    table: dict[str, str] = {}

    def encode(self) -> bytes:
        """Encode as every body is; a table may have 100,000 entries."""
        return fastjson.dumps_plain(self)


def encode_properties(table: Mapping[str, str]) -> bytes:
    """Encode as ``name=value`` lines, sorted by name, in ASCII."""
    lines = []
    for name, value in sorted(table.items()):
        name = re.sub(r"([ =:#!])", r"\\\1", _escape(name))
        value = _escape(value)
        # A space before a value would be ignored.
        value = f"\\{value}" if value.startswith(" ") else value
        lines.append(f"{name}={value}\n")
    return "".join(lines).encode()


def decode_properties(text: bytes) -> dict[str, str]:
    """
    Decode ``.properties`` text by Java's rules; of equal names the last one counts.

    Comments begin with ``#`` or ``!``; a backslash at the end continues a line; ``=``,
    ``:`` or space ends a name. Any text is accepted. Unlike in Java, it may be UTF-8.

    :raises BadField: it has over ``MAX_TEXT`` bytes.
    """
    if len(text) > MAX_TEXT:
        raise BadField("body", f"{len(text)} bytes of settings", f"at most {MAX_TEXT}")
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
    """Escape special characters and those that are not ASCII."""
    return _SPECIAL.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    """Escape one character, with its letter or as UTF-16 units."""
    char = found[0]
    if char in _ESCAPES:
        return _ESCAPES[char]
    units = char.encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _unescape(text: str) -> str:
    """Decode the escapes; an unknown escape means the character itself."""
    if "\\" not in text:
        return text
    plain = _ESCAPED.sub(_unescape_one, text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescape_one(found: re.Match[str]) -> str:
    """Decode one escape."""
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _LETTERS.get(code, code)
