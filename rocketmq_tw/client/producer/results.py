"""
The result of a send.

Source: ``SendResult``, ``SendStatus`` and ``MQClientAPIImpl.processSendResponse`` of
RocketMQ 5.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.requests.send import SendResponse


class SendStatus(IntEnum):
    """How durable the message is; in every case the master has stored it."""

    SEND_OK = 0
    FLUSH_DISK_TIMEOUT = 10
    SLAVE_NOT_AVAILABLE = 11
    FLUSH_SLAVE_TIMEOUT = 12


class SendResult(msgspec.Struct, frozen=True):
    """
    Where a message was stored.

    :ivar message_id: the unique key, made by the producer; for a batch: all keys,
        joined by commas.
    :ivar offset_message_id: the broker's address and the commit log offset, in hex.
    :ivar queue_offset: that of the message, or of the first one of a batch.
    :ivar recall_handle: allows a delayed message to be recalled (5.x).
    """

    status: SendStatus
    message_id: str
    offset_message_id: str
    queue: MessageQueue
    queue_offset: int
    transaction_id: str | None = None
    region_id: str = "DefaultRegion"
    trace_on: bool = True
    recall_handle: str | None = None


_STATUSES = {int(status): status for status in SendStatus}


def send_result(
    response: SendResponse, queue: MessageQueue, message_id: str
) -> SendResult:
    """
    Convert a broker's response.

    :param queue: the requested queue; the broker may have chosen another.
    :param message_id: the unique key of the message.
    """
    if response.queue_id != queue.queue_id:
        queue = msgspec.structs.replace(queue, queue_id=response.queue_id)
    return SendResult(
        _STATUSES[response.status],
        response.batch_uniq_id or message_id,
        response.msg_id,
        queue,
        response.queue_offset,
        response.transaction_id,
        response.region or "DefaultRegion",
        response.trace_on != "false",
        response.recall_handle,
    )
