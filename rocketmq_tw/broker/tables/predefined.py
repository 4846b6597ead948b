"""
The topics that a broker has from its start.

Source: ``TopicConfigManager.init`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rocketmq_tw.model import topic as names
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.model.topic import (
    AUTO_CREATE_TOPIC,
    PERM_INHERIT,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    check_topic_name,
    is_dlq,
    is_lmq,
    is_retry,
)

_READ_WRITE = PERM_READ | PERM_WRITE
_ALL = _READ_WRITE | PERM_INHERIT

#: The number of queues of ``SCHEDULE_TOPIC_XXXX``, one for each delay level.
DELAY_LEVELS = 18
REVIVE_QUEUES = 8
BENCHMARK_QUEUES = 1024
#: The least number of queues of a restored topic: a producer's default.
_RESTORED_QUEUES = 4


def default_topics(
    cluster: str,
    broker_name: str,
    *,
    default_topic_queue_nums: int = 8,
    auto_create: bool = True,
    cluster_topic: bool = True,
    broker_topic: bool = True,
    timer_wheel: bool = False,
    trace_topic: str = "",
) -> Iterator[TopicConfig]:
    """
    Yield the topics that a broker has from its start.

    :param trace_topic: the topic of message traces; empty for none.

    Source: ``TopicConfigManager.init``.
    """
    yield made(names.SELF_TEST_TOPIC, 1)
    if auto_create:
        yield made(AUTO_CREATE_TOPIC, default_topic_queue_nums, _ALL)
    yield made(names.BENCHMARK_TOPIC, BENCHMARK_QUEUES)
    yield made(cluster, 16, _ALL if cluster_topic else PERM_INHERIT)
    yield made(broker_name, 1, _ALL if broker_topic else PERM_INHERIT)
    yield made(names.OFFSET_MOVED_EVENT, 1)
    yield made(names.SCHEDULE_TOPIC, DELAY_LEVELS)
    yield made(names.reply_topic(cluster), 1)
    yield made(names.REVIVE_LOG_PREFIX + cluster, REVIVE_QUEUES)
    yield made(names.SYNC_BROKER_MEMBER_PREFIX + broker_name, 1, PERM_INHERIT)
    yield made(names.TRANS_HALF_TOPIC, 1)
    yield made(names.TRANS_OP_HALF_TOPIC, 1)
    if timer_wheel:
        yield made(names.TIMER_TOPIC, 1)
    if trace_topic:
        yield made(trace_topic, 1)


def made(
    name: str,
    queues: int,
    perm: int = _READ_WRITE,
    sys_flag: int = 0,
    order: bool = False,
) -> TopicConfig:
    """Return a topic with as many readable as writeable queues."""
    return TopicConfig(name, queues, queues, perm, topic_sys_flag=sys_flag, order=order)


def restored_topic(name: str, ids: Sequence[int]) -> TopicConfig:
    """Return a topic of which only the ids of its queues are known."""
    least = 1 if is_retry(name) or is_dlq(name) else _RESTORED_QUEUES
    return made(name, max(*ids, least - 1) + 1)


def is_client_topic(name: str) -> bool:
    """Return whether clients could have created a topic of this name."""
    try:
        check_topic_name(name)
    except IllegalTopic:
        return False
    return not is_lmq(name)
