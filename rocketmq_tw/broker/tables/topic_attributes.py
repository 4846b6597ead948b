"""
The attributes of a topic, and how a request changes them.

Requests contain changes such as ``+message.type=FIFO,-reserve.time``; a topic stores
names without a sign.

Source: ``TopicAttributes`` and ``AttributeUtil`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rocketmq_tw.wire.errors import BadField

#: The attribute with the kind of messages, and the kind with priorities.
_TYPE, _PRIORITY = "message.type", "PRIORITY"
#: The supported values. Apache RocketMQ also has ``BatchCQ`` queues and compacted
#: topics, which are not supported here.
_VALUES: dict[str, frozenset[str]] = {
    "queue.type": frozenset({"SimpleCQ"}),
    "cleanup.policy": frozenset({"DELETE"}),
    _TYPE: frozenset(
        {
            "UNSPECIFIED",
            "NORMAL",
            "FIFO",
            "DELAY",
            "TRANSACTION",
            _PRIORITY,
            "MIXED",
        }
    ),
}
_NUMBER = "reserve.time"
#: For how long a message with the same unique key is not stored again; not in Apache
#: RocketMQ, which keeps it and does nothing.
_WINDOW = "dedupe.window"
_WINDOW_FORM = re.compile("([1-9][0-9]{0,7})([smh])")
_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000}
#: The longest window.
_MAX_WINDOW_MS = 24 * 3_600_000
#: These cannot be changed after the topic was created.
_FIXED = frozenset({"queue.type", "cleanup.policy"})


class UnknownAttribute(BadField):
    """There is no such attribute; the sentence begins as that of Apache RocketMQ."""

    def __str__(self) -> str:
        return f"unsupported key: {self.found}; expected {self.expected}"


def altered(current: Mapping[str, str] | None, text: str | None) -> dict[str, str]:
    """
    Return the attributes after the changes of a request.

    :param current: the attributes of the topic; None if it is being created.
    :param text: the changes, separated by commas; None and empty change nothing.
    :returns: the attributes afterwards.
    :raises BadField: a change cannot be read, or is not allowed.
    """
    attributes = dict(current or {})
    for change in filter(None, map(str.strip, (text or "").split(","))):
        name, equals, value = change[1:].partition("=")
        if change[0] == "+" and equals:
            _check(name, value)
        elif change[0] != "-" or equals or current is None:
            raise BadField("attributes", change, "+name=value, or -name to remove")
        elif name not in _VALUES and name not in (_NUMBER, _WINDOW):
            raise _unknown(name)
        if current is not None and name in _FIXED and current.get(name) != value:
            raise BadField("attributes", change, f"{name} unchanged: it is fixed")
        if equals:
            attributes[name] = value
        else:
            attributes.pop(name, None)
    return attributes


def dedupe_window_ms(attributes: Mapping[str, str]) -> int:
    """Return the window of a topic, in ms; 0 without one, or if it cannot be read."""
    found = _WINDOW_FORM.fullmatch(attributes.get(_WINDOW, ""))
    if found is None:
        return 0
    length_ms = int(found[1]) * _UNITS_MS[found[2]]
    return length_ms if length_ms <= _MAX_WINDOW_MS else 0


def has_priorities(attributes: Mapping[str, str]) -> bool:
    """Return whether each queue of a topic has a priority."""
    return attributes.get(_TYPE) == _PRIORITY


def _check(name: str, value: str) -> None:
    """Refuse unknown names and values."""
    if name == _NUMBER:
        if not value.removeprefix("-").isdecimal():
            raise BadField(name, value, "a whole number of ms, or -1")
    elif name == _WINDOW:
        if not dedupe_window_ms({_WINDOW: value}):
            raise BadField(name, value, "a time such as 30s, 10m or 1h, up to 24h")
    elif name not in _VALUES:
        raise _unknown(name)
    elif value not in _VALUES[name]:
        raise BadField(name, value, "one of " + ", ".join(sorted(_VALUES[name])))


def _unknown(name: str) -> BadField:
    """Return the error for an unknown attribute, which lists the known ones."""
    known = ", ".join(sorted((*_VALUES, _NUMBER, _WINDOW)))
    return UnknownAttribute("attributes", name, f"one of {known}")
