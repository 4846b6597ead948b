"""
Decodes the JSON that fastjson writes and accepts, and that JSON parsers refuse.

Java peers send bare integer keys ``{0:"a"}``, objects as keys ``{{"topic":"T"}:7}`` and
references ``{"$ref":"$.a[0]"}``. fastjson also accepts single quotes, identifiers as
keys, extra commas, comments, a byte order mark and control characters in strings. All
this is decoded here, to the objects that strict JSON would give:

- an integer key becomes its text,
- an object key becomes its JSON text with sorted keys, as strict emitters write it,
- a reference becomes the object it means, null where there is none; as a key it drops
  its entry, because fastjson writes keys' paths that lead nowhere. What references mean
  counts against the limit of nodes (:mod:`rocketmq_tw.wire.json_references`).

Text after the value, unknown escapes and incomplete text are errors, as in Java.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import msgspec

from rocketmq_tw.wire.errors import MalformedJson
from rocketmq_tw.wire.json_references import Reference, resolve

#: Deeper nesting is refused; the bodies of the protocol have less than ten levels.
MAX_DEPTH = 64
#: More values are refused, those counted that references repeat. It bounds the time for
#: which reading may stop the reactor: some 0.5 us for a value. A consumer's report on a
#: thousand queues, the largest body with objects as keys, counts as 34,000.
MAX_NODES = 1 << 16
#: Lists, objects, and values that are not written plainly take four times as long as
#: texts without escapes, whole numbers, and words. So they count as much.
_SLOW = 4
#: As many escapes of a text take as long as a value.
_ESCAPES_A_NODE = 4

_BLANK = re.compile(r"(?:[\s\b\ufeff]+|//[^\n]*|/\*[\s\S]*?\*/)*+")
_BLANK_AND_COMMAS = re.compile(r"(?:[\s\b\ufeff,]+|//[^\n]*|/\*[\s\S]*?\*/)*+")
_DOUBLE_QUOTED = re.compile(r'"([^"\\]*+(?:\\[\s\S][^"\\]*+)*+)"')
_SINGLE_QUOTED = re.compile(r"'([^'\\]*+(?:\\[\s\S][^'\\]*+)*+)'")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])")
_NUMBER = re.compile(
    r"([-+]?[0-9]++)(\.[0-9]*+)?+([eE][-+]?[0-9]++)?+[LSBFD]?+(?![\w.])"
)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*+")
#: A plain value, up to what separates it from the next one; a member with such a value.
_PLAIN = r'(?:"([^"\\]*+)"|(-?[0-9]{1,18}+)(?![\w.])|(true|false|null)(?![\w$]))'
_PLAIN_ITEM = re.compile(rf"[\s,]*+{_PLAIN}\s*+(?=[,\]])")
_PLAIN_MEMBER = re.compile(
    r'[\s,]*+(?:"([^"\\]*+)"|([A-Za-z_$][\w$]*+)|(-?[0-9]++)(?![\w.]))\s*+:\s*+'
    rf"{_PLAIN}\s*+(?=[,}}])"
)

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


def read(
    text: str, *, max_nodes: int = MAX_NODES, follow_references: bool = True
) -> Any:
    """
    Decode one value.

    :param max_nodes: the most values that are read.
    :param follow_references: False leaves references as the objects they are written
        as: headers have none.
    :raises MalformedJson: with the position, counted in characters.
    """
    return _Reader(text, max_nodes, follow_references).document()


class _Reader:
    """A recursive descent parser of one text; ``at`` is the position of the next
    character.
    """

    def __init__(self, text: str, max_nodes: int, follow_references: bool) -> None:
        self.text = text
        self.at = 0
        self.max_nodes = max_nodes
        self.nodes = 0
        self.follow_references = follow_references
        #: The containers being read, outermost first.
        self.open: list[Any] = []
        self.in_key = False
        self.references: list[Reference] = []

    def document(self) -> Any:
        """Decode the whole text, then resolve the references."""
        value = self.value()
        self.skip(_BLANK)
        if self.at != len(self.text):
            self.fail("text after the end")
        if self.references:
            resolve(
                value,
                self.references,
                max_nodes=self.max_nodes,
                max_depth=MAX_DEPTH,
            )
        return value

    def fail(self, why: str) -> NoReturn:
        """Raise an error at the current position."""
        raise MalformedJson(self.at, why)

    def count(self, nodes: int) -> None:
        """Count values that are read."""
        self.nodes += nodes
        if self.nodes > self.max_nodes:
            self.fail(f"more than {self.max_nodes} values")

    def skip(self, blank: re.Pattern[str]) -> str:
        """
        Skip what matches the pattern; return the next character, empty at the end.
        """
        found = blank.match(self.text, self.at)
        if found:
            self.at = found.end()
        return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """Read any value."""
        self.count(_SLOW)
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
        """Start a container, and skip its opening bracket."""
        if len(self.open) >= MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH}")
        self.open.append(container)
        self.at += 1

    def array(self) -> list[Any]:
        """Decode an array; extra commas are skipped."""
        items: list[Any] = []
        self.enter(items)
        while True:
            self.plain_items(items)
            if self.skip(_BLANK_AND_COMMAS) == "]":
                break
            items.append(self.value())
            self.resolve(items, len(items) - 1)
            if self.skip(_BLANK) not in (",", "]"):
                self.fail("expected a comma or ]")
        self.at += 1
        self.open.pop()
        return items

    def object(self) -> dict[str, Any]:
        """Decode an object; extra commas are skipped."""
        members: dict[Any, Any] = {}
        self.enter(members)
        while True:
            self.plain_members(members)
            char = self.skip(_BLANK_AND_COMMAS)
            if char == "}":
                break
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

    def plain_items(self, items: list[Any]) -> None:
        """Decode items as long as they are written plainly: a match for each."""
        match, number = _PLAIN_ITEM.match, len(items)
        most = number + self.max_nodes - self.nodes
        while (found := match(self.text, self.at)) and len(items) <= most:
            self.at = found.end()
            items.append(_plain(found[1], found[2], found[3]))
        self.count(len(items) - number)

    def plain_members(self, members: dict[Any, Any]) -> None:
        """Decode members as long as they are written plainly: a match for each."""
        match, most = _PLAIN_MEMBER.match, self.max_nodes - self.nodes
        count = 0
        while (found := match(self.text, self.at)) and count <= most:
            self.at = found.end()
            quoted, bare, number, text, digits, word = found.groups()
            key = quoted if quoted is not None else bare or number
            members[key] = _plain(text, digits, word)
            count += 1
        self.count(count)

    def key(self, char: str) -> Any:
        """Decode a member's name: a string, a number, an identifier or an object."""
        if char in ('"', "'") and char:
            return self.string(char)
        if char == "{":
            return self.object_key()
        pattern = _IDENTIFIER if char.isalpha() or char in ("_", "$") else _NUMBER
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail("expected a key")
        self.at = found.end()
        return found[0]

    def object_key(self) -> Any:
        """Read an object that is a key; one within it would double at each level."""
        if self.in_key:
            self.fail("an object as a key in an object that is a key")
        self.in_key = True
        key = self.object()
        self.in_key = False
        return _DROPPED if "$ref" in key else canonical(key)

    def resolve(self, container: Any, key: Any) -> None:
        """Note the value just read for later if it is a reference."""
        value = container[key]
        if not isinstance(value, dict) or len(value) != 1 or "$ref" not in value:
            return
        if not self.follow_references:
            return
        path = value["$ref"]
        container[key] = None
        if path in ("@", "..", "$"):
            self.fail("a reference to what contains it")
        if isinstance(path, str) and path.startswith("$") and key is not _DROPPED:
            self.references.append(Reference(container, key, path, self.at))

    def string(self, quote: str) -> str:
        """Decode a string in single or double quotes."""
        pattern = _DOUBLE_QUOTED if quote == '"' else _SINGLE_QUOTED
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail("a string does not end")
        content = found[1]
        if "\\" in content:
            self.count(content.count("\\") // _ESCAPES_A_NODE)
            content = _join_surrogates(_ESCAPE.sub(self.unescape, content))
        self.at = found.end()
        return content

    def unescape(self, found: re.Match[str]) -> str:
        """Decode one escape."""
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _SIMPLE_ESCAPES:
            self.fail(f"unknown escape \\{code}")
        return _SIMPLE_ESCAPES[code]

    def number(self) -> int | float:
        """Decode a number; Java's type letters after it are dropped."""
        found = _NUMBER.match(self.text, self.at)
        if found is None or len(found[0]) > 400:
            self.fail("expected a number")
        self.at = found.end()
        if found[2] is None and found[3] is None:
            return int(found[1])
        return float(found[1] + (found[2] or "") + (found[3] or ""))


def _plain(text: str | None, digits: str | None, word: str | None) -> Any:
    """Return a plain value from the one text that is not None."""
    if text is not None:
        return text
    return int(digits) if digits is not None else _WORDS[word or "null"]


def canonical(key: dict[str, Any]) -> str:
    """Encode an object key as strict JSON with sorted keys, in Java's order."""
    return msgspec.json.encode(key, order="sorted").decode()


def _join_surrogates(text: str) -> str:
    """Join pairs of escaped UTF-16 units; an unpaired one becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
