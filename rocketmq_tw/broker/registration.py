"""
Making the broker known to every name server, and keeping it known.

One connection to each name server stays open, because its loss takes the broker out of
the routes. What is sent is always the whole table of
topics: Apache's 5.x name servers refuse a first registration that has just one topic.

::

    connect --- fails ---> wait 1, 2, 4, 5, 5 ... s, connect
       | made
    register, again every 30 s and when topics changed --- lost ---> wait, connect

Source: ``BrokerController.registerBrokerAll`` and ``BrokerOuterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE, TopicConfig
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody, crc
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.requests.registration import RegisterBroker, UnregisterBroker

#: Seconds to wait before connecting again, doubled after each failure, up to a limit.
FIRST_DELAY = 1.0
LAST_DELAY = 5.0
#: Seconds between two registrations because of changed topics.
CHANGE_GAP = 0.2
#: Seconds that somebody waits at most for name servers to know a topic.
REGISTER_TIMEOUT = 3.0
#: Seconds that a stopping broker waits for name servers to unregister it.
UNREGISTER_TIMEOUT = 1.0
#: Milliseconds without registration after which a name server forgets the broker.
HEARTBEAT_TIMEOUT_MS = 120_000


class BrokerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who a broker is.

    :ivar address: ``host:port`` under which clients know the broker.
    :ivar ha_address: ``host:port`` that replicas copy from.
    """

    cluster: str
    broker_name: str
    broker_id: int
    address: str
    ha_address: str


class Registration(Service):
    """
    Registers a broker with all its name servers.

    :param reactor: makes connections, and is the clock.
    :param name_servers: ``host:port`` of each, all of them registered with.
    :param topics: what is registered.
    :param permission: the broker's own; if it lacks reading or writing, so do all
        topics in what is registered.
    :param period: seconds between registrations.
    :param timeout: seconds that a name server may take to answer.
    :param pool: makes the connections; for tests, and for TLS.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        name_servers: Sequence[str],
        identity: BrokerIdentity,
        topics: TopicTable,
        *,
        permission: int = PERM_READ | PERM_WRITE,
        period: float = 30.0,
        timeout: float = 24.0,
        pool: ConnectionPool | None = None,
    ) -> None:
        self._reactor = reactor
        self._identity = identity
        self._topics = topics
        self._permission = permission
        self._period = period
        self._pool = pool or ConnectionPool(reactor)
        self._links = [
            NameServerLink(reactor, self._pool, address, self._request, timeout)
            for address in dict.fromkeys(name_servers)
        ]
        self._ticker = LoopingCall(self.register)
        self._ticker.clock = reactor
        self._changed: IDelayedCall | None = None
        self._last_change = float("-inf")
        self._written: tuple[object, bytes, int] | None = None

    def startService(self) -> None:
        """Connect to all name servers; each is registered with once connected."""
        super().startService()
        self._topics.on_change.append(self._topics_changed)
        for link in self._links:
            link.start()
        self._ticker.start(self._period, now=False)

    def stopService(self) -> Deferred[Any]:
        """Take the broker out of all routes, for at most 1 s, and disconnect."""
        super().stopService()
        if self._topics_changed in self._topics.on_change:
            self._topics.on_change.remove(self._topics_changed)
        if self._changed is not None and self._changed.active():
            self._changed.cancel()
        if self._ticker.running:
            self._ticker.stop()
        gone = DeferredList([link.stop(self._unregistration()) for link in self._links])
        return gone.addCallback(lambda _: self._pool.close_all())

    def register(self) -> None:
        """Register with every name server that is connected; a failure is logged."""
        for link in self._links:
            try:
                link.register()
            except Exception:
                # Else the first one would end the ticking for good.
                self._log.failure("registering with {ns} failed", ns=link.address)

    def register_and_wait(self) -> Deferred[None]:
        """
        Register now, and wait for the responses.

        :returns: fires when every connected name server has responded, whatever it
            said, or after 3 s. So Apache RocketMQ does before it says that a topic is
            made; administrators ask for the route right then.
        """
        if self._changed is not None and self._changed.active():
            self._changed.cancel()
        self._last_change = self._reactor.seconds()
        done = DeferredList(
            [link.register_and_wait() for link in self._links], consumeErrors=True
        )
        done.addTimeout(REGISTER_TIMEOUT, self._reactor, lambda *_: None)
        return done.addCallback(lambda _: None)

    @property
    def registered(self) -> list[str]:
        """The addresses of the name servers that know the broker now."""
        return [link.address for link in self._links if link.registered]

    def _topics_changed(self, _config: TopicConfig | None) -> None:
        """Register at the end of this reactor iteration, but not too often."""
        if self._changed is not None and self._changed.active():
            return
        due = self._last_change + CHANGE_GAP - self._reactor.seconds()
        self._changed = self._reactor.callLater(max(0.0, due), self._register_changed)

    def _register_changed(self) -> None:
        """Register because topics changed."""
        self._last_change = self._reactor.seconds()
        self.register()

    def _request(self) -> RegisterBroker:
        """Make the request; the body is written once for each version of the table."""
        version = self._topics.data_version
        if self._written is None or self._written[0] != version:
            table = TopicConfigAndMappingTable(
                self._visible(), version, mapping_data_version=version
            )
            body = RegisterBrokerBody(table).encode()
            self._written = (version, body, crc(body))
        _, body, checksum = self._written
        identity = self._identity
        return RegisterBroker(
            broker_name=identity.broker_name,
            broker_addr=identity.address,
            cluster_name=identity.cluster,
            ha_server_addr=identity.ha_address,
            broker_id=identity.broker_id,
            heartbeat_timeout_millis=HEARTBEAT_TIMEOUT_MS,
            compressed=False,
            body_crc32=checksum,
            body=body,
        )

    def _visible(self) -> dict[str, TopicConfig]:
        """Give the topics as clients may use them."""
        if self._permission & PERM_READ and self._permission & PERM_WRITE:
            return self._topics.table
        return {
            name: msgspec.structs.replace(config, perm=config.perm & self._permission)
            for name, config in self._topics.table.items()
        }

    def _unregistration(self) -> UnregisterBroker:
        """Make the request that takes the broker out."""
        identity = self._identity
        return UnregisterBroker(
            identity.broker_name,
            identity.address,
            identity.cluster,
            identity.broker_id,
        )


class NameServerLink:
    """
    The connection to one name server, and the registration made through it.

    :param make: makes the registration of this moment.
    :ivar registered: whether it knows the broker, as far as is known.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        pool: ConnectionPool,
        address: str,
        make: Callable[[], RegisterBroker],
        timeout: float,
    ) -> None:
        self.address = address
        self.registered = False
        self._reactor = reactor
        self._pool = pool
        self._make = make
        self._timeout = timeout
        self._running = False
        self._connection: RemotingProtocol | None = None
        self._connecting: Deferred[Any] | None = None
        self._asking: Deferred[Any] | None = None
        self._again = False
        self._next: list[Deferred[None]] = []
        self._current: list[Deferred[None]] = []
        self._retry: IDelayedCall | None = None
        self._delay = FIRST_DELAY
        self._complained = False

    def start(self) -> None:
        """Connect, and go on doing so."""
        self._running = True
        self._connect()

    def stop(self, request: UnregisterBroker) -> Deferred[None]:
        """
        Connect no more, and unregister.

        :returns: fires once the name server has responded, or did not in time.
        """
        self._running = False
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        for waiting in (self._connecting, self._asking):
            if waiting is not None:
                waiting.cancel()
        connection, self._connection = self._connection, None
        done: Deferred[None] = Deferred()
        if connection is None or not connection.is_connected:
            done.callback(None)
        else:
            response = connection.call(request, UNREGISTER_TIMEOUT)
            response.addBoth(lambda _: done.callback(None))
        return done

    def register(self) -> None:
        """Register, or once more after the registration in flight."""
        if self._connection is None:
            self._release_waiting()
            return
        if self._asking is not None:
            self._again = True
            return
        self._again = False
        self._current, self._next = self._next, []
        asking = self._asking = self._connection.call(self._make(), self._timeout)
        asking.addCallbacks(self._done, self._refused)
        asking.addErrback(lambda f: self._log.failure("registering failed", f))

    def register_and_wait(self) -> Deferred[None]:
        """
        Register what is true now.

        :returns: fires with the response or failure; at once without a connection.
        """
        waiting: Deferred[None] = Deferred(self._drop)
        self._next.append(waiting)
        self.register()
        return waiting

    def _drop(self, waiting: Deferred[None]) -> None:
        """Forget somebody who waits no more."""
        for those in (self._next, self._current):
            if waiting in those:
                those.remove(waiting)

    def _release_waiting(self) -> None:
        """Let those go on whose registration is over."""
        over, self._current = self._current, []
        if not self._again:
            over, self._next = over + self._next, []
        for each in over:
            each.callback(None)

    def _connect(self) -> None:
        """Try to connect once."""
        connecting = self._connecting = self._pool.connection(self.address)
        connecting.addCallbacks(self._connected, self._unreachable)
        connecting.addErrback(lambda f: self._log.failure("connecting failed", f))

    def _connected(self, connection: RemotingProtocol) -> None:
        """Register at once; the name server may have just started."""
        self._connecting = None
        if not self._running:
            return
        self._connection = connection
        connection.on_lost.append(self._lost)
        self.register()

    def _unreachable(self, failure: Failure) -> None:
        """Try again later."""
        self._connecting = None
        if self._running:
            self._complain(failure)
            self._retry_later()

    def _lost(self, connection: RemotingProtocol) -> None:
        """Connect again; the name server has dropped the broker."""
        if self._connection is connection:
            self._connection = None
            if self._running:
                self._complain(Failure(ConnectionError("the connection was lost")))
                self._retry_later()

    def _retry_later(self) -> None:
        """Wait, longer each time."""
        self._retry = self._reactor.callLater(self._delay, self._connect)
        self._delay = min(self._delay * 2, LAST_DELAY)

    def _done(self, _response: object) -> None:
        """Note that the name server knows the broker."""
        self._asking = None
        if not self.registered:
            self._log.info("registered with name server {ns}", ns=self.address)
        self.registered = True
        self._complained = False
        self._delay = FIRST_DELAY
        self._release_waiting()
        if self._again:
            self.register()

    def _refused(self, failure: Failure) -> None:
        """Note that it does not; the next round tries again."""
        self._asking = None
        self._again = False
        self._release_waiting()
        if not self._running:
            return
        self._complain(failure)
        if failure.check(RequestTimeout) and self._connection is not None:
            # Perhaps its host is gone without a word: a new connection would show it.
            self._connection.abort()

    def _complain(self, failure: Failure) -> None:
        """Log an outage once, not each try."""
        self.registered = False
        if not self._complained:
            self._complained = True
            self._log.warn(
                "not registered with name server {ns}: {why}; trying on",
                ns=self.address,
                why=failure.getErrorMessage(),
            )
