"""
Decodes large tables in steps.

To decode a table of 50,000 entries at once takes 50 ms and more. So the text is cut
between entries, and some entries are decoded in each step. Only texts without spaces,
as RocketMQ writes them, can be cut; others must be small. An entry that is a table of
numbers, such as the offsets of a group in a topic of 65,000 queues, is cut as well.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, TypeVar

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.errors import BadField

_V = TypeVar("_V")
_B = TypeVar("_B", bound=Body)

#: Bytes of JSON that are decoded in one step: some 2 ms.
STEP = 64 << 10
#: The most bytes beside the table, or that cannot be cut.
MAX_REST = 1 << 20
#: The most bytes of an entry: some 20 ms.
MAX_ENTRY = 2 << 20
#: How deep values may be nested.
_DEPTH = 6

# The repeats cannot give way, so that each byte is looked at once.
_STRING = rb'"(?:[^"\\]++|\\.)*+"'


def _nested(depth: int) -> bytes:
    """Return a pattern for tables and lists that are nested so deep at most."""
    inner = rb"|" + _nested(depth - 1) if depth > 1 else b""
    return rb'[{\[](?:[^{}\[\]"]++|%b%b)*+[}\]]' % (_STRING, inner)


_ENTRY = re.compile(
    rb'%b:(?:[^,{}\[\]"]++|%b|%b)(?:,|(?=\}))' % (_STRING, _STRING, _nested(_DEPTH)),
    re.DOTALL,
).match

#: An entry that is a table of numbers: its name with the colon, and the numbers.
_NUMBERS = re.compile(rb'(%b:)\{([-0-9",:]*+)\},?+' % _STRING, re.DOTALL).fullmatch


def decode_in_steps(
    data: bytes, member: str, values: type[_V], body: type[_B], limit: int
) -> Generator[None, None, tuple[dict[str, _V], _B]]:
    """
    Decode a body with a large table.

    :param member: the name of the table in the body.
    :param values: the type of the table's values.
    :param limit: the most entries that the table may have.
    :returns: of the generator: the table, and the body with an empty one.
    :raises MalformedJson: the text is not JSON.
    :raises BadField: something cannot be converted, or is too large.
    """
    start = data.find(b'"%b":{' % member.encode())
    at = len(data) if start < 0 else data.index(b"{", start) + 1
    head, table, begin = at, dict[str, _V](), at
    while (entry := _ENTRY(data, at)) is not None:
        if entry.end() - at > MAX_ENTRY:
            raise BadField(member, f"an entry of {entry.end() - at} bytes", "less")
        numbers = _NUMBERS(entry[0]) if entry.end() - at > STEP else None
        if numbers is not None:
            table |= _decode(data[begin:at], values)
            begin = entry.end()
            table |= yield from _decode_numbers(numbers[1], numbers[2], values)
        at = entry.end()
        if at - begin >= STEP:
            table |= _decode(data[begin:at], values)
            begin = at
            _check_count(member, table, limit)
            yield
    if at > begin:
        table |= _decode(data[begin:at], values)
        _check_count(member, table, limit)
    rest = data[:head] + data[at:]
    if len(rest) > MAX_REST:
        raise BadField("body", f"{len(rest)} bytes that cannot be cut", "less")
    return table, body.decode(rest)


def _decode(entries: bytes, values: type[_V]) -> dict[str, _V]:
    """Decode some entries, behind the last of which there may be a comma."""
    text = b"{" + entries.removesuffix(b",") + b"}"
    kind: type[dict[str, _V]] = dict[str, values]  # type: ignore[valid-type]
    return fastjson.decode_as(text, kind)


def _decode_numbers(
    name: bytes, numbers: bytes, values: type[_V]
) -> Generator[None, None, dict[str, _V]]:
    """Decode an entry that is a table of numbers, in steps."""
    found: dict[str, Any] = {}
    at = 0
    while at < len(numbers):
        end = numbers.find(b",", at + STEP)
        end = len(numbers) if end < 0 else end
        part = _decode(b"%b{%b}" % (name, numbers[at:end]), values)
        for key, some in part.items():
            found.setdefault(key, {}).update(some)
        at = end + 1
        yield
    return found


def _check_count(member: str, table: dict[str, _V], limit: int) -> None:
    """Check a table's size. :raises BadField: it has too many entries."""
    if len(table) > limit:
        raise BadField(member, f"{len(table)} entries or more", f"{limit} at most")
