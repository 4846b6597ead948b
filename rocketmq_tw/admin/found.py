"""Stored messages as values for administrators."""

from __future__ import annotations

from rocketmq_tw.admin.results.messages import FoundMessage
from rocketmq_tw.admin.texts import at
from rocketmq_tw.client.consumer.compressed import CompressedMessage, InflateLimits
from rocketmq_tw.client.consumer.pull_result import decode_messages
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.compression import BodyTooLarge

#: Bodies are inflated one by one, and none of them is kept by the client.
LIMITS = InflateLimits(kept=0)


def decode_found(records: bytes, broker: str) -> list[FoundMessage]:
    """
    Decode records, and inflate their bodies.

    :raises MalformedRecord: the bytes are not a sequence of records.
    """
    return [found(each) for each in decode_messages(records, broker, LIMITS)]


def found(message: StoredMessage) -> FoundMessage:
    """Return a message as administrators see it."""
    return FoundMessage(
        message_id=message.message_id,
        offset_id=message.offset_message_id,
        topic=message.topic,
        broker=message.broker_name,
        queue_id=message.queue_id,
        queue_offset=message.queue_offset,
        commit_log_offset=message.commit_log_offset,
        tag=message.tag,
        keys=message.keys,
        properties=dict(message.properties),
        body=_body(message),
        size=message.size,
        born=at(message.born_time_ms),
        born_host=message.born_host,
        stored=at(message.store_time_ms),
        store_host=message.store_host,
        deliveries=message.reconsume_times,
        flag=message.flag,
    )


def _body(message: StoredMessage) -> bytes:
    """Return the body; as it is stored if it inflates to more than is allowed."""
    try:
        return bytes(message.body)
    except BodyTooLarge:
        assert isinstance(message, CompressedMessage)
        return bytes(message.stored_body)
