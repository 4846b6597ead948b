"""
Requests for single messages, by offset or by key, and for entries of queues.

Source: ``ViewMessageRequestHeader``, ``QueryMessageRequestHeader``,
``QueryConsumeQueueRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode, ResponseCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response


class ViewMessage(Request[Response]):
    """Ask for the record at a commit log offset; the response's body is that record."""

    code: ClassVar[int] = RequestCode.VIEW_MESSAGE_BY_ID
    offset: int
    topic: str | None = None


class QueryResponse(Response):
    """
    The records found, in sequence, oldest first; none with QUERY_NOT_FOUND.

    :ivar index_last_update_timestamp: store time, in ms, of the newest message indexed.
    :ivar index_last_update_phyoffset: the commit log offset of that message.
    """

    index_last_update_timestamp: Int64 = 0
    index_last_update_phyoffset: Int64 = 0


class QueryMessage(Request[QueryResponse]):
    """
    Ask for the messages of a topic with a key, stored between two times (ms).

    :ivar unique: the key is a unique key; clients then expect the
        broker's own limit instead of ``max_num``.
    :ivar index_type: ``T`` if the key is a tag; else it is a key (``K``).
    """

    code: ClassVar[int] = RequestCode.QUERY_MESSAGE
    accepted: ClassVar[frozenset[int]] = frozenset({0, ResponseCode.QUERY_NOT_FOUND})
    topic: str
    key: str
    max_num: Int32
    begin_timestamp: Int64
    end_timestamp: Int64
    unique: bool | None = msgspec.field(name="_UNIQUE_KEY_QUERY", default=None)
    index_type: str | None = None


class QueryQueueEntries(Request[Response]):
    """
    Ask for entries of a queue; the body is a ``QueryConsumeQueueResponseBody``.

    :ivar index: the queue offset of the first one.
    :ivar consumer_group: asks for the group's subscription, too.
    """

    code: ClassVar[int] = RequestCode.QUERY_CONSUME_QUEUE
    topic: str
    queue_id: Int32 = 0
    index: Int64 = 0
    count: Int32 = 0
    consumer_group: str | None = None
