"""
Popped messages with their receipts, read from the response to a pop.

Source: ``MQClientAPIImpl.processPopResponse`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.pull_result import decode_messages
from rocketmq_tw.model.message import POP_CK, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.receipts import (
    Receipt,
    parse_offsets,
    parse_receipt,
    parse_starts,
    real_topic,
    retry_mark,
)
from rocketmq_tw.wire.requests.pop import PopResponse

if TYPE_CHECKING:
    from rocketmq_tw.client.trace.popped import PopTrace
else:
    # Traces are imported only where they are written; this is for the documents.
    PopTrace = object


class PoppedMessage(msgspec.Struct, frozen=True):
    """
    A message that nobody else gets for a time.

    :ivar message: the message; ``reconsume_times`` says how often it came before.
    :ivar receipt: what it is acknowledged with.
    :ivar topic: the topic that was asked for.
    :ivar trace: what was written of it, if it is traced.
    """

    message: StoredMessage
    receipt: Receipt
    topic: str
    trace: PopTrace | None = None

    @property
    def body(self) -> bytes:
        """The body of the message."""
        return self.message.body

    def queue(self, group: str) -> MessageQueue:
        """Return the queue that the message was read from, maybe a retry topic's."""
        receipt = self.receipt
        topic = real_topic(self.topic, group, receipt.retry)
        return MessageQueue(topic, receipt.broker_name, receipt.queue_id)


def read_popped(
    response: PopResponse, topic: str, broker_name: str, limits: InflateLimits
) -> list[PoppedMessage]:
    """
    Read the messages of a response.

    :raises MalformedRecord: the body is not a sequence of records.
    :raises BadField: the response does not say what a receipt needs.
    """
    starts = parse_starts(response.start_offset_info)
    offsets = parse_offsets(response.msg_offset_info)
    found = []
    for message in decode_messages(response.body, broker_name, limits):
        own = message.properties.get(POP_CK)
        if own:
            receipt = parse_receipt(own)
        else:
            mark = retry_mark(message.topic)
            key = mark, message.queue_id
            if message.queue_offset not in offsets.get(key, ()):
                raise BadField(
                    "msgOffsetInfo",
                    repr(response.msg_offset_info)[:80],
                    f"offset {message.queue_offset} of queue {message.queue_id}",
                )
            receipt = Receipt(
                start_offset=starts.get(key, message.queue_offset),
                pop_time_ms=response.pop_time,
                invisible_ms=response.invisible_time,
                revive_queue=response.revive_qid,
                retry=mark,
                broker_name=broker_name,
                queue_id=message.queue_id,
                offset=message.queue_offset,
            )
        found.append(PoppedMessage(message, receipt, topic))
    return found
