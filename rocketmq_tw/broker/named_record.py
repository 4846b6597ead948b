"""
Whether a record that a request names by its commit log offset is of the named topic.

Access control judges the topic in a request, so the record must be of that topic:
otherwise whoever may read one topic could read all. Comparing the record's own topic is
not enough. A body may contain bytes that look like a record, of any topic, whose
properties are the records behind it. So for requests with a user the topic's queue must
contain the record, too.

Source: ``QueryMessageProcessor.viewMessageById`` of RocketMQ 5.5.1, which compares the
topics.
"""

from __future__ import annotations

from collections.abc import Container

from twisted.internet.defer import Deferred

from rocketmq_tw.model.message import REAL_TOPIC, StoredMessage
from rocketmq_tw.model.topic import SCHEDULE_TOPIC, TIMER_TOPIC, TRANS_HALF_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.queues.fetched import Fetched
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import MalformedRecord, as_stored, decode

#: Their messages are on the way to the topic in a property, which the broker writes.
_UNDER_WAY = (SCHEDULE_TOPIC, TIMER_TOPIC, TRANS_HALF_TOPIC)


def record_of(
    store: IMessageStore, offset: int, topic: str, call: Call
) -> bytes | Deferred[bytes]:
    """
    Return the record at a commit log offset.

    :param topic: that it has to be of; empty for any.
    :raises Refused: there is none, or it is of another topic.
    """
    record = store.record_at(offset) if offset >= 0 else None
    found = then(record, lambda data: _found(data, offset))
    if not topic:
        return found
    return then(found, lambda data: check_topic(store, data, (topic,), call))


def check_topic(
    store: IMessageStore, record: bytes, topics: Container[str], call: Call
) -> bytes | Deferred[bytes]:
    """
    Check that a record is of one of the topics that a request names.

    :returns: the record, now or when its queue was read.
    :raises Refused: it is not.
    """
    message = _decoded(record)
    topic = message.topic
    if topic in _UNDER_WAY:
        topic = message.properties.get(REAL_TOPIC, topic)
    if topic not in topics:
        raise other_topic()
    return record if call.principal is None else check_record(store, record)


def check_record(store: IMessageStore, record: bytes) -> bytes | Deferred[bytes]:
    """
    Check that the queue that a record names contains it, so that it is no body.

    :returns: the record, now or when the queue was read.
    :raises Refused: it does not.
    """
    message = _decoded(record)
    queue_id, queue_offset = message.queue_id, message.queue_offset
    found = store.get(message.topic, queue_id, queue_offset, 1, len(record), None)
    return then(found, lambda fetched: _checked(record, fetched))


def _found(record: bytes | None, offset: int) -> bytes:
    """Return a record. :raises Refused: there is none."""
    if record is None:
        raise Refused(
            ResponseCode.SYSTEM_ERROR, f"can not find message by the offset: {offset}"
        )
    return record


def _decoded(record: bytes) -> StoredMessage:
    """Decode a record, but not its body."""
    try:
        return decode(record, inflate=as_stored)
    except MalformedRecord as error:
        raise Refused(ResponseCode.SYSTEM_ERROR, str(error)) from None


def _checked(record: bytes, fetched: Fetched) -> bytes:
    """Return a record that its queue contains."""
    if bytes(fetched.data) != record:
        raise other_topic()
    return record


def other_topic() -> Refused:
    """Return the error for a record of another topic than a request names."""
    return Refused(
        ResponseCode.NO_PERMISSION, "The topic does not match the message at the offset"
    )
