"""
The attributes of a group, and how a request changes them.

As those of topics (:mod:`~rocketmq_tw.broker.tables.topic_attributes`), a request has
names with a sign: ``+priority.factor`` sets one, ``-priority.factor`` removes it, and
what is not named stays. A name without a sign sets one, too, so that a tool may send
back the settings that it was shown; Apache RocketMQ refuses that.

Source: ``SubscriptionGroupAttributes`` and ``AttributeUtil`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.properties import whole_number

#: How many pops of a hundred begin with the highest priority.
PRIORITY_FACTOR = "priority.factor"
#: The largest factor, and what counts without one.
ALWAYS = 100
#: Attributes that begin so are for topics that are not here.
_LITE = "lite."


def altered(
    current: Mapping[str, str] | None, changes: Mapping[str, str]
) -> dict[str, str]:
    """
    Return the attributes after the changes of a request.

    :param current: those of the group; None if it is being created.
    :raises BadField: a change cannot be made.
    """
    attributes = dict(current or {})
    for key, value in changes.items():
        name = key[1:] if key[:1] in ("+", "-") else key
        if name.startswith(_LITE):
            raise BadField("attributes", key, "no lite topics: they are not supported")
        if name != PRIORITY_FACTOR:
            raise BadField("attributes", key, f"{PRIORITY_FACTOR}, with + or -")
        if key.startswith("-"):
            attributes.pop(name, None)
            continue
        if not _is_factor(value):
            raise BadField(name, value, f"0 to {ALWAYS}")
        attributes[name] = value
    return attributes


def priority_factor(attributes: Mapping[str, str]) -> int:
    """Return a group's factor, also if another program has stored something else."""
    text = attributes.get(PRIORITY_FACTOR, "")
    return int(text) if _is_factor(text) else ALWAYS


def _is_factor(text: str) -> bool:
    """Return whether a text is a percentage."""
    found = whole_number(text, len(str(ALWAYS)))
    return found is not None and found <= ALWAYS
