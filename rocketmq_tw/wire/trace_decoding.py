"""
Reads the records of message traces; :mod:`rocketmq_tw.wire.trace` has their layout.

Clients of all ages write them: what came later is missing in old records, and a record
may have more items than are known here.

Source: ``TraceDataEncoder`` and ``TraceView`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

_BETWEEN: Final = "\x01"
_BEHIND: Final = "\x02"
_NULL: Final = "null"


class TraceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """
    One record; what it does not say is None.

    :ivar kind: ``Pub``, ``SubBefore``, ``SubAfter``, ``EndTransaction``, ``Recall``.
    :ivar message_id: for a batch all of them, with commas between.
    :ivar host: the broker's, as ``host:port``.
    :ivar message_kind: a number of :class:`~rocketmq_tw.wire.trace.TracedKind`.
    :ivar outcome: a number of :class:`~rocketmq_tw.wire.trace.ConsumeOutcome`.
    :ivar request_id: the same in the records before and after a consumption.
    """

    kind: str
    message_id: str
    time_ms: int | None = None
    region: str | None = None
    group: str | None = None
    topic: str | None = None
    tags: str | None = None
    keys: str | None = None
    host: str | None = None
    size: int | None = None
    cost_ms: int | None = None
    message_kind: int | None = None
    offset_id: str | None = None
    success: bool | None = None
    request_id: str | None = None
    retries: int | None = None
    outcome: int | None = None
    transaction_id: str | None = None
    state: str | None = None
    from_check: bool | None = None


#: The items of each kind, and how many of them the oldest clients write.
_LAYOUTS: Final[Mapping[str, tuple[int, Sequence[str]]]] = {
    "Pub": (
        12,
        "time_ms region group topic message_id tags keys host size cost_ms message_kind"
        " offset_id success".split(),
    ),
    "SubBefore": (
        7,
        "time_ms region group request_id message_id retries keys".split(),
    ),
    "SubAfter": (
        5,
        "request_id message_id cost_ms success keys outcome time_ms group".split(),
    ),
    "EndTransaction": (
        12,
        "time_ms region group topic message_id tags keys host message_kind"
        " transaction_id state from_check".split(),
    ),
    "Recall": (6, "time_ms region group topic message_id success".split()),
}
#: Of ``Pub`` before 4.5, which has no offset id.
_OLD_PUB: Final = (
    "time_ms region group topic message_id tags keys host size cost_ms message_kind"
    " success".split()
)


def decode_records(body: bytes) -> tuple[list[TraceRecord], int]:
    """
    Decode the body of a trace message.

    :returns: the records, and how many others could not be read.
    """
    found: list[TraceRecord] = []
    unreadable = 0
    for text in body.decode("utf-8", "replace").split(_BEHIND):
        if not text:
            continue
        record = _decode(text.split(_BETWEEN))
        if record is None:
            unreadable += 1
        else:
            found.append(record)
    return found, unreadable


def _decode(items: Sequence[str]) -> TraceRecord | None:
    """Return a record; None if it is not one."""
    kind, *values = items
    fewest, names = _LAYOUTS.get(kind, (0, ()))
    if not names or len(values) < fewest:
        return None
    if kind == "Pub" and len(values) == fewest:
        names = _OLD_PUB
    given = {
        name: _READ.get(name, str)(value)
        for name, value in zip(names, values, strict=False)
        if value and value != _NULL
    }
    if None in given.values() or "message_id" not in given:
        return None
    return msgspec.convert({"kind": kind, **given}, TraceRecord)


def _number(text: str) -> int | None:
    """Return a number; None if it is none that Java has."""
    if not text.removeprefix("-").isdecimal() or len(text) > _LONGEST_NUMBER:
        return None
    return int(text)


def _truth(text: str) -> bool:
    """Return what Java reads: anything but ``true`` is false."""
    return text.lower() == "true"


_LONGEST_NUMBER: Final = 20
_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "time_ms": _number,
    "size": _number,
    "cost_ms": _number,
    "message_kind": _number,
    "retries": _number,
    "outcome": _number,
    "success": _truth,
    "from_check": _truth,
}
