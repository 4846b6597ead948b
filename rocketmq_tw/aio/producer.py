"""The producer, with coroutines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self, Unpack

from rocketmq_tw.aio.futures import ended, result_of

if TYPE_CHECKING:
    from rocketmq_tw.client.producer.config import BatchOptions, SendOptions
    from rocketmq_tw.client.producer.producer import Producer as TwistedProducer
    from rocketmq_tw.client.producer.results import SendResult
    from rocketmq_tw.model.message import Message, StoredMessage


class Producer:
    """
    Sends messages; made by :meth:`rocketmq_tw.aio.Client.producer`.

    Its methods are those of :class:`rocketmq_tw.client.Producer`. A task that is
    cancelled while it sends makes no further attempt; the message may be stored.
    """

    def __init__(self, producer: TwistedProducer) -> None:
        self._producer = producer

    async def send(
        self, message: Message, **options: Unpack[SendOptions]
    ) -> SendResult:
        """
        Send a message.

        :param options: ``queue``, ``key``, ``selector`` and ``timeout``, here and
            below: see :meth:`rocketmq_tw.client.Producer.send`.
        """
        return await result_of(self._producer.send(message, **options))

    async def send_oneway(
        self, message: Message, **options: Unpack[SendOptions]
    ) -> None:
        """Send a message without a response, at most once."""
        await result_of(self._producer.send_oneway(message, **options))

    async def send_batch(
        self, messages: Sequence[Message], **options: Unpack[SendOptions]
    ) -> SendResult:
        """Send messages of one topic in one request, to one queue."""
        return await result_of(self._producer.send_batch(messages, **options))

    async def send_batches(
        self, messages: Sequence[Message], **options: Unpack[BatchOptions]
    ) -> list[SendResult]:
        """
        Send messages of one topic in as few requests as their size lets.

        :param options: ``max_size``, too: bytes of one request.
        """
        return await result_of(self._producer.send_batches(messages, **options))

    async def request(
        self, message: Message, **options: Unpack[SendOptions]
    ) -> StoredMessage:
        """Send a message, and wait for the reply of the consumer that gets it."""
        return await result_of(self._producer.request(message, **options))

    async def reply(
        self,
        request: StoredMessage,
        body: bytes,
        *,
        properties: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> SendResult:
        """Reply to a request that a consumer got."""
        return await result_of(
            self._producer.reply(request, body, properties=properties, timeout=timeout)
        )

    async def recall(
        self, topic: str, handle: str, *, timeout: float | None = None
    ) -> str:
        """Cancel a message with a time or a delay, before it is delivered."""
        return await result_of(self._producer.recall(topic, handle, timeout=timeout))

    async def flush(self) -> None:
        """Wait until no message is in flight any more."""
        await result_of(self._producer.flush())

    @property
    def in_flight(self) -> int:
        """How many messages are in flight now."""
        return self._producer.in_flight

    @property
    def in_flight_bytes(self) -> int:
        """Their size in bytes."""
        return self._producer.in_flight_bytes

    async def start(self) -> Self:
        """Return the producer: it was started with its client."""
        await result_of(self._producer.start())
        return self

    async def stop(self) -> None:
        """Stop this producer alone, for good, and wait for messages in flight."""
        await ended(self._producer.stop())

    async def __aenter__(self) -> Self:
        """See :meth:`start`."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """See :meth:`stop`."""
        await self.stop()
