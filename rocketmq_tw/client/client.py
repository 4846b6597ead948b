"""
The client: an application starts it first, and creates its producers and consumers with
it.

::

    async with Client(reactor, "ns1:9876;ns2:9876") as client:
        producer = client.producer("orders-out")
        await producer.send(Message("orders", b"paid"))

It is a service and may be a child of an application's ``MultiService``. Producers and
consumers are its own children, which start and stop with it. When the reactor stops,
the client is stopped first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Self, Unpack

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import StateError, ValidationError
from rocketmq_tw.client.identity import make_client_id, make_local_name
from rocketmq_tw.client.name_servers import from_environment, parse_name_servers
from rocketmq_tw.client.producer.config import ProducerConfig, ProducerOptions
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.client.shutdown import ShutdownTrigger
from rocketmq_tw.model.group import CLIENT_INNER_PRODUCER_GROUP
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.remoting.addresses import split_host_port
from rocketmq_tw.remoting.pool import EndpointFor
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.tls.settings import Tls
from rocketmq_tw.wire.command import Sign

if TYPE_CHECKING:
    from rocketmq_tw.auth.credentials import Credentials
    from rocketmq_tw.client.consumer.config import ConsumerOptions
    from rocketmq_tw.client.consumer.lite.config import PullConsumerOptions
    from rocketmq_tw.client.consumer.lite.consumer import PullConsumer
    from rocketmq_tw.client.consumer.push import PushConsumer
    from rocketmq_tw.client.consumer.queue_reader import QueueReader
    from rocketmq_tw.client.consumer.simple.consumer import (
        SimpleConsumer,
        SimpleConsumerOptions,
    )
    from rocketmq_tw.client.transactions.producer import TransactionProducer
    from rocketmq_tw.client.transactions.questions import Checker


class _State(Enum):
    """The state of a client, which is started and stopped once."""

    NEW = "not started"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


EndpointFactory = Callable[[Any, str, int], IStreamClientEndpoint]


class Client(MultiService):
    """
    One client of one cluster. It does no I/O before it is started.

    :param reactor: makes connections, is the clock, and stops the client at its end.
    :param name_servers: ``host:port;host:port``, or a sequence of addresses.
    :param client_id: must be unique among running clients; generated if absent.
    :param instance_name: part of the generated client id.
    :param endpoint: the template of endpoint strings, for name servers and brokers
        alike, e.g. ``tls:{host}:{port}:trustRoots=/etc/ca``.
    :param endpoint_factory: makes endpoints instead of the template.
    :param tls: use TLS with name servers and brokers, over these endpoints.
    :param credentials: the user who signs all requests, for servers with access
        control; None signs nothing.
    :param translate: replaces advertised addresses that this client cannot reach.
    :ivar session: the parts that producers and consumers share.
    :raises ValidationError: the name servers are not addresses, or there is TLS in the
        template, too.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        name_servers: str | Iterable[str],
        *,
        client_id: str | None = None,
        instance_name: str | None = None,
        endpoint: str = "tcp:{host}:{port}",
        endpoint_factory: EndpointFactory | None = None,
        tls: Tls | None = None,
        credentials: Credentials | None = None,
        translate: Callable[[str], str] | None = None,
        config: ClientConfig | None = None,
    ) -> None:
        super().__init__()
        if tls is not None and endpoint.startswith(("tls:", "ssl:")):
            raise ValidationError("there is TLS both in the endpoint and beside it")
        self.session = ClientSession(
            reactor,
            name_servers=parse_name_servers(name_servers),
            client_id=client_id or make_client_id(instance_name),
            local_name=client_id or make_local_name(instance_name),
            config=config,
            endpoint=endpoint,
            endpoint_for=_endpoint_for(reactor, endpoint_factory),
            tls=tls,
            sign=_signer(credentials),
            translate=translate,
        )
        self._state = _State.NEW
        self._waiting = Waiters()
        self._own_producer: Producer | None = None
        self._shutdown = ShutdownTrigger(reactor, self._reactor_stops)

    @classmethod
    def from_env(cls, reactor: Any, **options: Any) -> Self:
        """
        Create a client with the name servers in ``NAMESRV_ADDR``.

        :raises ValidationError: it is not set.
        """
        return cls(reactor, from_environment(), **options)

    @property
    def client_id(self) -> str:
        """The id under which brokers know this client."""
        return self.session.client_id

    # -- life

    def startService(self) -> None:
        """
        Start in the background.

        :raises StateError: the client was stopped; create another.
        """
        self._begin().addErrback(
            lambda f: self._log.warn(
                "the client starts without a name server: {why}",
                why=f.getErrorMessage(),
            )
        )

    def start(self) -> Deferred[Self]:
        """
        Start, and wait for a name server.

        :returns: fails with :class:`NameServerUnavailable`; the client is stopped then,
            as it is if this is cancelled.
        """
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> Self:
        """Start; if that fails, stop everything."""
        try:
            await self._begin()
        except BaseException:
            await self.stop(grace=0)
            raise
        return self

    def _begin(self) -> Deferred[None]:
        """
        Start the session, the producers and the consumers.

        :returns: fires when a name server has responded.
        :raises StateError: the client was stopped.
        """
        if self._state not in (_State.NEW, _State.RUNNING):
            raise StateError("a client that was stopped cannot start again")
        found = self.session.start()
        if self._state is _State.NEW:
            self._state = _State.RUNNING
            self._shutdown.arm()
            super().startService()
        return found

    def stop(self, grace: float | None = None) -> Deferred[None]:
        """
        Stop producers and consumers, leave their groups, and close all connections.

        If the reactor is stopped, by Control-C or SIGTERM for example, a running client
        is stopped like this first, and the reactor waits for it.

        :param grace: seconds to wait for messages in flight; default: ``stop_grace``.
            Cancelling the Deferred ends the grace.
        :returns: never fails.
        """
        if grace is not None:
            self.session.grace = grace
        return self.stopService()

    def _reactor_stops(self) -> Deferred[None]:
        """Stop, for the application will not do so."""
        self.session.in_shutdown = True
        return self.stop()

    def stopService(self) -> Deferred[None]:
        """See :meth:`stop`."""
        if self._state is _State.STOPPED:
            return succeed(None)
        if self._state is _State.STOPPING:
            return self._waiting.add()
        self._state = _State.STOPPING
        children: Deferred[Any] = maybeDeferred(super().stopService)
        children.addErrback(self._not_stopped)
        children.addCallback(lambda _: self.session.stop())
        return children.addCallback(self._stopped)

    async def __aenter__(self) -> Self:
        """Start, and wait for a name server."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop producers and consumers, and close all connections."""
        await self.stop()

    def _not_stopped(self, failure: Failure) -> None:
        """Log the failure; the connections are closed nevertheless."""
        self._log.failure("a part of the client failed to stop", failure)

    def _stopped(self, _result: None) -> None:
        """Fire the Deferreds of other callers of :meth:`stop`."""
        self._state = _State.STOPPED
        self._shutdown.disarm()
        self._waiting.fire()

    # -- producers and consumers

    def producer(self, group: str, **options: Unpack[ProducerOptions]) -> Producer:
        """
        Create a producer, which runs while the client runs.

        :param options: see :class:`ProducerConfig`.
        :raises ValidationError: the group's name is not legal.
        :raises GroupInUse: this client has a producer of that group.
        """
        producer = Producer(self.session, group, ProducerConfig(**options))
        producer.setServiceParent(self)
        return producer

    def request(
        self, message: Message, *, timeout: float | None = None
    ) -> Deferred[StoredMessage]:
        """
        Send a request and wait for its reply, by a producer of the client's own; see
        :meth:`Producer.request <rocketmq_tw.client.Producer.request>`.
        """
        return self._inner().request(message, timeout=timeout)

    def reply(self, request: StoredMessage, body: bytes) -> Deferred[SendResult]:
        """
        Reply to a request, by the same producer; see
        :meth:`Producer.reply <rocketmq_tw.client.Producer.reply>`.
        """
        return self._inner().reply(request, body)

    def _inner(self) -> Producer:
        """Return the client's own producer, made when it is needed first."""
        if self._own_producer is None:
            self._own_producer = self.producer(CLIENT_INNER_PRODUCER_GROUP)
        return self._own_producer

    def transaction_producer(
        self,
        group: str,
        checker: Checker,
        *,
        topics: Sequence[str] = (),
        **options: Unpack[ProducerOptions],
    ) -> TransactionProducer:
        """
        Create a producer of messages that consumers get only if a local transaction is
        committed. It runs while the client runs.

        :param checker: says how the transaction of a message ended, if a broker asks;
            see :class:`TransactionProducer`, also for ``topics``.
        :param options: see :class:`ProducerConfig`.
        :raises ValidationError: the group's name is not legal.
        :raises GroupInUse: this client has a producer of that group.
        """
        from rocketmq_tw.client.transactions.producer import TransactionProducer

        config = ProducerConfig(**options)
        producer = TransactionProducer(self.session, group, checker, config, topics)
        producer.setServiceParent(self)
        return producer

    def push_consumer(
        self, group: str, **options: Unpack[ConsumerOptions]
    ) -> PushConsumer:
        """
        Create a consumer that passes messages to a handler. Subscribe, then start it; a
        consumer that has subscribed before the client starts is started with it. It
        stops with the client.

        :param options: see :class:`~rocketmq_tw.client.consumer.config.ConsumerConfig`.
        """
        from rocketmq_tw.client.consumer.push import PushConsumer

        consumer = PushConsumer(self.session, group, **options)
        consumer.setServiceParent(self)
        consumer.done.addCallback(lambda _: self._remove(consumer))
        return consumer

    def pull_consumer(
        self, group: str, **options: Unpack[PullConsumerOptions]
    ) -> PullConsumer:
        """
        Create a consumer that the application asks for messages. It is started like a
        push consumer, but may also subscribe later.

        :param options: see
            :class:`~rocketmq_tw.client.consumer.lite.config.PullConsumerConfig`.
        """
        from rocketmq_tw.client.consumer.lite.consumer import PullConsumer

        consumer = PullConsumer(self.session, group, **options)
        consumer.setServiceParent(self)
        consumer.done.addCallback(lambda _: self._remove(consumer))
        return consumer

    def _remove(self, child: IService) -> None:
        """Remove a child that has stopped for good."""
        if self.running and child in self.services:
            self.removeService(child)

    def queue_reader(self, group: str) -> QueueReader:
        """Create a reader of single queues; it keeps no state."""
        from rocketmq_tw.client.consumer.compressed import InflateLimits
        from rocketmq_tw.client.consumer.queue_reader import QueueReader

        limits = InflateLimits.of(self.session.config)
        return QueueReader(self.session.brokers, group, limits)

    def simple_consumer(
        self, group: str, **options: Unpack[SimpleConsumerOptions]
    ) -> SimpleConsumer:
        """
        Create a consumer that asks for messages and acknowledges each; it keeps no
        state, so there is nothing to start or stop. Needs brokers of 5.x.

        :param options: see
            :class:`~rocketmq_tw.client.consumer.simple.consumer.SimpleConsumer`.
        """
        from rocketmq_tw.client.consumer.simple.consumer import SimpleConsumer

        consumer = SimpleConsumer(self.session, group, **options)
        if consumer.tracer is not None:
            consumer.tracer.setServiceParent(self)
        return consumer

    def route(self, topic: str, refresh: bool = False) -> Deferred[TopicRoute]:
        """
        Return the route of a topic.

        :param refresh: ask the name servers even if it is cached.
        :returns: fails with :class:`NoRouteError` or :class:`NameServerUnavailable`.
        """
        return self.session.routes.find(topic, refresh)


def _endpoint_for(reactor: Any, factory: EndpointFactory | None) -> EndpointFor | None:
    """Adapt the factory to the connection pool; None if there is none."""
    if factory is None:
        return None
    make = factory
    return lambda address: make(reactor, *split_host_port(address))


def _signer(credentials: Credentials | None) -> Sign | None:
    """Return what signs requests; None without credentials."""
    if credentials is None:
        return None
    from rocketmq_tw.auth.signature import signer

    return signer(credentials)
