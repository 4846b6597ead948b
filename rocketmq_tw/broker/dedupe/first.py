"""
What is read of the first message under a key, when the key comes again.

Bodies are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rocketmq_tw.store.index.keys import unique_key
from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.wire.record import Checked, check


class First(msgspec.Struct, frozen=True, gc=False):
    """A message that was stored."""

    topic: bytes
    queue_id: int
    key: bytes | None
    stored: Appended


def first_of(data: bytes | memoryview, at: int = 0) -> First | None:
    """Read a record; None if there is none."""
    view = memoryview(data)
    facts = check(view, at, len(view), False)
    if not isinstance(facts, Checked):
        return None
    stored = Appended(
        facts.commit_log_offset, facts.size, facts.queue_offset, facts.store_time_ms
    )
    return First(facts.topic, facts.queue_id, unique_key(facts.properties), stored)


def firsts_of(data: bytes) -> Iterator[First]:
    """Read records that are back to back."""
    at = 0
    while (found := first_of(data, at)) is not None:
        yield found
        at += found.stored.size
