"""
The records in a response to a pop.

Those of the topic are sent as they are stored. Those of a retry topic are encoded
again, with the name of the topic that was asked for and with their receipts, as Apache
RocketMQ does: its clients know no other.
"""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.redelivery import copy_for_redelivery
from rocketmq_tw.model.message import POP_CK
from rocketmq_tw.model.msgid import host_from_text
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.receipts import Receipt
from rocketmq_tw.wire.record import as_stored, decode, encode
from rocketmq_tw.wire.record_layout import QUEUE_OFFSET
from rocketmq_tw.wire.record_parts import each_record


def offsets_of(data: bytes) -> list[int]:
    """Return the queue offsets of records."""
    return [int.from_bytes(each[QUEUE_OFFSET], "big") for each in each_record(data)]


def with_receipts(data: bytes, topic: str, receipt: Receipt) -> bytes:
    """
    Encode records again with a topic, and each with its receipt.

    :param receipt: that of any of them.
    """
    return b"".join([_with_receipt(each, topic, receipt) for each in each_record(data)])


def _with_receipt(record: bytes, topic: str, receipt: Receipt) -> bytes:
    """Encode a record again; a receipt that its producer sent with it is replaced."""
    message = decode(record, inflate=as_stored)
    copy = copy_for_redelivery(record)
    offset = message.queue_offset
    own = msgspec.structs.replace(receipt, offset=offset)
    kept = {**copy.properties, POP_CK: own.encode()}
    draft = copy.draft
    draft.topic = topic.encode()
    draft.properties = properties.encode(kept).encode()
    draft.prepared_offset = message.prepared_transaction_offset
    return encode(
        draft,
        offset,
        message.commit_log_offset,
        message.store_time_ms,
        host_from_text(message.store_host),
    )
