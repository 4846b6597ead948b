"""
Decodes and filters the response to a pull.

Brokers filter by the hash code of tags, and hash codes collide; so messages are
filtered here again, by the text.

Source: ``PullAPIWrapper`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from rocketmq_tw.client.consumer.compressed import (
    CompressedBody,
    InflateLimits,
    inflate_later,
)
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.pulled import QueueEnds, decode_pulled
from rocketmq_tw.wire.requests.pull import PullResponse

_DEFAULT = InflateLimits()


class PullStatus(Enum):
    """The outcome of a pull; the values are the response codes."""

    FOUND = 0
    #: No message at this offset yet.
    NO_NEW = 19
    #: Messages, but none that match the subscription.
    NO_MATCHED = 20
    #: The offset is outside the queue.
    OFFSET_ILLEGAL = 21


class PullResult(msgspec.Struct, frozen=True):
    """
    The result of a pull.

    :ivar next_offset: the queue offset to continue at.
    :ivar min_offset: the offset of the queue's oldest message.
    :ivar max_offset: the offset that the next message will get.
    :ivar suggested_broker_id: the broker to pull from next; 0 is the master.
    """

    status: PullStatus
    messages: list[StoredMessage]
    next_offset: int
    min_offset: int
    max_offset: int
    suggested_broker_id: int = 0


def read_response(
    response: PullResponse,
    queue: MessageQueue,
    subscription: Subscription | None,
    limits: InflateLimits = _DEFAULT,
) -> PullResult:
    """
    Decode a response and keep the messages that match the subscription.

    :param subscription: None keeps everything.
    :param limits: of the bodies that are compressed.
    :raises MalformedRecord: the body is not a sequence of records.
    """
    messages: list[StoredMessage] = []
    if response.status == PullStatus.FOUND.value:
        ends = QueueEnds(response.min_offset, response.max_offset)
        messages = decode_messages(response.body, queue.broker_name, limits, ends)
        if subscription is not None and subscription.tags_set:
            tags = subscription.tags_set
            messages = [m for m in messages if m.tag in tags]
    return PullResult(
        PullStatus(response.status),
        messages,
        response.next_begin_offset,
        response.min_offset,
        response.max_offset,
        response.suggest_which_broker_id,
    )


def decode_messages(
    data: bytes,
    broker_name: str,
    limits: InflateLimits,
    ends: QueueEnds | None = None,
) -> list[StoredMessage]:
    """Decode records; compressed bodies are inflated when they are read."""
    compressed: list[CompressedBody] = []

    def keep(body: bytes, sys_flag: int) -> bytes:
        kept = CompressedBody.of(body, sys_flag)
        compressed.append(kept)
        return kept

    messages = decode_pulled(data, keep, broker_name, ends)
    return inflate_later(messages, limits) if compressed else messages
