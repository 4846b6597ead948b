"""
Checks the entries of configuration documents like what requests bring.

A document may have been written by another program, or by hand. An entry that no
request could have made is left out and named in the log; the others are used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from twisted.logger import Logger

from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import TopicConfig, check_group_name, check_topic_name
from rocketmq_tw.wire.errors import BadField

#: The most queues that a topic may have.
MAX_QUEUES = 65_535
#: Characters of a name that a table keeps and that has no rule of its own: the id of a
#: client, the name of a producer group.
MAX_NAME = 255
#: Characters that the attributes and subscriptions of a group may have together.
MAX_GROUP_SIZE = 8192
#: What a subscription counts besides its texts.
_SUBSCRIPTION = 100
#: All permission bits together.
ALL_PERMISSIONS = 15
_MAX_INT = 2**31 - 1
#: Entries, or offsets, that are checked in one step: a millisecond.
_AT_ONCE = 1000
#: The largest offset.
MAX_LONG = 2**63 - 1

_V = TypeVar("_V")
_log = Logger()


def usable(
    path: str, entries: Mapping[str, _V], check: Callable[[str, _V], None]
) -> dict[str, _V]:
    """
    Return the entries that pass a check; log how many do not, and why the first.

    :param path: the document's, for the log.
    :param check: raises IllegalName or BadField.
    """
    steps = usable_in_steps(path, entries, check)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: dict[str, _V] = end.value
        return result


def usable_in_steps(
    path: str, entries: Mapping[str, _V], check: Callable[[str, _V], None]
) -> Generator[None, None, dict[str, _V]]:
    """Do as :func:`usable`; a step checks some of the entries."""
    kept: dict[str, _V] = {}
    errors: list[str] = []
    size = 0
    for name, value in entries.items():
        try:
            check(name, value)
        except (IllegalName, BadField) as error:
            errors.append(str(error))
        else:
            kept[name] = value
        size += len(value) if isinstance(value, Mapping) else 1
        if size >= _AT_ONCE:
            size = 0
            yield
    if errors:
        _log.warn(
            "{count} entries of {path} are left out; the first: {why}",
            count=len(errors),
            path=path,
            why=errors[0],
        )
    return kept


def check_topic_settings(name: str, config: TopicConfig) -> None:
    """
    Check an entry of ``topics.json``, but not whether the name is legal.

    :raises BadField: a setting is out of range.
    """
    if config.topic_name != name:
        raise BadField("topicName", config.topic_name, name)
    check_range("readQueueNums", config.read_queue_nums, MAX_QUEUES)
    check_range("writeQueueNums", config.write_queue_nums, MAX_QUEUES)
    check_range("perm", config.perm, ALL_PERMISSIONS)


def check_group(name: str, group: SubscriptionGroup) -> None:
    """
    Check an entry of ``subscriptionGroup.json``, or what a request makes of a group.

    :raises IllegalGroup: there can be no group of that name.
    :raises BadField: a setting is out of range.
    """
    check_group_name(name)
    if group.group_name != name:
        raise BadField("groupName", group.group_name, name)
    size = sum(len(key) + len(text) for key, text in group.attributes.items())
    for each in group.subscription_data_set or ():
        size += len(each.topic) + len(each.expression or "")
        size += len(each.expression_type or "") + _SUBSCRIPTION
    if size > MAX_GROUP_SIZE:
        raise BadField("attributes", f"of {size} characters", f"{MAX_GROUP_SIZE}")
    # Less than one queue switches redelivery off.
    check_range("retryQueueNums", max(0, group.retry_queue_nums), MAX_QUEUES)


def check_offsets(key: str, offsets: Mapping[int, int]) -> None:
    """
    Check an entry of ``consumerOffset.json``; offsets below zero pass.

    :param key: ``topic@group``.
    :raises IllegalName: there can be no such topic or group.
    :raises BadField: a number is out of range.
    """
    if len(offsets) > MAX_QUEUES:
        raise BadField("offsetTable", f"{len(offsets)} queues", f"{MAX_QUEUES}")
    topic, _, group = key.partition("@")
    check_topic_name(topic)
    check_group_name(group)
    for queue_id, offset in offsets.items():
        check_range("queueId", queue_id, _MAX_INT)
        check_range("offset", max(0, offset), MAX_LONG)


def check_range(field: str, value: int, largest: int) -> None:
    """Check a number. :raises BadField: it is below 0 or above ``largest``."""
    if not 0 <= value <= largest:
        raise BadField(field, str(value), f"0 to {largest}")
