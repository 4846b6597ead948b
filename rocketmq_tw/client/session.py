"""
The parts that all producers and consumers of one client share: one id, one connection
to each broker, one route cache, one heartbeat.

This module only connects, starts and stops the parts.

Source: ``MQClientInstance`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.groups import Groups
from rocketmq_tw.client.heartbeats import Heartbeats
from rocketmq_tw.client.name_servers import NameServers
from rocketmq_tw.client.remote_commands import RemoteCommands
from rocketmq_tw.client.replies.outstanding import OutstandingRequests
from rocketmq_tw.client.replies.reply_brokers import ReplyBrokers
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.client.transactions.questions import Questions
from rocketmq_tw.clock import PeriodicCall, steady_clock
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool, Direct, EndpointFor
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.threads import RunInThread, run_here
from rocketmq_tw.tls.settings import Tls
from rocketmq_tw.wire.command import Sign
from rocketmq_tw.wire.requests.heartbeat import NotifyConsumerIdsChanged
from rocketmq_tw.wire.requests.route import GetRoute

_JITTER = 0.1


class ClientSession:
    """
    The shared parts of one client. It cannot be started again after a stop.

    :param reactor: makes connections, and is the clock.
    :param name_servers: addresses of the name servers.
    :param local_name: under it broadcasting consumers keep their offsets.
    :param endpoint: the template of endpoint strings, e.g. ``tcp:{host}:{port}``.
    :param endpoint_for: makes endpoints instead of the template.
    :param tls: use TLS; None does not.
    :param sign: adds a signature to each request; None does not.
    :param translate: replaces advertised addresses that this client cannot reach.
    :param direct: the endpoints of servers in this process.
    :ivar clock: measures ages, and schedules with the reactor.
    :ivar run_in_thread: runs blocking calls in a thread.
    :ivar pool: the connections.
    :ivar router: handles the requests of brokers.
    :ivar routes: the routes of topics.
    :ivar brokers: calls to brokers.
    :ivar groups: the groups to which the client belongs.
    :ivar heartbeats: registers the groups with the brokers.
    :ivar remote_commands: commands of administrators for the consumers.
    :ivar outstanding: the requests that wait for replies.
    :ivar reply_brokers: registers this client where replies may come from.
    :ivar questions: those of brokers, how transactions ended.
    :ivar running: True from :meth:`start` to :meth:`stop`.
    :ivar in_shutdown: True when the reactor stops.
    :ivar translate: see the parameter.
    :ivar grace: seconds that stopping producers and consumers wait for their work.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *,
        name_servers: Iterable[str],
        client_id: str,
        local_name: str,
        config: ClientConfig | None = None,
        endpoint: str = "tcp:{host}:{port}",
        endpoint_for: EndpointFor | None = None,
        tls: Tls | None = None,
        sign: Sign | None = None,
        translate: Callable[[str], str] | None = None,
        direct: Direct | None = None,
    ) -> None:
        self.clock = steady_clock(reactor)
        self.client_id = client_id
        self.local_name = local_name
        self.translate = translate
        self.run_in_thread = _threads_of(reactor)
        self.config = config = config or ClientConfig()
        self.running = False
        self.in_shutdown = False
        self.grace = config.stop_grace
        self._loops: list[PeriodicCall] = []
        self.router = Router()
        configured = list(name_servers)
        self.pool = ConnectionPool(
            reactor,
            self.router,
            template=endpoint,
            endpoint_for=endpoint_for,
            connect_timeout=config.connect_timeout,
            idle_timeout=config.idle_timeout,
            tls=tls,
            sign=sign,
            direct=direct,
            configured=configured,
        )
        self.name_servers = NameServers(configured, self.pool, self.clock)
        self.routes = RouteCache(
            self.name_servers,
            self.clock,
            timeout=config.call_timeout,
            translate=translate,
        )
        self.brokers = Brokers(pool=self.pool, routes=self.routes, clock=self.clock)
        self.groups = Groups()
        self.heartbeats = Heartbeats(
            client_id=client_id,
            groups=self.groups,
            brokers=self.brokers,
            routes=self.routes,
            timeout=config.call_timeout,
            unregister_timeout=config.unregister_timeout,
        )
        self.remote_commands = RemoteCommands(self.router)
        self.questions = Questions(self.router)
        self.outstanding = OutstandingRequests(
            self.router, self.clock, self.brokers.time_limits, config
        )
        self.reply_brokers = ReplyBrokers(self.routes, self.heartbeats)
        self.router.on(NotifyConsumerIdsChanged, self._members_changed)
        self.pool.on_connected.append(self._connected)

    def start(self) -> Deferred[None]:
        """
        Start the periodic work.

        :returns: fires once a name server has responded; fails with
            :class:`NameServerUnavailable`, while the periodic work continues.
        """
        if not self.running:
            self.running = True
            self._every(self.config.poll_interval, self.routes.refresh_all)
            self._every(self.config.heartbeat_interval, self.heartbeats.send_all)
        request = GetRoute(topic=AUTO_CREATE_TOPIC, accept_standard_json_only=True)
        found = self.name_servers.call(request, self.config.call_timeout)

        def refused(failure: Failure) -> None:
            # "No such topic" is a response, too.
            failure.trap(BrokerError)

        return found.addCallbacks(lambda _: None, refused)

    def stop(self) -> Deferred[None]:
        """Leave all groups and close all connections; never fails."""
        self.running = False
        for loop in self._loops:
            loop.stop()
        self._loops.clear()
        left: list[Deferred[None]] = []
        for group in self.groups.producers:
            left.append(self.heartbeats.unregister_producer(group))
            self.groups.remove_producer(group)
        for group in self.groups.consumers:
            left.append(self.heartbeats.unregister_consumer(group))
            self.groups.remove_consumer(group)
        done = DeferredList(left, consumeErrors=True)
        done.addCallback(lambda _: self.brokers.stop())
        return done.addCallback(lambda _: self.pool.close_all())

    def _every(self, interval: float, work: Callable[[], Deferred[None]]) -> None:
        """
        Repeat some work, with a random period, so that clients do not all do it at
        once.
        """

        def tick() -> Deferred[None]:
            done: Deferred[None] = maybeDeferred(work)
            return done.addErrback(lambda f: self._log.failure("periodic work", f))

        loop = PeriodicCall(tick, self.clock)
        self._loops.append(loop)
        loop.start(interval * random.uniform(1 - _JITTER, 1 + _JITTER), now=False)

    def _connected(self, address: str, connection: Any) -> None:
        """Register with a broker whose connection is new."""
        if self.running:
            self.heartbeats.on_connected(address, connection)

    def _members_changed(self, request: NotifyConsumerIdsChanged, _call: Call) -> None:
        """Let the group rebalance; the request has no response."""
        self.groups.notify_consumer(request.consumer_group)


def _threads_of(reactor: Any) -> RunInThread:
    """Return what runs blocking calls; a ``Clock`` has no threads."""
    if not hasattr(reactor, "getThreadPool"):
        return run_here

    def run_in_thread(function: Callable[[], None]) -> Deferred[None]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), function)

    return run_in_thread
