"""
Where a group starts to read a queue for which it has no offset.

Source: ``RebalancePushImpl.computePullFromWhereWithException`` of RocketMQ 5.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from rocketmq_tw.model.group import ConsumeFrom
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    SearchOffset,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers

#: Seconds to fetch one offset.
TIMEOUT: Final = 5.0


class StartFrom(Enum):
    """Where a group starts on a queue for which it has no offset."""

    LATEST = ConsumeFrom.CONSUME_FROM_LAST_OFFSET
    EARLIEST = ConsumeFrom.CONSUME_FROM_FIRST_OFFSET


#: Only messages sent from now on.
LATEST: Final = StartFrom.LATEST
#: All messages in the queue.
EARLIEST: Final = StartFrom.EARLIEST


def consume_from(start: StartFrom | datetime) -> ConsumeFrom:
    """Return the constant for ``start`` in a heartbeat."""
    if isinstance(start, datetime):
        return ConsumeFrom.CONSUME_FROM_TIMESTAMP
    return start.value


def first_offset(
    brokers: Brokers, queue: MessageQueue, start: StartFrom | datetime
) -> Deferred[int]:
    """
    Return the offset at which a group without an offset starts.

    A retry topic is read from its beginning, because it holds only the group's own
    messages; only a start by time skips messages in it.

    :returns: fails like :meth:`Brokers.call_for`.
    """
    retry = is_retry(queue.topic)
    topic, queue_id = queue.topic, queue.queue_id
    request: Request[OffsetResponse]
    if isinstance(start, datetime) and not retry:
        since_ms = int(start.timestamp() * 1000)
        request = SearchOffset(topic=topic, queue_id=queue_id, timestamp=since_ms)
    elif start is EARLIEST or (retry and not isinstance(start, datetime)):
        request = GetMinOffset(topic=topic, queue_id=queue_id)
    else:
        request = GetMaxOffset(topic=topic, queue_id=queue_id)
    return brokers.call_for(queue, request, TIMEOUT).addCallback(_not_negative)


def _not_negative(response: OffsetResponse) -> int:
    """Return the offset; brokers send -1 for a queue that has no file yet."""
    return max(response.offset, 0)
