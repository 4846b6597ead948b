"""
The client: an application starts it first, and makes its producers and consumers from
it.

::

    async with Client(reactor, "ns1:9876;ns2:9876") as client:
        producer = client.producer("orders-out")
        await producer.send(Message("orders", b"paid"))

It is a service, so it may as well be a child of an application's ``MultiService``; the
producers and consumers are its own children, and start and stop with it. It stops in
order before the reactor does, whether the application asks for that or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Self, Unpack

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import StateError
from rocketmq_tw.client.identity import make_client_id
from rocketmq_tw.client.name_servers import from_environment, parse_name_servers
from rocketmq_tw.client.producer.config import ProducerConfig, ProducerOptions
from rocketmq_tw.client.producer.producer import Producer
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.client.shutdown import ShutdownTrigger
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.remoting.addresses import split_host_port
from rocketmq_tw.remoting.pool import EndpointFor

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.config import ConsumerOptions
    from rocketmq_tw.client.consumer.push import PushConsumer
    from rocketmq_tw.client.consumer.queue_reader import QueueReader


class _State(Enum):
    """Where a client is in its one life."""

    NEW = "not started"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


EndpointFactory = Callable[[Any, str, int], IStreamClientEndpoint]


class Client(MultiService):
    """
    One client of one cluster. It does no I/O before it is started.

    :param reactor: connects, gives the time, and stops the client before it stops.
    :param name_servers: ``host:port;host:port``, or a sequence of addresses.
    :param client_id: must be unique among live clients; generated if absent.
    :param instance_name: part of the generated client id.
    :param endpoint: the template of endpoint strings, for name servers and brokers
        alike, as ``tls:{host}:{port}:trustRoots=/etc/ca``.
    :param endpoint_factory: makes endpoints in place of the template.
    :param translate: repairs addresses that brokers advertise and we cannot reach.
    :ivar session: what the producers and consumers share.
    :raises ValidationError: the name servers are not addresses.
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
        translate: Callable[[str], str] | None = None,
        config: ClientConfig | None = None,
    ) -> None:
        super().__init__()
        self.session = ClientSession(
            reactor,
            name_servers=parse_name_servers(name_servers),
            client_id=client_id or make_client_id(instance_name),
            config=config,
            endpoint=endpoint,
            endpoint_for=_endpoint_for(reactor, endpoint_factory),
            translate=translate,
        )
        self._state = _State.NEW
        self._waiting: list[Deferred[None]] = []
        self._shutdown = ShutdownTrigger(reactor, self.stop)

    @classmethod
    def from_env(cls, reactor: Any, **options: Any) -> Self:
        """
        Make a client whose name servers are in ``NAMESRV_ADDR``.

        :raises ValidationError: it is not set.
        """
        return cls(reactor, from_environment(), **options)

    @property
    def client_id(self) -> str:
        """What brokers know this client by."""
        return self.session.client_id

    # -- life

    def startService(self) -> None:
        """
        Start in the background.

        :raises StateError: the client was stopped; make another.
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
        """Start; leave nothing behind if that fails."""
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
        Stop producers and consumers, leave their groups, close all connections.

        A client that runs when the reactor is stopped (by Control-C or SIGTERM, say)
        is stopped like this first, and the reactor waits for it.

        :param grace: seconds to wait for what is in flight; else the configuration's.
            Cancelling the Deferred ends the grace.
        :returns: never fails.
        """
        if grace is not None:
            self.session.grace = grace
        return self.stopService()

    def stopService(self) -> Deferred[None]:
        """See :meth:`stop`."""
        if self._state is _State.STOPPED:
            return succeed(None)
        if self._state is _State.STOPPING:
            waiting: Deferred[None] = Deferred(self._waiting.remove)
            self._waiting.append(waiting)
            return waiting
        self._state = _State.STOPPING
        children: Deferred[Any] = maybeDeferred(super().stopService)
        children.addErrback(self._not_stopped)
        children.addCallback(lambda _: self.session.stop())
        return children.addCallback(self._stopped)

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop."""
        await self.stop()

    def _not_stopped(self, failure: Failure) -> None:
        """Log it: the connections are closed all the same."""
        self._log.failure("a part of the client did not stop in order", failure)

    def _stopped(self, _result: None) -> None:
        """Notify all who wait for the end."""
        self._state = _State.STOPPED
        self._shutdown.disarm()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    # -- producers and consumers

    def producer(self, group: str, **options: Unpack[ProducerOptions]) -> Producer:
        """
        Make a producer. It runs while the client does.

        :param options: see :class:`ProducerConfig`.
        :raises ValidationError: no producer group may be called so.
        :raises GroupInUse: there is one of that group.
        """
        producer = Producer(self.session, group, ProducerConfig(**options))
        producer.setServiceParent(self)
        return producer

    def push_consumer(
        self, group: str, **options: Unpack[ConsumerOptions]
    ) -> PushConsumer:
        """
        Make a consumer whose messages are passed to a handler. Subscribe, then start
        it; one that has subscribed before the client starts is started with it. It
        stops with the client.

        :param options: see :class:`~rocketmq_tw.client.consumer.config.ConsumerConfig`.
        """
        from rocketmq_tw.client.consumer.push import PushConsumer

        consumer = PushConsumer(self.session, group, **options)
        consumer.setServiceParent(self)
        consumer.done.addCallback(lambda _: self._remove(consumer))
        return consumer

    def _remove(self, child: IService) -> None:
        """Forget one that has stopped for good."""
        if self.running and child in self.services:
            self.removeService(child)

    def queue_reader(self, group: str) -> QueueReader:
        """Make a reader of single queues; it keeps no state."""
        from rocketmq_tw.client.consumer.queue_reader import QueueReader

        return QueueReader(self.session.brokers, group)

    def route(self, topic: str, refresh: bool = False) -> Deferred[TopicRoute]:
        """
        Look a topic's route up.

        :param refresh: ask the name servers even if it is known.
        :returns: fails with :class:`NoRouteError` or :class:`NameServerUnavailable`.
        """
        return self.session.routes.find(topic, refresh)


def _endpoint_for(reactor: Any, factory: EndpointFactory | None) -> EndpointFor | None:
    """Make the function that the connection pool wants."""
    if factory is None:
        return None
    make = factory
    return lambda address: make(reactor, *split_host_port(address))
