"""
JSON in the form that Apache RocketMQ writes and reads.

It uses fastjson 1.x, and since 5.4 fastjson2. Both write integer and object
keys bare: ``{0:"10.0.0.1:10911"}`` and
``{{"brokerName":"b","queueId":0,"topic":"T"}:7}``. They differ in what they read:

========================== ===================== =====================================
key                        fastjson 1.x          fastjson2
========================== ===================== =====================================
integer in quotes          read                  read
bare integer               read                  refused in members that it does not
                                                 know
bare object                read                  read, but as the integer's
object text in quotes      read                  refused
========================== ===================== =====================================

So :func:`dumps` writes integer keys in quotes and object keys bare, which every release
reads; without object keys that is strict JSON. :func:`dumps_lenient` is for peers that
parse texts by hand. Both are compact, with sorted keys and without nulls. Input is
first decoded as strict JSON, because that is fast, and then leniently.

Source: ``RemotingSerializable``; behaviour of fastjson 1.2.69 and 1.2.83, and of
fastjson2 2.0.63.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from rocketmq_tw.wire.coerce import coerce
from rocketmq_tw.wire.errors import MalformedJson

__all__ = [
    "MalformedJson",
    "decode_as",
    "dumps",
    "dumps_ascii",
    "dumps_lenient",
    "dumps_plain",
    "has_long_number",
    "loads",
    "loads_header",
]

_T = TypeVar("_T")

#: The most values in a header that needs the lenient reader; requests have under forty.
MAX_HEADER_NODES = 4096

_NOT_READ = object()
#: Only the lenient reader resolves references.
REFERENCE = b'"$ref"'
_REFERENCE = REFERENCE.decode()
#: A string that does not end reaches to the end of the text: if it did not match, each
#: quote in it would be the start of another search. No repeat here can give way.
_STRING_OR_BARE_KEY = r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"?|([{,]\s*+)(-?\d++)\s*+:'
#: What may be a bare integer key; it may stand in a string too.
_BARE_KEY = r"[{,]\s*+-?\d++\s*+:"
#: Possibly too large for a Java long; msgspec accepts it, coercion checks it.
_LONG_NUMBER = r"[\[:,]\s*+\"?+[-+]?+\d{19}"
_LONG_NUMBER_BYTES = re.compile(_LONG_NUMBER.encode())
_NOT_ASCII = r"[^\x00-\x7f]"


def loads(data: bytes | str) -> Any:
    """
    Decode JSON, strict or in the form that Apache RocketMQ writes.

    Integer keys become text; object keys become their strict JSON text.

    :raises MalformedJson: it is neither, or its references mean more than
        :data:`rocketmq_tw.wire.lenient_json.MAX_NODES` values.
    """
    text = _text(data)
    if _REFERENCE not in text:
        found = _loads_quickly(text)
        if found is not _NOT_READ:
            return found
    # Most processes never get here, and compiling the reader's patterns takes 3 ms.
    from rocketmq_tw.wire import lenient_json

    return lenient_json.read(text)


def loads_header(data: bytes) -> Any:
    """
    Read a header: as :func:`loads`, but smaller, and references are not followed.

    :raises MalformedJson: it is no JSON, or has over ``MAX_HEADER_NODES`` values.
    """
    text = _text(data)
    found = _loads_quickly(text, MAX_HEADER_NODES)
    if found is not _NOT_READ:
        return found
    from rocketmq_tw.wire import lenient_json

    return lenient_json.read(text, max_nodes=MAX_HEADER_NODES, follow_references=False)


def _loads_quickly(text: str, most: int = 0) -> Any:
    """
    Read what needs at most its integer keys quoted.

    :param most: how many strings and keys are looked at then; 0 for all.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        # To quote keys takes five times as long as to look for one.
        if not re.search(_BARE_KEY, text):
            return _NOT_READ
    try:
        return msgspec.json.decode(_quote_keys(text, most))
    except (msgspec.DecodeError, RecursionError):
        return _NOT_READ


def decode_as(data: bytes | str, kind: type[_T]) -> _T:
    """
    Decode JSON into a declared type, as tolerantly as :mod:`rocketmq_tw.wire.coerce`.

    :raises MalformedJson: the text is not JSON.
    :raises BadField: a member cannot be converted to its declared type.
    """
    text = _text(data)
    if _REFERENCE not in text and not re.search(_LONG_NUMBER, text):
        try:
            return msgspec.json.decode(text, type=kind, strict=False)
        except (msgspec.DecodeError, RecursionError):
            pass
    return coerce(loads(text), kind)


def has_long_number(data: bytes) -> bool:
    """Return whether strict JSON may have a number that Java's long cannot hold."""
    return _LONG_NUMBER_BYTES.search(data) is not None


def dumps(value: Any) -> bytes:
    """
    Encode JSON that every release reads: integer keys quoted, object keys bare.

    Without object keys it is strict JSON.

    :param value: structs, tables, lists, sets, enums and plain values.
    """
    return msgspec.json.encode(_plain(value))


#: Encodes as :func:`dumps` does, in a quarter of its time, where all keys are texts and
#: nothing is null.
dumps_plain = msgspec.json.Encoder(order="sorted").encode


def dumps_ascii(value: Any) -> bytes:
    """
    Encode strict JSON in ASCII: other characters as ``\\uXXXX`` in upper-case hex.

    Source: ``BrowserCompatible`` in ``ClientRequestProcessor.getRouteInfoByTopic``.
    """
    return re.sub(_NOT_ASCII, _escape, dumps(value).decode()).encode()


def dumps_lenient(value: Any) -> bytes:
    """Encode like fastjson: integer and object keys bare. Not strict JSON."""
    return _lenient(value).encode()


def _text(data: bytes | str) -> str:
    """Decode UTF-8 like Java: invalid bytes become U+FFFD."""
    return data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")


def _quote_keys(text: str, most: int = 0) -> str:
    """Put bare integer keys in quotes; the contents of strings are not changed."""

    def quoted(found: re.Match[str]) -> str:
        return f'{found[1]}"{found[2]}":' if found[1] else found[0]

    return re.sub(_STRING_OR_BARE_KEY, quoted, text, count=most)


def _escape(found: re.Match[str]) -> str:
    """Encode one character as one or two UTF-16 units."""
    units = found[0].encode("utf-16-be").hex().upper()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


@lru_cache(maxsize=512)
def _sorted_members(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Return a struct's members, wire name and name, sorted by wire name."""
    return tuple(
        sorted(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    )


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over a struct or a table by sorted key, without nulls."""
    if isinstance(value, dict):
        entries = sorted(value.items(), key=_rank)
    else:
        kind: type[msgspec.Struct] = type(value)
        entries = [
            (wire_name, getattr(value, name))
            for wire_name, name in _sorted_members(kind)
        ]
    return (entry for entry in entries if entry[1] is not None)


def _rank(entry: tuple[Any, Any]) -> tuple[int, Any]:
    """Sort key: integers by value, then texts, then objects by their text."""
    key = entry[0]
    if isinstance(key, int):
        return (0, key)
    return (1, key) if isinstance(key, str) else (2, dumps(key))


def _plain(value: Any) -> Any:
    """Convert a value to tables with text keys, lists, scalars and encoded pieces."""
    if isinstance(value, dict) and any(_is_object(key) for key in value):
        return _object_keys(value)
    if isinstance(value, (dict, msgspec.Struct)):
        return {_key_text(key): _plain(each) for key, each in _entries(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(each) for each in sorted(value)]
    return value


def _is_object(key: Any) -> bool:
    """Return whether a key is an object, not a text, a number or an enum."""
    return not isinstance(key, (str, int, Enum))


def _object_keys(table: dict[Any, Any]) -> msgspec.Raw:
    """Encode a table whose keys are objects."""
    entries = (dumps(key) + b":" + dumps(each) for key, each in _entries(table))
    return msgspec.Raw(b"{" + b",".join(entries) + b"}")


def _key_text(key: Any) -> str:
    """Return a key as the content of a string."""
    return str(key.value if isinstance(key, Enum) else key)


def _lenient(value: Any) -> str:
    """Encode a value with bare keys."""
    if isinstance(value, (dict, msgspec.Struct)):
        members = (f"{_lenient(key)}:{_lenient(each)}" for key, each in _entries(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_lenient, value)) + "]"
    return msgspec.json.encode(value).decode()
