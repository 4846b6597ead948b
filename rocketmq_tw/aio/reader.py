"""The reader of queues, with coroutines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rocketmq_tw.aio.futures import result_of

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.pull_result import PullResult
    from rocketmq_tw.client.consumer.queue_reader import (
        QueueReader as TwistedQueueReader,
    )
    from rocketmq_tw.model.queue import MessageQueue


class QueueReader:
    """
    Reads any queue at any offset; made by :meth:`rocketmq_tw.aio.Client.queue_reader`.

    Its methods are those of :class:`rocketmq_tw.client.QueueReader`.
    """

    def __init__(self, reader: TwistedQueueReader) -> None:
        self._reader = reader

    async def pull(
        self,
        queue: MessageQueue,
        offset: int,
        *,
        max_messages: int = 32,
        wait: float = 0.0,
        expression: str = "*",
    ) -> PullResult:
        """Read messages; see :meth:`rocketmq_tw.client.QueueReader.pull`."""
        pulled = self._reader.pull(
            queue, offset, max_messages=max_messages, wait=wait, expression=expression
        )
        return await result_of(pulled)

    async def min_offset(self, queue: MessageQueue) -> int:
        """Return the offset of the queue's oldest message."""
        return await result_of(self._reader.min_offset(queue))

    async def max_offset(self, queue: MessageQueue) -> int:
        """Return the offset that the queue's next message will get."""
        return await result_of(self._reader.max_offset(queue))

    async def search(self, queue: MessageQueue, when: datetime | float) -> int:
        """Return the offset of the first message stored at or after a time."""
        return await result_of(self._reader.search(queue, when))
