"""
The report of a consumer about its state.

Source: ``ConsumerRunningInfo``, ``ProcessQueueInfo``, ``PopProcessQueueInfo``,
``ConsumeStatus`` and ``ConsumeMessageDirectlyResult`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import StrEnum

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.body import Body, camel_but

# -- keys of ``properties`` that mqadmin reads ----------------------------------------

PROP_NAMESERVER_ADDR = "PROP_NAMESERVER_ADDR"
PROP_THREADPOOL_CORE_SIZE = "PROP_THREADPOOL_CORE_SIZE"
PROP_CONSUME_ORDERLY = "PROP_CONSUMEORDERLY"
PROP_CONSUME_TYPE = "PROP_CONSUME_TYPE"
PROP_CLIENT_VERSION = "PROP_CLIENT_VERSION"
PROP_CONSUMER_START_TIMESTAMP = "PROP_CONSUMER_START_TIMESTAMP"


class ProcessQueueInfo(
    Body,
    frozen=True,
    rename=camel_but(cached_msg_size_in_mib="cachedMsgSizeInMiB", dropped="droped"),
):
    """The messages of one queue that are pulled and not consumed yet. Times in ms."""

    commit_offset: int = 0
    cached_msg_min_offset: int = 0
    cached_msg_max_offset: int = 0
    cached_msg_count: int = 0
    cached_msg_size_in_mib: int = 0
    transaction_msg_min_offset: int = 0
    transaction_msg_max_offset: int = 0
    transaction_msg_count: int = 0
    locked: bool = False
    try_unlock_times: int = 0
    last_lock_timestamp: int = 0
    #: ``droped`` on the wire; Go's ``dropped`` is not read.
    dropped: bool = False
    last_pull_timestamp: int = 0
    last_consume_timestamp: int = 0


class PopProcessQueueInfo(Body, frozen=True, rename=camel_but(dropped="droped")):
    """The same for a queue that is consumed by pop (5.x)."""

    wait_ack_count: int = 0
    dropped: bool = False
    last_pop_timestamp: int = 0


class ConsumeStatus(
    Body,
    frozen=True,
    rename=camel_but(
        pull_rt="pullRT",
        pull_tps="pullTPS",
        consume_rt="consumeRT",
        consume_ok_tps="consumeOKTPS",
        consume_failed_tps="consumeFailedTPS",
    ),
):
    """Averages for one topic: times (RT) in ms, rates (TPS) per second."""

    pull_rt: float = 0.0
    pull_tps: float = 0.0
    consume_rt: float = 0.0
    consume_ok_tps: float = 0.0
    consume_failed_tps: float = 0.0
    consume_failed_msgs: int = 0


class ConsumerRunningInfo(Body, frozen=True):
    """A client's response to GET_CONSUMER_RUNNING_INFO (307)."""

    properties: dict[str, str] = {}
    subscription_set: tuple[Subscription, ...] = ()
    mq_table: dict[MessageQueue, ProcessQueueInfo] = {}
    mq_pop_table: dict[MessageQueue, PopProcessQueueInfo] = {}
    status_table: dict[str, ConsumeStatus] = {}
    user_consumer_info: dict[str, str] = {}
    #: The stack traces of the threads, as text, if they were requested.
    jstack: str | None = None


class ConsumeResult(StrEnum):
    """The result of consuming a message; Go sends the ordinal."""

    CR_SUCCESS = "CR_SUCCESS"
    CR_LATER = "CR_LATER"
    CR_ROLLBACK = "CR_ROLLBACK"
    CR_COMMIT = "CR_COMMIT"
    CR_THROW_EXCEPTION = "CR_THROW_EXCEPTION"
    CR_RETURN_NULL = "CR_RETURN_NULL"


class ConsumeMessageDirectlyResult(Body, frozen=True):
    """A client's response to CONSUME_MESSAGE_DIRECTLY (309)."""

    consume_result: ConsumeResult | None = None
    order: bool = False
    auto_commit: bool = True
    remark: str | None = None
    #: The duration, in ms.
    spent_time_mills: int = 0
