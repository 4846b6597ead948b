"""
What all producers and consumers of one client share: one id, one connection a broker,
one set of routes, one heartbeat.

Source: ``MQClientInstance`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import GroupInUse
from rocketmq_tw.client.name_servers import NameServers
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool, EndpointFor
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData, ProducerData
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.heartbeat import (
    Heartbeat,
    NotifyConsumerIdsChanged,
    UnregisterClient,
)
from rocketmq_tw.wire.requests.route import GetRoute

A = TypeVar("A", bound=Response)

_JITTER = 0.1
#: Seconds without a byte, while an answer is due, until a connection is given up.
_SILENCE = 2.5


class ConsumerMember(Protocol):
    """What the session needs of a consumer."""

    def consumer_data(self) -> ConsumerData:
        """Describe the consumer for the heartbeat."""

    def members_changed(self) -> None:
        """Note that the group's members, or a broker's connection, have changed."""


class ClientSession:
    """
    The shared part of one client. It lives once: it cannot be started again.

    :param reactor: connects, and tells the time.
    :param name_servers: addresses of the name servers.
    :param endpoint: the template of endpoint strings, as ``tcp:{host}:{port}``.
    :param endpoint_for: makes endpoints in place of the template.
    :param translate: repairs addresses that brokers advertise and we cannot reach.
    :ivar pool: the connections.
    :ivar router: handles what brokers ask of us.
    :ivar routes: the routes of topics.
    :ivar running: True from :meth:`start` to :meth:`stop`.
    :ivar grace: seconds that stopping producers and consumers wait for their work.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        name_servers: Iterable[str],
        client_id: str,
        config: ClientConfig | None = None,
        *,
        endpoint: str = "tcp:{host}:{port}",
        endpoint_for: EndpointFor | None = None,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self.reactor = reactor
        self.client_id = client_id
        self.config = config or ClientConfig()
        self.router = Router()
        self.router.on(NotifyConsumerIdsChanged, self._members_changed)
        self.pool = ConnectionPool(
            reactor,
            self.router,
            template=endpoint,
            endpoint_for=endpoint_for,
            connect_timeout=self.config.connect_timeout,
            idle_timeout=self.config.idle_timeout,
        )
        self.pool.on_connected.append(self._connected)
        self.name_servers = NameServers(name_servers, self.pool, reactor)
        self.routes = RouteCache(
            self.name_servers, reactor, self.config.call_timeout, translate
        )
        self.running = False
        self.grace = self.config.stop_grace
        self._producers: set[str] = set()
        self._consumers: dict[str, ConsumerMember] = {}
        self._greeting: set[str] = set()
        self._silent: dict[str, float] = {}
        self._loops: list[LoopingCall] = []

    # -- life

    def start(self) -> Deferred[None]:
        """
        Start the periodic work.

        :returns: fires once a name server has answered; fails with
            :class:`NameServerUnavailable`, the periodic work going on.
        """
        if not self.running:
            self.running = True
            self._every(self.config.poll_interval, self.routes.refresh_all)
            self._every(self.config.heartbeat_interval, self.heartbeat_now)
        request = GetRoute(topic=AUTO_CREATE_TOPIC, accept_standard_json_only=True)
        asked = self.name_servers.call(request, self.config.call_timeout)

        def unknown(failure: Failure) -> None:
            # That there is no such topic is an answer, too.
            failure.trap(BrokerError)

        return asked.addCallbacks(lambda _: None, unknown)

    def stop(self) -> Deferred[None]:
        """Leave all groups and close all connections; never fails."""
        self.running = False
        for loop in self._loops:
            loop.stop()
        self._loops.clear()
        left: list[Deferred[Any]] = []
        for group in list(self._producers):
            left.append(self.unregister(group, consumer=False))
        for group in list(self._consumers):
            left.append(self.unregister(group, consumer=True))
        self._producers.clear()
        self._consumers.clear()
        done: Deferred[Any] = DeferredList(left, consumeErrors=True)
        return done.addCallback(lambda _: self.pool.close_all())

    def _every(self, interval: float, work: Callable[[], Deferred[None]]) -> None:
        """Do some work again and again, clients not all at the same moment."""

        def tick() -> Deferred[None]:
            done: Deferred[None] = maybeDeferred(work)
            return done.addErrback(lambda f: self._log.failure("periodic work", f))

        loop = LoopingCall(tick)
        loop.clock = self.reactor
        self._loops.append(loop)
        loop.start(interval * random.uniform(1 - _JITTER, 1 + _JITTER), now=False)

    # -- brokers

    def call(
        self, address: str, request: Request[A], timeout: float = 3.0
    ) -> Deferred[A]:
        """Send a request; ``timeout`` is in seconds, connecting included."""
        return self.pool.call(address, request, timeout)

    def broker_address(
        self, broker_name: str, broker_id: int = MASTER_ID, any_broker: bool = False
    ) -> str | None:
        """
        Look a broker up in the known routes.

        :param any_broker: take another of that name if that one is not there.
        """
        return self.routes.address(broker_name, broker_id, any_broker)

    def suspect(self, address: str, since: float) -> None:
        """
        Note that a request sent then was not answered in time.

        A connection whose other end vanished takes all that is written to it. It is cut
        when nothing came for :data:`_SILENCE` seconds after a request.

        :param since: when the request was sent, in seconds.
        """
        connection = self.pool.live(address)
        if connection is None:
            return
        first = self._silent.get(address)
        if first is None or connection.last_seen > first:
            first = self._silent[address] = since
        silent = connection.last_seen <= first
        if silent and self.reactor.seconds() - first >= _SILENCE:
            del self._silent[address]
            self._log.warn("cutting {address}: it is silent", address=address)
            connection.abort()

    def _broker_addresses(self) -> list[str]:
        """List the brokers that must know us: masters, and replicas if we consume."""
        found: dict[str, None] = {}
        for addresses in self.routes.brokers.values():
            for broker_id, address in addresses.items():
                if broker_id == MASTER_ID or self._consumers:
                    found[address] = None
        return list(found)

    # -- groups

    def add_producer(self, group: str) -> None:
        """
        Take part in a producer group.

        :raises GroupInUse: there is one already.
        """
        if group in self._producers:
            raise GroupInUse("producer", group)
        self._producers.add(group)

    def remove_producer(self, group: str) -> None:
        """Name the group in heartbeats no longer."""
        self._producers.discard(group)

    def add_consumer(self, group: str, member: ConsumerMember) -> None:
        """
        Take part in a consumer group.

        :raises GroupInUse: there is one already.
        """
        if group in self._consumers:
            raise GroupInUse("consumer", group)
        self._consumers[group] = member

    def remove_consumer(self, group: str) -> None:
        """Name the group in heartbeats no longer."""
        self._consumers.pop(group, None)

    def unregister(self, group: str, consumer: bool) -> Deferred[None]:
        """
        Tell every broker that knows us that we leave a group.

        :returns: fires after a second at most; never fails.
        """
        request = UnregisterClient(
            client_id=self.client_id,
            consumer_group=group if consumer else None,
            producer_group=None if consumer else group,
        )
        timeout = self.config.unregister_timeout
        told = [
            connection.call(request, timeout)
            for connection in map(self.pool.live, self._broker_addresses())
            if connection is not None
        ]
        done: Deferred[Any] = DeferredList(told, consumeErrors=True)
        return done.addCallback(lambda _: None)

    # -- heartbeats

    def heartbeat_now(self) -> Deferred[None]:
        """Tell every broker of all known routes who we are; errors are logged."""
        if not self._producers and not self._consumers:
            return succeed(None)
        done: Deferred[Any] = DeferredList(
            [self._heartbeat(address) for address in self._broker_addresses()]
        )
        return done.addCallback(lambda _: None)

    def _heartbeat(self, address: str) -> Deferred[None]:
        """Tell one broker, connecting if need be; never fails."""
        self._greeting.add(address)
        is_new = self.pool.live(address) is None
        consumers = self._consumers.values()
        data = HeartbeatData(
            client_id=self.client_id,
            producer_data_set=tuple(map(ProducerData, sorted(self._producers))),
            consumer_data_set=tuple(member.consumer_data() for member in consumers),
        )
        request = Heartbeat(body=data.encode())

        def failed(failure: Failure) -> None:
            self._log.warn(
                "no heartbeat to {address}: {why}",
                address=address,
                why=failure.getErrorMessage(),
            )

        def told(_answer: Response) -> None:
            if is_new:
                self._tell_consumers()

        sent = self.call(address, request, self.config.call_timeout)
        sent.addBoth(self._greeted, address)
        return sent.addCallbacks(told, failed)

    def _greeted(self, result: Any, address: str) -> Any:
        """Note that no heartbeat is under way."""
        self._greeting.discard(address)
        return result

    def _connected(self, address: str, connection: RemotingProtocol) -> None:
        """Make ourselves known on a broker's new connection."""
        if not self.running or address in self._greeting:
            return
        if not (self._producers or self._consumers):
            return
        if address in self._broker_addresses():
            # The pool lists the connection only now: it is new to the consumers too.
            self._heartbeat(address).addCallback(lambda _: self._tell_consumers())

    # -- what brokers tell us

    def _members_changed(self, request: NotifyConsumerIdsChanged, _call: Call) -> None:
        """Let every group look again; no answer is expected."""
        self._tell_consumers()

    def _tell_consumers(self) -> None:
        """Tell all; one that raises does not keep the others from it."""
        for group, member in list(self._consumers.items()):
            try:
                member.members_changed()
            except Exception:
                self._log.failure("the consumer group {group} failed", group=group)
