"""
Attributes of a topic: which there are, and how a request alters them.

Requests spell changes ``+message.type=FIFO,-reserve.time``; a topic keeps bare names.

Source: ``TopicAttributes`` and ``AttributeUtil`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.wire.errors import BadField

#: The values that can be set. ``BatchCQ`` queues and compacted topics are the
#: original's too, but not offered here.
_VALUES: dict[str, frozenset[str]] = {
    "queue.type": frozenset({"SimpleCQ"}),
    "cleanup.policy": frozenset({"DELETE"}),
    "message.type": frozenset(
        {"UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED"}
    ),
}
_NUMBER = "reserve.time"
#: Once a topic is there, these stay as they are.
_FIXED = frozenset({"queue.type", "cleanup.policy"})


def altered(current: Mapping[str, str] | None, text: str | None) -> dict[str, str]:
    """
    Apply the changes of a request.

    :param current: the attributes of the topic; None if it is being created.
    :param text: the changes, between commas; None and empty are none.
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
        elif name not in _VALUES and name != _NUMBER:
            raise _unknown(name)
        if current is not None and name in _FIXED and current.get(name) != value:
            raise BadField("attributes", change, f"{name} unchanged: it is fixed")
        if equals:
            attributes[name] = value
        else:
            attributes.pop(name, None)
    return attributes


def _check(name: str, value: str) -> None:
    """Refuse unknown names and values."""
    if name == _NUMBER:
        if not value.removeprefix("-").isdecimal():
            raise BadField(name, value, "a whole number of ms, or -1")
    elif name not in _VALUES:
        raise _unknown(name)
    elif value not in _VALUES[name]:
        raise BadField(name, value, "one of " + ", ".join(sorted(_VALUES[name])))


def _unknown(name: str) -> BadField:
    """Say which attributes there are."""
    known = ", ".join(sorted((*_VALUES, _NUMBER)))
    return BadField("attributes", name, f"one of {known}")
