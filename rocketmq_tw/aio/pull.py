"""The pull consumer, with coroutines and asynchronous iteration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.aio.futures import ended, result_of
from rocketmq_tw.aio.member import Member

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.config import StopReport
    from rocketmq_tw.client.consumer.lite.consumer import (
        PullConsumer as TwistedPullConsumer,
    )
    from rocketmq_tw.client.consumer.lite.iteration import Iteration as TwistedIteration
    from rocketmq_tw.model.message import StoredMessage
    from rocketmq_tw.model.queue import MessageQueue

T = TypeVar("T")


async def _polled(
    consumer: TwistedPullConsumer, polling: Deferred[list[StoredMessage]]
) -> list[StoredMessage]:
    """Wait for a poll; a task that is cancelled loses no message."""
    if polling.called:
        # The messages were there: no Future, and no iteration of the loop.
        return await polling
    try:
        return await polling.asFuture(asyncio.get_running_loop())
    except asyncio.CancelledError:
        # They may have come just when the task was cancelled.
        polling.cancel()
        consumer.put_back()
        raise


class Iteration(Generic[T]):
    """One loop over the messages of a consumer."""

    def __init__(
        self, consumer: TwistedPullConsumer, iteration: TwistedIteration[T]
    ) -> None:
        self._consumer = consumer
        self._iteration = iteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next item; what came before has been dealt with."""
        messages = await _polled(self._consumer, self._iteration.poll())
        if not messages:
            raise StopAsyncIteration
        return self._iteration.item(messages)


class PullConsumer(Member):
    """
    Reads queues for an application that asks for messages; made by
    :meth:`rocketmq_tw.aio.Client.pull_consumer`.

    Its methods are those of :class:`rocketmq_tw.client.PullConsumer`. A task that is
    cancelled while it waits for messages loses none.
    """

    def __init__(self, consumer: TwistedPullConsumer) -> None:
        self._consumer: TwistedPullConsumer = consumer

    # -- what to read

    def subscribe(self, topic: str, expression: str = "*") -> None:
        """Read a topic as a member of the group, which shares its queues."""
        self._consumer.subscribe(topic, expression)

    def assign(self, queues: Iterable[MessageQueue], expression: str = "*") -> None:
        """Read just these queues, whatever the other members of the group read."""
        self._consumer.assign(queues, expression)

    # -- life

    async def start(self) -> Self:
        """Start; see :meth:`rocketmq_tw.client.PullConsumer.start`."""
        await result_of(self._consumer.start())
        return self

    async def stop(self, grace: float | None = None) -> StopReport:
        """
        End the loops over messages, commit, leave the group; see
        :meth:`rocketmq_tw.client.PullConsumer.stop`.
        """
        return await self._stop(grace)

    def end_loops(self) -> None:
        """
        Deliver no more messages: a loop ends after its body. May be called by a signal
        handler; :meth:`stop`, or leaving ``async with``, does the rest.
        """
        self._consumer.end_loops()

    async def __aenter__(self) -> Self:
        """Start; see :meth:`start`."""
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, *_exception: object
    ) -> None:
        """
        Stop; unless there is an exception, all delivered messages were dealt with.
        """
        left = Deferred.fromCoroutine(self._consumer.__aexit__(kind, None, None))
        if await ended(left):
            raise asyncio.CancelledError

    # -- messages

    async def poll(
        self, max_messages: int = 32, timeout: float | None = 5.0
    ) -> list[StoredMessage]:
        """Return messages; see :meth:`rocketmq_tw.client.PullConsumer.poll`."""
        return await _polled(self._consumer, self._consumer.poll(max_messages, timeout))

    def __aiter__(self) -> Iteration[StoredMessage]:
        """Loop over single messages, until the consumer is stopped."""
        return Iteration(self._consumer, self._consumer.__aiter__())

    def batches(self, max_messages: int = 32) -> Iteration[list[StoredMessage]]:
        """Loop over lists of messages, until the consumer is stopped."""
        return Iteration(self._consumer, self._consumer.batches(max_messages))

    # -- offsets

    async def commit(
        self, offsets: Mapping[MessageQueue, int] | None = None
    ) -> dict[MessageQueue, int]:
        """Store offsets; see :meth:`rocketmq_tw.client.PullConsumer.commit`."""
        return await result_of(self._consumer.commit(offsets))

    async def committed(self, queue: MessageQueue) -> int | None:
        """Return the group's stored offset in a queue; None if there is none."""
        return await result_of(self._consumer.committed(queue))

    def position(self, queue: MessageQueue) -> int:
        """Return the queue offset at which the next poll continues."""
        return self._consumer.position(queue)

    async def seek(self, queue: MessageQueue, offset: int) -> int:
        """Continue at another offset of a queue."""
        return await result_of(self._consumer.seek(queue, offset))

    async def seek_to_begin(self, queue: MessageQueue) -> int:
        """Continue at the oldest message."""
        return await result_of(self._consumer.seek_to_begin(queue))

    async def seek_to_end(self, queue: MessageQueue) -> int:
        """Continue with messages sent from now."""
        return await result_of(self._consumer.seek_to_end(queue))

    async def seek_to_time(self, queue: MessageQueue, when: datetime | float) -> int:
        """Continue at the first message stored at or after a time."""
        return await result_of(self._consumer.seek_to_time(queue, when))
