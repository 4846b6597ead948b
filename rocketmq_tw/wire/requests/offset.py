"""
Requests about offsets: the bounds of queues, and how far groups have read.

Source: ``QueryConsumerOffsetRequestHeader``, ``UpdateConsumerOffsetRequestHeader``,
``SearchOffsetRequestHeader``, ``GetMaxOffsetRequestHeader`` and their like.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response


class OffsetResponse(Response):
    """A queue offset."""

    offset: int


class TimestampResponse(Response):
    """A time in ms since the epoch; -1 if there is none."""

    timestamp: int


class QueryConsumerOffset(Request[OffsetResponse]):
    """Ask how far a group has read; code 22 if nothing is known."""

    code: ClassVar[int] = RequestCode.QUERY_CONSUMER_OFFSET
    consumer_group: str
    topic: str
    queue_id: int
    set_zero_if_not_found: bool | None = None


class UpdateConsumerOffset(Request[Response]):
    """Commit how far a group has read: the next offset to read."""

    code: ClassVar[int] = RequestCode.UPDATE_CONSUMER_OFFSET
    consumer_group: str
    topic: str
    queue_id: Int32
    commit_offset: Int64


class SearchOffset(Request[OffsetResponse]):
    """Ask for the first offset stored at or after a time in ms."""

    code: ClassVar[int] = RequestCode.SEARCH_OFFSET_BY_TIMESTAMP
    topic: str
    queue_id: int
    timestamp: int
    boundary_type: str | None = None


class GetMaxOffset(Request[OffsetResponse]):
    """Ask for the offset that the next message of a queue gets."""

    code: ClassVar[int] = RequestCode.GET_MAX_OFFSET
    topic: str
    queue_id: int
    committed: bool | None = None


class GetMinOffset(Request[OffsetResponse]):
    """Ask for the offset of the oldest message of a queue."""

    code: ClassVar[int] = RequestCode.GET_MIN_OFFSET
    topic: str
    queue_id: int


class GetEarliestStoreTime(Request[TimestampResponse]):
    """Ask when the oldest message of a queue was stored."""

    code: ClassVar[int] = RequestCode.GET_EARLIEST_MSG_STORETIME
    topic: str
    queue_id: int


class GetAllConsumerOffset(Request[Response]):
    """Ask for the offsets of all groups, as slaves do."""

    code: ClassVar[int] = RequestCode.GET_ALL_CONSUMER_OFFSET


class GetAllDelayOffset(Request[Response]):
    """Ask for the offsets of all delay levels, as slaves do."""

    code: ClassVar[int] = RequestCode.GET_ALL_DELAY_OFFSET
