"""
Messages, before and after a broker has stored them, and the reserved properties.

Source: ``Message``, ``MessageExt`` and ``MessageConst`` of RocketMQ 5.
"""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from typing import Final

import msgspec

from rocketmq_tw.model.msgid import host_from_text, offset_message_id

# Set by applications.
KEYS: Final = "KEYS"
TAGS: Final = "TAGS"
WAIT: Final = "WAIT"
DELAY: Final = "DELAY"
SHARDING_KEY: Final = "__SHARDINGKEY"
BUYER_ID: Final = "BUYER_ID"
CHECK_IMMUNITY_TIME_IN_SECONDS: Final = "CHECK_IMMUNITY_TIME_IN_SECONDS"
TIMER_DELAY_SEC: Final = "TIMER_DELAY_SEC"
TIMER_DELAY_MS: Final = "TIMER_DELAY_MS"
TIMER_DELIVER_MS: Final = "TIMER_DELIVER_MS"
PRIORITY: Final = "_SYS_MSG_PRIORITY_"

# Set by clients.
UNIQ_KEY: Final = "UNIQ_KEY"
EXTEND_UNIQ_INFO: Final = "EXTEND_UNIQ_INFO"
TRAN_MSG: Final = "TRAN_MSG"
PGROUP: Final = "PGROUP"
TRANSACTION_ID: Final = "__transactionId__"
MIN_OFFSET: Final = "MIN_OFFSET"
MAX_OFFSET: Final = "MAX_OFFSET"
RECONSUME_TIME: Final = "RECONSUME_TIME"
MAX_RECONSUME_TIMES: Final = "MAX_RECONSUME_TIMES"
CONSUME_START_TIME: Final = "CONSUME_START_TIME"
MSG_TYPE: Final = "MSG_TYPE"
CORRELATION_ID: Final = "CORRELATION_ID"
REPLY_TO_CLIENT: Final = "REPLY_TO_CLIENT"
TTL: Final = "TTL"
ARRIVE_TIME: Final = "ARRIVE_TIME"
PUSH_REPLY_TIME: Final = "PUSH_REPLY_TIME"
INSTANCE_ID: Final = "INSTANCE_ID"
DUP_INFO: Final = "DUP_INFO"
TRACE_CONTEXT: Final = "TRACE_CONTEXT"
BORN_HOST: Final = "__BORNHOST"
BORN_TIMESTAMP: Final = "BORN_TIMESTAMP"
INNER_NUM: Final = "INNER_NUM"
INNER_BASE: Final = "INNER_BASE"

# Set by brokers.
RETRY_TOPIC: Final = "RETRY_TOPIC"
REAL_TOPIC: Final = "REAL_TOPIC"
REAL_QUEUE_ID: Final = "REAL_QID"
ORIGIN_MESSAGE_ID: Final = "ORIGIN_MESSAGE_ID"
TRAN_PREPARED_QUEUE_OFFSET: Final = "TRAN_PREPARED_QUEUE_OFFSET"
TRANSACTION_CHECK_TIMES: Final = "TRANSACTION_CHECK_TIMES"
TRANSFER_FLAG: Final = "TRANSFER_FLAG"
CORRECTION_FLAG: Final = "CORRECTION_FLAG"
MQ2_FLAG: Final = "MQ2_FLAG"
MSG_REGION: Final = "MSG_REGION"
TRACE_ON: Final = "TRACE_ON"
CLUSTER: Final = "CLUSTER"
DLQ_ORIGIN_TOPIC: Final = "DLQ_ORIGIN_TOPIC"
DLQ_ORIGIN_MESSAGE_ID: Final = "DLQ_ORIGIN_MESSAGE_ID"
INNER_MULTI_DISPATCH: Final = "INNER_MULTI_DISPATCH"
INNER_MULTI_QUEUE_OFFSET: Final = "INNER_MULTI_QUEUE_OFFSET"
TIMER_ENQUEUE_MS: Final = "TIMER_ENQUEUE_MS"
TIMER_DEQUEUE_MS: Final = "TIMER_DEQUEUE_MS"
TIMER_ROLL_TIMES: Final = "TIMER_ROLL_TIMES"
TIMER_OUT_MS: Final = "TIMER_OUT_MS"
TIMER_DEL_UNIQKEY: Final = "TIMER_DEL_UNIQKEY"
TIMER_DELAY_LEVEL: Final = "TIMER_DELAY_LEVEL"
POP_CK: Final = "POP_CK"
POP_CK_OFFSET: Final = "POP_CK_OFFSET"
FIRST_POP_TIME: Final = "1ST_POP_TIME"
ORIGIN_GROUP: Final = "ORIGIN_GROUP"
CRC32: Final = "__CRC32#"

#: The value of :data:`MSG_TYPE` in the reply to a request.
REPLY: Final = "reply"

#: Each of these properties asks for delivery at a time.
TIMERS: Final = frozenset((TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS))

#: The separator of the keys in :data:`KEYS`.
KEY_SEPARATOR: Final = " "


class Message(msgspec.Struct, frozen=True):
    """
    A message to send.

    ``keys`` accepts a list, a tuple or one text, and is kept as a tuple.
    ``delay_level`` 0 means no delay. ``wait_store`` False lets the broker respond
    before the fsync.

    :ivar delay: seconds after which it is delivered, counted by the broker from when it
        gets the message; not before that, and at most a second later.
    :ivar deliver_at: when it is delivered: a ``datetime``, or seconds since the epoch.
    :ivar priority: 0 or more; those who pop get the highest first. It is the queue in
        which the broker stores the message, if there are so many.
    """

    topic: str
    body: bytes
    tag: str | None = None
    keys: tuple[str, ...] = ()
    properties: dict[str, str] = {}
    flag: int = 0
    delay_level: int = 0
    wait_store: bool = True
    delay: float | None = None
    deliver_at: float | datetime | None = None
    priority: int | None = None

    def __post_init__(self) -> None:
        """Convert ``keys`` to a tuple."""
        if type(self.keys) is not tuple:
            msgspec.structs.force_setattr(self, "keys", _as_keys(self.keys))

    def wire_properties(self) -> dict[str, str]:
        """Return the user's properties, and the properties for the other fields."""
        properties = dict(self.properties)
        if self.keys:
            properties[KEYS] = KEY_SEPARATOR.join(self.keys)
        if self.tag:
            properties[TAGS] = self.tag
        if self.delay_level > 0:
            properties[DELAY] = str(self.delay_level)
        properties[WAIT] = "true" if self.wait_store else "false"
        if self.priority is not None:
            properties[PRIORITY] = str(self.priority)
        if self.delay is not None:
            properties[TIMER_DELAY_MS] = str(ceil(self.delay * 1000))
        if self.deliver_at is not None:
            at = self.deliver_at
            seconds = at.timestamp() if isinstance(at, datetime) else at
            # Floats near the present have steps of a quarter of a microsecond.
            properties[TIMER_DELIVER_MS] = str(ceil(round(seconds * 1000, 3)))
        return properties

    @property
    def is_timed(self) -> bool:
        """Whether it is to be delivered at a time, or after a delay in seconds."""
        return (
            self.delay is not None
            or self.deliver_at is not None
            or not TIMERS.isdisjoint(self.properties)
        )


class StoredMessage(msgspec.Struct, frozen=True):
    """
    A message as a broker stored it.

    ``body`` is inflated; ``size`` and ``body_crc`` are those of the stored record.
    Hosts are ``ip:port``; times are milliseconds since the epoch.
    """

    topic: str
    body: bytes
    queue_id: int
    queue_offset: int
    commit_log_offset: int
    flag: int
    sys_flag: int
    born_time_ms: int
    born_host: str
    store_time_ms: int
    store_host: str
    reconsume_times: int
    prepared_transaction_offset: int
    properties: dict[str, str]
    size: int
    body_crc: int
    broker_name: str = ""

    @property
    def tag(self) -> str | None:
        """Return the tag, or None."""
        return self.properties.get(TAGS)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the index keys, in the order sent."""
        return tuple(self.properties.get(KEYS, "").split())

    @property
    def unique_key(self) -> str | None:
        """Return the id made by the producer, or None."""
        return self.properties.get(UNIQ_KEY)

    @property
    def offset_message_id(self) -> str:
        """Return the id made of the store host and the commit log offset."""
        host = host_from_text(self.store_host)
        return offset_message_id(host, self.commit_log_offset)

    @property
    def message_id(self) -> str:
        """Return the unique key, or the offset id if there is none."""
        return self.properties.get(UNIQ_KEY) or self.offset_message_id


def _as_keys(keys: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return one text, many texts or None as a tuple of keys."""
    if not keys:
        return ()
    return (keys,) if isinstance(keys, str) else tuple(keys)
