"""
A reader for what fastjson writes and takes, and JSON parsers refuse.

Java peers send bare integer keys ``{0:"a"}``, objects as keys ``{{"topic":"T"}:7}`` and
references ``{"$ref":"$.a[0]"}``. fastjson also takes single quotes, identifiers as
keys, stray commas, comments, a byte order mark and control characters in strings. All
this is read here, into the objects strict JSON would give:

- an integer key becomes its text,
- an object key becomes its JSON text with sorted keys, as strict emitters write it,
- a reference becomes the object it means, null where there is none; as a key it drops
  its entry, because fastjson writes keys' paths that lead nowhere.

Text after the value, unknown escapes and cut text are errors, as they are in Java.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import msgspec

from rocketmq_tw.wire.errors import MalformedJson

#: Deeper nesting is refused; the bodies of the protocol need less than ten levels.
MAX_DEPTH = 64

_BLANK = re.compile(r"(?:[\s\b\ufeff]+|//[^\n]*|/\*[\s\S]*?\*/)*+")
_BLANK_AND_COMMAS = re.compile(r"(?:[\s\b\ufeff,]+|//[^\n]*|/\*[\s\S]*?\*/)*+")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\[\s\S])*+)"')
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\]|\\[\s\S])*+)'")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])")
_NUMBER = re.compile(r"([-+]?\d+)(\.\d*)?([eE][-+]?\d+)?[LSBFD]?(?![\w.])")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")

_SIMPLE_ESCAPES = {
    **{c: c for c in "\"'/\\"},
    **{str(n): chr(n) for n in range(8)},
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "F": "\f",
    "r": "\r",
}
_WORDS = {"true": True, "false": False, "null": None, "NaN": None, "undefined": None}
_DROPPED = object()


def read(text: str) -> Any:
    """
    Read one value.

    :raises MalformedJson: with the position, counted in characters.
    """
    return _Reader(text).document()


class _Reader:
    """A recursive descent over one text; ``at`` is the next character to look at."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        #: The containers being read, outermost first.
        self.open: list[Any] = []
        #: Where references to be looked up from the root stand: container, key, path.
        self.references: list[tuple[Any, Any, str]] = []

    def document(self) -> Any:
        """Read the whole text, then look up the references."""
        value = self.value()
        self.skip(_BLANK)
        if self.at != len(self.text):
            self.fail("text after the end")
        for container, key, path in self.references:
            container[key] = _look_up(value, path)
        return value

    def fail(self, why: str) -> NoReturn:
        """Raise the error of the present position."""
        raise MalformedJson(self.at, why)

    def skip(self, blank: re.Pattern[str]) -> str:
        """Skip what the pattern takes; return the next character, empty at the end."""
        found = blank.match(self.text, self.at)
        if found:
            self.at = found.end()
        return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """Read any value."""
        char = self.skip(_BLANK)
        if char == "{":
            return self.object()
        if char == "[":
            return self.array()
        if char in ('"', "'") and char:
            return self.string(char)
        if char in "+-0123456789" and char:
            return self.number()
        word = _IDENTIFIER.match(self.text, self.at)
        if word is None or word[0] not in _WORDS:
            self.fail("expected a value")
        self.at = word.end()
        return _WORDS[word[0]]

    def enter(self, container: Any) -> None:
        """Note that a container begins: its opening bracket is skipped."""
        if len(self.open) >= MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH}")
        self.open.append(container)
        self.at += 1

    def array(self) -> list[Any]:
        """Read an array; stray commas are skipped."""
        items: list[Any] = []
        self.enter(items)
        while self.skip(_BLANK_AND_COMMAS) != "]":
            items.append(self.value())
            self.resolve(items, len(items) - 1)
            if self.skip(_BLANK) not in (",", "]"):
                self.fail("expected a comma or ]")
        self.at += 1
        self.open.pop()
        return items

    def object(self) -> dict[str, Any]:
        """Read an object; stray commas are skipped."""
        members: dict[Any, Any] = {}
        self.enter(members)
        while (char := self.skip(_BLANK_AND_COMMAS)) != "}":
            key = self.key(char)
            if self.skip(_BLANK) != ":":
                self.fail("expected a colon")
            self.at += 1
            members[key] = self.value()
            self.resolve(members, key)
            if self.skip(_BLANK) not in (",", "}"):
                self.fail("expected a comma or }")
        self.at += 1
        self.open.pop()
        members.pop(_DROPPED, None)
        return members

    def key(self, char: str) -> Any:
        """Read a member's name: a string, number, identifier or a whole object."""
        if char in ('"', "'") and char:
            return self.string(char)
        if char == "{":
            key = self.object()
            return _DROPPED if "$ref" in key else canonical(key)
        pattern = _IDENTIFIER if char.isalpha() or char in ("_", "$") else _NUMBER
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail("expected a key")
        self.at = found.end()
        return found[0]

    def resolve(self, container: Any, key: Any) -> None:
        """Replace the value just read if it is a reference."""
        value = container[key]
        if not isinstance(value, dict) or len(value) != 1 or "$ref" not in value:
            return
        path = value["$ref"]
        container[key] = None
        if path == "@":
            container[key] = self.open[-1]
        elif path == "..":
            container[key] = self.open[-2] if len(self.open) > 1 else None
        elif isinstance(path, str) and path.startswith("$") and key is not _DROPPED:
            self.references.append((container, key, path))

    def string(self, quote: str) -> str:
        """Read a string in single or double quotes."""
        pattern = _DOUBLE_QUOTED if quote == '"' else _SINGLE_QUOTED
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail("a string does not end")
        content = found[1]
        if "\\" in content:
            content = _join_surrogates(_ESCAPE.sub(self.unescape, content))
        self.at = found.end()
        return content

    def unescape(self, found: re.Match[str]) -> str:
        """Turn one escape into its character."""
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _SIMPLE_ESCAPES:
            self.fail(f"unknown escape \\{code}")
        return _SIMPLE_ESCAPES[code]

    def number(self) -> int | float:
        """Read a number; Java's type letters after it are dropped."""
        found = _NUMBER.match(self.text, self.at)
        if found is None or len(found[0]) > 400:
            self.fail("expected a number")
        self.at = found.end()
        if found[2] is None and found[3] is None:
            return int(found[1])
        return float(found[1] + (found[2] or "") + (found[3] or ""))


def canonical(key: dict[str, Any]) -> str:
    """Write an object key as strict JSON with sorted keys: Java's order too."""
    return msgspec.json.encode(key, order="sorted").decode()


def _join_surrogates(text: str) -> str:
    """Join pairs of escaped UTF-16 units; a lone one becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _look_up(root: Any, path: str) -> Any:
    """Follow ``$.a.b[0].c`` from the root; None where it leads nowhere."""
    value = root
    for name, index in _STEP.findall(path[1:]):
        try:
            value = value[int(index)] if index else value[name]
        except (LookupError, TypeError):
            return None
    return value
