"""Copies a stored message into a draft, to deliver it later or again."""

from __future__ import annotations

import msgspec

from rocketmq_tw.model.msgid import host_from_text
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft, as_stored, decode
from rocketmq_tw.wire.record_layout import SYS_FLAG


class RedeliveryCopy(msgspec.Struct):
    """
    A copy of a stored message, for the caller to change.

    :ivar draft: stored unchanged, it becomes the same record but for offsets and times.
    :ivar properties: the properties of the draft; encode them into it after a change.
    """

    draft: Draft
    properties: dict[str, str]


def copy_for_redelivery(record: bytes) -> RedeliveryCopy:
    """
    Copy the message of a record; a compressed body stays compressed.

    :raises MalformedRecord: it is not a complete record.
    """
    message = decode(record, inflate=as_stored)
    draft = Draft(
        topic=message.topic.encode(),
        queue_id=message.queue_id,
        flag=message.flag,
        sys_flag=int.from_bytes(record[SYS_FLAG], "big"),
        born_time_ms=message.born_time_ms,
        born_host=host_from_text(message.born_host),
        body=message.body,
        properties=properties.encode(message.properties).encode(),
        reconsume_times=message.reconsume_times,
    )
    return RedeliveryCopy(draft, message.properties)
