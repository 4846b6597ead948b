"""
A consumer group: how it consumes, and what a broker allows it to do.

Source: ``SubscriptionGroupConfig``, ``MessageModel``, ``ConsumeType`` and
``ConsumeFromWhere`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

#: The producer group that every Java client instance registers for its own use.
CLIENT_INNER_PRODUCER_GROUP = "CLIENT_INNER_PRODUCER"
DEFAULT_PRODUCER_GROUP = "DEFAULT_PRODUCER"
#: System groups start with this; a broker creates them on demand.
SYSTEM_GROUP_PREFIX = "CID_RMQ_SYS_"
TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS"
TOOLS_CONSUMER_GROUP = "TOOLS_CONSUMER"

#: The groups that every broker has from its start, with default settings.
PREDEFINED_GROUPS = (
    TOOLS_CONSUMER_GROUP,
    "FILTERSRV_CONSUMER",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
    TRANSACTION_GROUP,
)


class MessageModel(StrEnum):
    """Whether a message goes to all members of a group or to one."""

    BROADCASTING = "BROADCASTING"
    CLUSTERING = "CLUSTERING"


class ConsumeType(StrEnum):
    """Who fetches: the application (actively), or the client for it (passively)."""

    CONSUME_ACTIVELY = "CONSUME_ACTIVELY"
    CONSUME_PASSIVELY = "CONSUME_PASSIVELY"
    CONSUME_POP = "CONSUME_POP"


class ConsumeFrom(StrEnum):
    """Where a group without stored offsets starts; the middle three are deprecated."""

    CONSUME_FROM_LAST_OFFSET = "CONSUME_FROM_LAST_OFFSET"
    CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST = (
        "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST"
    )
    CONSUME_FROM_MIN_OFFSET = "CONSUME_FROM_MIN_OFFSET"
    CONSUME_FROM_MAX_OFFSET = "CONSUME_FROM_MAX_OFFSET"
    CONSUME_FROM_FIRST_OFFSET = "CONSUME_FROM_FIRST_OFFSET"
    CONSUME_FROM_TIMESTAMP = "CONSUME_FROM_TIMESTAMP"


class CustomizedRetryPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """The delay before each redelivery, listed one by one."""

    #: Milliseconds before the first, second, ... redelivery; the last one repeats.
    next: tuple[int, ...] = ()


class ExponentialRetryPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """A delay that grows by a factor. ``initial`` and ``max`` are milliseconds."""

    initial: int = 5000
    max: int = 7200000
    multiplier: int = 2


class RetryPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """How long a message waits before it is delivered again; used by pop only."""

    #: ``CUSTOMIZED`` or ``EXPONENTIAL``.
    type: str = "CUSTOMIZED"
    exponential_retry_policy: ExponentialRetryPolicy | None = None
    customized_retry_policy: CustomizedRetryPolicy | None = None


class GroupSubscription(msgspec.Struct, frozen=True, rename="camel"):
    """One subscription in a group's configuration (5.x)."""

    topic: str
    expression_type: str | None = None
    expression: str | None = None
    version: int = 0


class SubscriptionGroup(msgspec.Struct, frozen=True, rename="camel"):
    """The settings of a consumer group at a broker. The defaults are Java's."""

    group_name: str
    consume_enable: bool = True
    consume_from_min_enable: bool = True
    consume_broadcast_enable: bool = True
    consume_message_orderly: bool = False
    retry_queue_nums: int = 1
    #: A message that failed more often than this becomes a dead letter.
    retry_max_times: int = 16
    group_retry_policy: RetryPolicy = RetryPolicy()
    broker_id: int = 0
    which_broker_when_consume_slowly: int = 1
    notify_consumer_ids_changed_enable: bool = True
    group_sys_flag: int = 0
    consume_timeout_minute: int = 15
    subscription_data_set: tuple[GroupSubscription, ...] | None = None
    attributes: dict[str, str] = {}
