"""
Bodies with large tables or lists: encoded entry by entry, and put together at the end.

To encode 50,000 entries at once takes 20 ms and more. So what may be large is encoded
in steps, or kept as it was encoded, and put into the body that is encoded without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rocketmq_tw.wire import fastjson


def encode_entry(key: str, value: Any) -> bytes:
    """Encode an entry of a table: the key, a colon, the value."""
    return fastjson.dumps({key: value})[1:-1]


def fill(body: bytes, member: bytes, entries: Iterable[bytes]) -> bytes:
    """
    Put entries into an encoded body.

    :param member: the name with the empty table or list, as in
        ``b'"topicConfigTable":{}'``.
    :param entries: encoded; or several of them, joined by commas.
    """
    # The last: names in a table before it may be the same.
    before, name, after = body.rpartition(member)
    assert name, f"the body has no empty {member!r}"
    parts = [before, name[:-1]]
    for entry in entries:
        parts += (entry, b",")
    # A large text is copied once: the last comma becomes the end.
    parts[2:] = (*parts[2:-1], name[-1:], after)
    return b"".join(parts)
