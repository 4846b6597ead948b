"""
The attributes of a topic, and how a request changes them.

Requests contain changes such as ``+message.type=FIFO,-reserve.time``; a topic stores
names without a sign.

Source: ``TopicAttributes`` and ``AttributeUtil`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.wire.errors import BadField

#: The supported values. Apache RocketMQ also has ``BatchCQ`` queues and compacted
#: topics, which are not supported here.
_VALUES: dict[str, frozenset[str]] = {
    "queue.type": frozenset({"SimpleCQ"}),
    "cleanup.policy": frozenset({"DELETE"}),
    "message.type": frozenset(
        {
            "UNSPECIFIED",
            "NORMAL",
            "FIFO",
            "DELAY",
            "TRANSACTION",
            "PRIORITY",
            "MIXED",
        }
    ),
}
_NUMBER = "reserve.time"
#: These cannot be changed after the topic was created.
_FIXED = frozenset({"queue.type", "cleanup.policy"})


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
    """Return the error for an unknown attribute, which lists the known ones."""
    known = ", ".join(sorted((*_VALUES, _NUMBER)))
    return BadField("attributes", name, f"one of {known}")
