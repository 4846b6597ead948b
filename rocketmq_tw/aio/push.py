"""The push consumer, with coroutines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from rocketmq_tw.aio.futures import result_of, returning_deferreds
from rocketmq_tw.aio.member import Member

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.config import StopReport
    from rocketmq_tw.client.consumer.push import PushConsumer as TwistedPushConsumer


class PushConsumer(Member):
    """
    One member of a consumer group; made by
    :meth:`rocketmq_tw.aio.Client.push_consumer`.

    Its methods are those of :class:`rocketmq_tw.client.PushConsumer`; handlers and
    listeners may be coroutine functions. A handler that is cancelled, after its time
    limit or at a stop, is a task that is cancelled.
    """

    def __init__(self, consumer: TwistedPushConsumer) -> None:
        self._consumer: TwistedPushConsumer = consumer

    def subscribe(
        self,
        topic: str,
        expression: str = "*",
        handler: Callable[[Any], Any] | None = None,
    ) -> None:
        """See :meth:`rocketmq_tw.client.PushConsumer.subscribe`."""
        adapted = None if handler is None else returning_deferreds(handler)
        self._consumer.subscribe(topic, expression, adapted)

    def handle_with(self, handler: Callable[[Any], Any]) -> None:
        """Set the handler of topics that were subscribed to without one."""
        self._consumer.handler = returning_deferreds(handler)

    # -- life

    async def start(self) -> Self:
        """
        Join the group, and wait for the first rebalance; see
        :meth:`rocketmq_tw.client.PushConsumer.start`.
        """
        await result_of(self._consumer.start())
        return self

    async def stop(self, grace: float | None = None) -> StopReport:
        """
        Let handlers finish, commit, leave the group.

        :param grace: seconds until handlers that still run are cancelled and their
            messages retried. If the task is cancelled, only this ends.
        """
        return await self._stop(grace)

    async def wait_stopped(self) -> None:
        """Wait until the consumer has stopped, with its client for example."""
        await result_of(self._consumer.done)

    async def __aenter__(self) -> Self:
        """Join the group."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Leave the group."""
        await self.stop()
