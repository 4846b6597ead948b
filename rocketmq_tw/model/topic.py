"""
A topic: its name and the rules for names, its permissions and settings.

Source: ``TopicConfig``, ``TopicValidator``, ``PermName`` and ``MixAll`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from rocketmq_tw.model.errors import IllegalGroup, IllegalName, IllegalTopic

# -- permissions: bits of ``perm`` --------------------------------------------------

#: The topic can be the default topic, from which others are created.
PERM_INHERIT = 1
PERM_WRITE = 2
PERM_READ = 4

# -- bits of ``topic_sys_flag`` -----------------------------------------------------

FLAG_UNIT = 1
FLAG_UNIT_SUB = 2

# -- reserved names -----------------------------------------------------------------

RETRY_PREFIX = "%RETRY%"
DLQ_PREFIX = "%DLQ%"
LMQ_PREFIX = "%LMQ%"
SYSTEM_PREFIX = "rmq_sys_"

#: The default topic: others are created with its permissions.
AUTO_CREATE_TOPIC = "TBW102"
SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"
BENCHMARK_TOPIC = "BenchmarkTest"
TRANS_HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC"
TRANS_OP_HALF_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
TRANS_CHECK_MAX_TIME_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC"
TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC"
SELF_TEST_TOPIC = "SELF_TEST_TOPIC"
OFFSET_MOVED_EVENT = "OFFSET_MOVED_EVENT"
CHECKPOINT_TOPIC = "CHECKPOINT_TOPIC"
TIMER_TOPIC = "rmq_sys_wheel_timer"
REVIVE_LOG_PREFIX = "rmq_sys_REVIVE_LOG_"
SYNC_BROKER_MEMBER_PREFIX = "rmq_sys_SYNC_BROKER_MEMBER_"

#: System topics with fixed names; those with the system prefix are system topics too.
SYSTEM_TOPICS = frozenset(
    (
        AUTO_CREATE_TOPIC,
        SCHEDULE_TOPIC,
        BENCHMARK_TOPIC,
        TRANS_HALF_TOPIC,
        TRANS_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        TRACE_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
        CHECKPOINT_TOPIC,
    )
)

#: The topics that clients must not send to.
NOT_SENDABLE = frozenset(
    (
        SCHEDULE_TOPIC,
        TRANS_HALF_TOPIC,
        TRANS_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
        # Apache RocketMQ delivers what clients send there, to whatever topic.
        TIMER_TOPIC,
    )
)

# -- lengths, in UTF-16 units as Java counts them (all legal names are ASCII) --------

TOPIC_MAX_LENGTH = 127
RETRY_TOPIC_MAX_LENGTH = 255
GROUP_MAX_LENGTH = 120

_LEGAL_NAME = re.compile(r"[%|a-zA-Z0-9_-]+")


class TopicFilterType(StrEnum):
    """How many tags a message of the topic may have; both are hashed the same way."""

    SINGLE_TAG = "SINGLE_TAG"
    MULTI_TAG = "MULTI_TAG"


class TopicConfig(msgspec.Struct, frozen=True, rename="camel"):
    """The settings of a topic at a broker. The defaults are Java's."""

    topic_name: str
    read_queue_nums: int = 16
    write_queue_nums: int = 16
    perm: int = PERM_READ | PERM_WRITE
    topic_filter_type: TopicFilterType = TopicFilterType.SINGLE_TAG
    topic_sys_flag: int = 0
    order: bool = False
    #: Names without a sign, e.g. ``message.type``; only requests write ``+name=value``.
    attributes: dict[str, str] = {}


def is_readable(perm: int) -> bool:
    """Return whether consumers may read under these permission bits."""
    return bool(perm & PERM_READ)


def is_writable(perm: int) -> bool:
    """Return whether producers may write under these permission bits."""
    return bool(perm & PERM_WRITE)


def retry_topic(group: str) -> str:
    """Return the topic for messages that a group has to consume again."""
    return RETRY_PREFIX + group


def dlq_topic(group: str) -> str:
    """Return the topic of a group's dead letters."""
    return DLQ_PREFIX + group


def pop_retry_topic(group: str, topic: str) -> str:
    """Return the retry topic of a group that uses pop, in the 5.x default form (v1)."""
    return f"{RETRY_PREFIX}{group}_{topic}"


def pop_retry_topic_v2(group: str, topic: str) -> str:
    """
    Return the retry topic of a group that uses pop, v2: ``+`` is in no other name.
    """
    return f"{RETRY_PREFIX}{group}+{topic}"


def reply_topic(cluster: str) -> str:
    """Return the topic of a cluster's replies to requests."""
    return f"{cluster}_REPLY_TOPIC"


def is_retry(topic: str) -> bool:
    """Return whether the topic is a group's retry topic."""
    return topic.startswith(RETRY_PREFIX)


def is_dlq(topic: str) -> bool:
    """Return whether the topic holds a group's dead letters."""
    return topic.startswith(DLQ_PREFIX)


def is_lmq(topic: str) -> bool:
    """Return whether the name is that of a light message queue."""
    return topic.startswith(LMQ_PREFIX)


def check_topic_name(name: str) -> None:
    """
    Check that a topic's name is legal.

    :raises IllegalTopic: the name is blank, too long, or has a character other than
        ``%|a-zA-Z0-9_-``.

    Source: ``TopicValidator.validateTopic``.
    """
    special = is_retry(name) or is_dlq(name)
    limit = RETRY_TOPIC_MAX_LENGTH if special else TOPIC_MAX_LENGTH
    _check_name(name, limit, IllegalTopic)


def check_group_name(name: str) -> None:
    """
    Check that the name of a producer or consumer group is legal.

    :raises IllegalGroup: the name is blank, longer than 120, or has a character
        other than ``%|a-zA-Z0-9_-``.

    Source: ``TopicValidator.validateGroup``.
    """
    _check_name(name, GROUP_MAX_LENGTH, IllegalGroup)


def _check_name(name: str, limit: int, error: type[IllegalName]) -> None:
    """Raise ``error`` with the reason if the name is not legal."""
    if not name or name.isspace():
        raise error(name, f"the {error.kind} is blank")
    if not _LEGAL_NAME.fullmatch(name):
        raise error(
            name, "it contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
        )
    if len(name) > limit:
        raise error(name, f"it is longer than {error.kind} max length: {limit}")
