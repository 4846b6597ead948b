"""The simple consumer, with coroutines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rocketmq_tw.aio.futures import result_of

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.simple.consumer import (
        SimpleConsumer as TwistedSimpleConsumer,
    )
    from rocketmq_tw.client.consumer.simple.popped import PoppedMessage


class SimpleConsumer:
    """
    Asks for messages and acknowledges each; made by
    :meth:`rocketmq_tw.aio.Client.simple_consumer`.

    Its methods are those of :class:`rocketmq_tw.client.SimpleConsumer`. What a broker
    hands out after the task is cancelled comes again.
    """

    def __init__(self, consumer: TwistedSimpleConsumer) -> None:
        self._consumer = consumer

    async def receive(
        self,
        topic: str,
        *,
        max_messages: int = 32,
        wait: float = 15.0,
        expression: str = "*",
    ) -> list[PoppedMessage]:
        """Ask for messages; see :meth:`rocketmq_tw.client.SimpleConsumer.receive`."""
        received = self._consumer.receive(
            topic, max_messages=max_messages, wait=wait, expression=expression
        )
        return await result_of(received)

    async def ack(self, popped: PoppedMessage) -> None:
        """Acknowledge a message: it does not come again."""
        await result_of(self._consumer.ack(popped))

    async def ack_all(self, popped: Sequence[PoppedMessage]) -> None:
        """Acknowledge messages, with one request to each broker."""
        await result_of(self._consumer.ack_all(popped))

    async def change_invisible_time(
        self, popped: PoppedMessage, seconds: float
    ) -> PoppedMessage:
        """Let a message be invisible for some seconds from now on; 0 gives it back."""
        return await result_of(self._consumer.change_invisible_time(popped, seconds))
