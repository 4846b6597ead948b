"""
Decodes large tables in steps.

To decode a table of 50,000 entries at once takes 50 ms and more. So the text is cut
between entries, and some entries are decoded in each step. Only texts without spaces,
as RocketMQ writes them, can be cut; others must be small. An entry that is a table of
numbers, such as the offsets of a group in a topic of 65,000 queues, is cut as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.errors import BadField

_V = TypeVar("_V")
_B = TypeVar("_B", bound=Body)

#: Bytes of JSON that are decoded in one step: some 2 ms, or 15 if it is written as only
#: Java reads it. Texts are cut between entries that have no more.
STEP = 64 << 10
#: The most bytes of an entry that is a table of numbers.
MAX_NUMBERS = 2 << 20
#: How deep values may be nested.
DEPTH = 6

#: A pattern for a string. The repeats cannot give way, so that each byte is looked at
#: once.
STRING = rb'"(?:[^"\\]++|\\.)*+"'


def nested(depth: int) -> bytes:
    """Return a pattern for tables and lists that are nested so deep at most."""
    inner = rb"|" + nested(depth - 1) if depth > 1 else b""
    return rb'[{\[](?:[^{}\[\]"]++|%b%b)*+[}\]]' % (STRING, inner)


_ENTRY = re.compile(
    rb'%b:(?:[^,{}\[\]"]++|%b|%b)(?:,|(?=\}))' % (STRING, STRING, nested(DEPTH)),
    re.DOTALL,
).match

#: An entry that is a table of numbers: its name with the colon, and the numbers.
_NUMBERS = re.compile(rb'(%b:)\{([-0-9",:]*+)\}(?:,|(?=\}))' % STRING, re.DOTALL).match


def decode_in_steps(
    data: bytes, member: str, values: type[_V], body: type[_B], limit: int
) -> Generator[None, None, tuple[dict[str, _V], _B]]:
    """
    Decode a body with a large table.

    :param body: the type of the whole. What was not cut is read like a request.
    :returns: of the generator: the table, and the body; its own has some entries or
        none.
    :raises MalformedJson: the text is not JSON.
    :raises BadField: something cannot be converted, or is too large.

    The other parameters are those of :func:`cut_in_steps`.
    """
    table, rest = yield from cut_in_steps(data, member, values, limit)
    whole = body.decode_request(rest)
    names = dict(
        zip(body.__struct_encode_fields__, body.__struct_fields__, strict=True)
    )
    table |= getattr(whole, names[member])
    _check_count(member, table, limit)
    return table, whole


def cut_in_steps(
    data: bytes,
    member: str,
    values: type[_V],
    limit: int,
    *,
    max_size: int = 1 << 31,
    keep: Callable[[_V], _V] | None = None,
) -> Generator[None, None, tuple[dict[str, _V], bytes]]:
    """
    Decode the entries of a large table, and cut them out of the text.

    :param member: the name of the table in the body.
    :param values: the type of the table's values.
    :param limit: the most entries that the table may have.
    :param max_size: the most bytes that the table may have.
    :param keep: returns what is to be kept of a value; None for all.
    :returns: of the generator: the entries, and the text without them.
    :raises MalformedJson: an entry is not JSON.
    :raises BadField: one cannot be converted, or is too large, or there are too many.
    """
    start = data.find(b'"%b":{' % member.encode())
    at = len(data) if start < 0 else data.index(b"{", start) + 1
    head, table, begin = at, dict[str, _V](), at
    while True:
        entry = _ENTRY(data, at, at + STEP)
        if entry is None:
            numbers = _NUMBERS(data, at, at + MAX_NUMBERS)
            if numbers is None:
                break
            table |= _decode(data[begin:at], values)
            at = begin = numbers.end()
            table |= yield from _decode_numbers(numbers[1], numbers[2], values)
            continue
        at = entry.end()
        if at - begin >= STEP:
            _check_size(member, at - head, max_size)
            table |= _decode(data[begin:at], values, keep)
            begin = at
            _check_count(member, table, limit)
            yield
    if at > begin:
        _check_size(member, at - head, max_size)
        table |= _decode(data[begin:at], values, keep)
        _check_count(member, table, limit)
    return table, data[:head] + data[at:] if at > head else data


def _decode(
    entries: bytes, values: type[_V], keep: Callable[[_V], _V] | None = None
) -> dict[str, _V]:
    """Decode some entries, behind the last of which there may be a comma."""
    text = b"{" + entries.removesuffix(b",") + b"}"
    kind: type[dict[str, _V]] = dict[str, values]  # type: ignore[valid-type]
    found = fastjson.decode_as(text, kind)
    return found if keep is None else {name: keep(v) for name, v in found.items()}


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


def _check_size(member: str, size: int, limit: int) -> None:
    """Check a table's text. :raises BadField: it is too long."""
    if size > limit:
        raise BadField(member, f"{size} bytes or more", f"{limit} at most")


def _check_count(member: str, table: dict[str, _V], limit: int) -> None:
    """Check a table's size. :raises BadField: it has too many entries."""
    if len(table) > limit:
        raise BadField(member, f"{len(table)} entries or more", f"{limit} at most")
