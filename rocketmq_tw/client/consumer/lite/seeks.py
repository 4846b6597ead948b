"""
Moves a pull consumer within its queues.

Source: ``DefaultLitePullConsumerImpl.seek`` of RocketMQ 5.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import gatherResults

from rocketmq_tw.client.errors import OffsetOutOfRange
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    SearchOffset,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.client.consumer.lite.reading import Reading

#: Seconds for a request.
TIMEOUT: Final = 5.0


class Seeks:
    """
    Asks the brokers where a queue begins and ends, and moves the consumer there.

    Its methods raise :class:`NotAssigned` if the queue is not assigned, before or after
    the broker has responded.
    """

    def __init__(self, brokers: Brokers, reading: Reading) -> None:
        self._brokers = brokers
        self._reading = reading

    async def to_offset(self, queue: MessageQueue, offset: int) -> int:
        """
        Move to an offset.

        :raises OffsetOutOfRange: the queue does not contain it; nothing has moved.
        """
        self._reading.cursors.get(queue)
        begin, end = await gatherResults(
            [
                self._brokers.call_for(queue, request, TIMEOUT)
                for request in (_min_offset(queue), _max_offset(queue))
            ],
            consumeErrors=True,
        )
        if not begin.offset <= offset <= end.offset:
            suggested = begin.offset if offset < begin.offset else end.offset
            raise OffsetOutOfRange(queue, offset, suggested)
        self._reading.move(queue, offset)
        return offset

    async def to_begin(self, queue: MessageQueue) -> int:
        """Move to the oldest message."""
        return await self._to_found(queue, _min_offset(queue))

    async def to_end(self, queue: MessageQueue) -> int:
        """Move behind the newest message."""
        return await self._to_found(queue, _max_offset(queue))

    async def to_time(self, queue: MessageQueue, when: datetime | float) -> int:
        """Move to the first message that was stored at or after a time."""
        seconds = when.timestamp() if isinstance(when, datetime) else when
        request = SearchOffset(
            topic=queue.topic, queue_id=queue.queue_id, timestamp=int(seconds * 1000)
        )
        return await self._to_found(queue, request)

    async def _to_found(
        self, queue: MessageQueue, request: Request[OffsetResponse]
    ) -> int:
        """Move to the offset in a response."""
        self._reading.cursors.get(queue)
        found = await self._brokers.call_for(queue, request, TIMEOUT)
        # Brokers send -1 for a queue that has no file yet.
        offset = max(found.offset, 0)
        self._reading.move(queue, offset)
        return offset


def _min_offset(queue: MessageQueue) -> GetMinOffset:
    """Return the request for the offset of the oldest message."""
    return GetMinOffset(topic=queue.topic, queue_id=queue.queue_id)


def _max_offset(queue: MessageQueue) -> GetMaxOffset:
    """Return the request for the offset that the next message will get."""
    return GetMaxOffset(topic=queue.topic, queue_id=queue.queue_id)
