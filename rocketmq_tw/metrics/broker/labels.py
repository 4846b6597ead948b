"""The labels of topics, groups and clients, as Apache RocketMQ has them."""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.metrics.text import Values
from rocketmq_tw.model.group import PREDEFINED_GROUPS, SYSTEM_GROUP_PREFIX
from rocketmq_tw.model.topic import is_retry, pop_retry_topic, pop_retry_topic_v2

#: The versions from 4.0.0 to 5.9.9 have two numbers each, the first for a snapshot.
_FIRST, _LAST, _OFFSET = 212, 611, 587


def truth(value: bool) -> str:
    """Return a label that is true or false."""
    return "true" if value else "false"


def version_label(ordinal: int) -> str:
    """Return the label of a client's version: ``v5_5_1``."""
    if not _FIRST <= ordinal <= _LAST:
        return str(ordinal)
    number = (ordinal + _OFFSET + 1) // 2
    snapshot = "" if (ordinal + _OFFSET) % 2 == 0 else "_snapshot"
    return f"v{number // 100}_{number // 10 % 10}_{number % 10}{snapshot}"


class GroupLabels:
    """
    Makes the labels of a topic and a group that reads it.

    The topic of what is popped again counts as the one it was popped from. There are
    two forms of its name; the one that this broker does not write keeps its name.

    :param retry_v2: which form that is.
    """

    def __init__(self, is_system: Callable[[str], bool], retry_v2: bool) -> None:
        self._is_system = is_system
        self._start = pop_retry_topic_v2 if retry_v2 else pop_retry_topic

    def of(self, topic: str, group: str) -> Values:
        """Return topic, consumer_group, is_system and is_retry."""
        again = is_retry(topic)
        if again:
            start = self._start(group, "")
            topic = topic.removeprefix(start) or topic
        system = self._is_system(topic) or self.is_system_group(group)
        return topic, group, truth(system), truth(again)

    def is_system_group(self, group: str) -> bool:
        """Return whether a group is one of the system's."""
        return group in PREDEFINED_GROUPS or group.startswith(SYSTEM_GROUP_PREFIX)


GROUP_LABELS = ("topic", "consumer_group", "is_system", "is_retry")
