"""A stored message as a draft again: to be delivered later, or tried once more."""

from __future__ import annotations

from rocketmq_tw.model.msgid import host_from_text
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft, decode
from rocketmq_tw.wire.record_layout import SYS_FLAG


def redraft(record: bytes) -> tuple[Draft, dict[str, str]]:
    """
    Draft a record's message again, its body packed as it was.

    :returns: the draft, to be changed by the caller, and its properties.
    """
    message = decode(record, inflate=_as_it_is)
    draft = Draft(
        message.topic.encode(),
        message.queue_id,
        message.flag,
        int.from_bytes(record[SYS_FLAG], "big"),
        message.born_time_ms,
        host_from_text(message.born_host),
        message.body,
        properties.encode(message.properties).encode(),
        0,
        message.reconsume_times,
    )
    return draft, message.properties


def _as_it_is(body: bytes, _sys_flag: int) -> bytes:
    """Leave a packed body packed."""
    return body
