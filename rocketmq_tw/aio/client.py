"""The client, on the event loop of a program of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, Unpack

from rocketmq_tw.aio.futures import ended, result_of, returning_deferreds
from rocketmq_tw.aio.loop import LoopReactor
from rocketmq_tw.aio.producer import Producer
from rocketmq_tw.aio.pull import PullConsumer
from rocketmq_tw.aio.push import PushConsumer
from rocketmq_tw.aio.reader import QueueReader
from rocketmq_tw.aio.simple import SimpleConsumer
from rocketmq_tw.aio.transactions import TransactionProducer
from rocketmq_tw.client.client import Client as TwistedClient
from rocketmq_tw.client.errors import NotRunning, StateError, ValidationError
from rocketmq_tw.client.name_servers import from_environment
from rocketmq_tw.model.route import TopicRoute

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.config import ConsumerOptions
    from rocketmq_tw.client.consumer.lite.config import PullConsumerOptions
    from rocketmq_tw.client.consumer.simple.consumer import SimpleConsumerOptions
    from rocketmq_tw.client.producer.config import ProducerOptions
    from rocketmq_tw.client.producer.results import SendResult
    from rocketmq_tw.model.message import Message, StoredMessage


class Client:
    """
    One client of one cluster. It does nothing before it is started.

    If the program ends without stopping it, ``asyncio.run`` does: it cancels all tasks
    at its end, and one of them stops the client.

    :param options: see :class:`rocketmq_tw.client.client.Client`; for TLS there is
        ``tls``.
    :raises ValidationError: an option has another endpoint than one of TCP.
    """

    def __init__(self, name_servers: str | Iterable[str], **options: Any) -> None:
        if str(options.get("endpoint", "")).startswith(("tls:", "ssl:")):
            # Twisted's own TLS needs a reactor that is installed.
            raise ValidationError("pass tls=Tls(...) instead of an endpoint with TLS")
        self._name_servers = name_servers
        self._options = options
        self._client: TwistedClient | None = None
        self._reactor: LoopReactor | None = None
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """
        Create a client with the name servers in ``NAMESRV_ADDR``.

        :raises ValidationError: it is not set.
        """
        return cls(from_environment(), **options)

    # -- life

    async def start(self) -> Self:
        """
        Start, and wait for a name server.

        :raises NameServerUnavailable: none has responded; the client is stopped then,
            as it is if the task is cancelled.
        :raises StateError: it was started before.
        """
        if self._client is not None:
            raise StateError("a client is started once; create another")
        loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._client = TwistedClient(
            self._make_reactor(loop), self._name_servers, **self._options
        )
        self._keeper = loop.create_task(self._keep())
        try:
            await result_of(self._client.start())
        except BaseException:
            await self.stop(grace=0)
            raise
        return self

    def _make_reactor(self, loop: asyncio.AbstractEventLoop) -> Any:
        """Return a reactor on the loop; tests have one without a network."""
        self._reactor = LoopReactor(loop)
        self._reactor.attach()
        return self._reactor

    async def _keep(self) -> None:
        """Stop the client if this task is cancelled, by ``asyncio.run`` at its end."""
        try:
            await self._stopped.wait()
        except asyncio.CancelledError:
            await self.stop()

    async def stop(self, grace: float | None = None) -> None:
        """
        Stop producers and consumers, leave their groups, and close all connections.

        If the task is cancelled meanwhile, only the grace ends.

        :param grace: seconds to wait for messages in flight, and for handlers; default:
            the configuration's.
        """
        if self._client is None:
            return
        if self._stopping:
            await self._stopped.wait()
            return
        self._stopping = True
        cancelled = await ended(self._client.stop(grace))
        # Sockets are closed by another iteration of the loop.
        await asyncio.sleep(0)
        if self._reactor is not None:
            self._reactor.detach()
        self._stopped.set()
        if cancelled:
            raise asyncio.CancelledError

    async def __aenter__(self) -> Self:
        """Start, and wait for a name server."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop producers and consumers, and close all connections."""
        await self.stop()

    @property
    def client_id(self) -> str:
        """
        The id under which brokers know this client.

        :raises NotRunning: it is not started.
        """
        return self._running().client_id

    # -- producers and consumers

    def producer(self, group: str, **options: Unpack[ProducerOptions]) -> Producer:
        """
        Create a producer, which runs until the client is stopped.

        :param options: see :class:`~rocketmq_tw.client.ProducerConfig`.
        :raises NotRunning: the client is not started.
        :raises GroupInUse: this client has a producer of that group.
        """
        return Producer(self._running().producer(group, **options))

    async def request(
        self, message: Message, *, timeout: float | None = None
    ) -> StoredMessage:
        """
        Send a request and wait for its reply; see
        :meth:`rocketmq_tw.client.client.Client.request`.
        """
        return await result_of(self._running().request(message, timeout=timeout))

    async def reply(self, request: StoredMessage, body: bytes) -> SendResult:
        """Reply to a request that a consumer got."""
        return await result_of(self._running().reply(request, body))

    def transaction_producer(
        self,
        group: str,
        checker: Callable[[StoredMessage], Any],
        *,
        topics: Sequence[str] = (),
        **options: Unpack[ProducerOptions],
    ) -> TransactionProducer:
        """
        Create a producer of messages that consumers get only if a local transaction is
        committed; see :meth:`rocketmq_tw.client.Client.transaction_producer`.

        :param checker: may be a coroutine function.
        :raises NotRunning: the client is not started.
        :raises GroupInUse: this client has a producer of that group.
        """
        producer = self._running().transaction_producer(
            group, returning_deferreds(checker), topics=topics, **options
        )
        return TransactionProducer(producer)

    def push_consumer(
        self, group: str, **options: Unpack[ConsumerOptions]
    ) -> PushConsumer:
        """
        Create a consumer that passes messages to a handler.

        :param options: see :class:`~rocketmq_tw.client.ConsumerConfig`.
        :raises NotRunning: the client is not started.
        """
        return PushConsumer(self._running().push_consumer(group, **options))

    def pull_consumer(
        self, group: str, **options: Unpack[PullConsumerOptions]
    ) -> PullConsumer:
        """
        Create a consumer that the application asks for messages.

        :param options: see :class:`~rocketmq_tw.client.PullConsumerConfig`.
        :raises NotRunning: the client is not started.
        """
        return PullConsumer(self._running().pull_consumer(group, **options))

    def queue_reader(self, group: str) -> QueueReader:
        """
        Create a reader of single queues; it keeps no state.

        :raises NotRunning: the client is not started.
        """
        return QueueReader(self._running().queue_reader(group))

    def simple_consumer(
        self, group: str, **options: Unpack[SimpleConsumerOptions]
    ) -> SimpleConsumer:
        """
        Create a consumer that asks for messages and acknowledges each; it keeps no
        state. Needs brokers of 5.x.

        :param options: see :class:`rocketmq_tw.client.SimpleConsumer`.
        :raises NotRunning: the client is not started.
        """
        return SimpleConsumer(self._running().simple_consumer(group, **options))

    async def route(self, topic: str, refresh: bool = False) -> TopicRoute:
        """
        Return the route of a topic.

        :param refresh: ask the name servers even if it is cached.
        :raises NoRouteError: the name servers do not know it.
        :raises NameServerUnavailable: none has responded.
        """
        return await result_of(self._running().route(topic, refresh))

    def _running(self) -> TwistedClient:
        """Return the client; raise NotRunning if it is not started, or stopped."""
        if self._client is None or self._stopping:
            raise NotRunning("the client is not running: use async with")
        return self._client
