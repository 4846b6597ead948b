"""
Outgoing connections: one for each address, made when it is first needed and remade
after it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    maybeDeferred,
    succeed,
)
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.clock import steady_clock
from rocketmq_tw.remoting.addresses import client_endpoint, host_to_verify, is_endpoint
from rocketmq_tw.remoting.errors import ConnectError, timed_out
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.tls import client_side
from rocketmq_tw.tls.settings import Tls
from rocketmq_tw.wire.command import Sign
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)
EndpointFor = Callable[[str], IStreamClientEndpoint]


class Direct(Protocol):
    """Knows the endpoints of addresses that are reached otherwise: a ``Mapping``."""

    def get(self, address: str, /) -> IStreamClientEndpoint | None:
        """Return the endpoint of an address; None if it is reached as others are."""


_CLOSED = "the pool is closed"


class _ClientFactory(Factory):
    """Makes the protocol of one outgoing connection."""

    noisy = False

    def __init__(self, build: Callable[[], RemotingProtocol]) -> None:
        self._build = build

    def buildProtocol(self, addr: IAddress | None) -> RemotingProtocol:
        """Return the protocol of the connection."""
        return self._build()


class ConnectionPool:
    """
    Connections to name servers and brokers, by address.

    :param reactor: makes connections, and is the clock.
    :param router: handles the requests of servers.
    :param template: the endpoint string for ``host:port``.
    :param endpoint_for: makes the endpoint of an address, instead of the template.
    :param connect_timeout: the longest time to connect, in seconds.
    :param tls: use TLS, except where the address is an endpoint string of TLS itself.
    :param sign: adds a signature to each request; None does not.
    :param direct: endpoints of addresses that are reached otherwise; without TLS.
    :param configured: addresses of our own configuration, which may be endpoint
        strings. Others come from servers and clients: they are ``host:port``, and can
        lead to no path, certificate or plugin on this machine.
    :ivar on_connected: called with (address, connection) for each new connection.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        router: Router | None = None,
        *,
        template: str = "tcp:{host}:{port}",
        endpoint_for: EndpointFor | None = None,
        connect_timeout: float = 3.0,
        idle_timeout: float = 120.0,
        tls: Tls | None = None,
        sign: Sign | None = None,
        direct: Direct | None = None,
        configured: Collection[str] = (),
    ) -> None:
        self._reactor = reactor
        self._configured: Collection[str] = configured
        self._direct: Direct = {} if direct is None else direct
        self._sign = sign
        self._tls = None if tls is None else client_side(tls, reactor)
        self._clock = steady_clock(reactor)
        self._router = router or Router()
        self._template = template
        self._endpoint_for = endpoint_for or self._from_template
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._peers = PeerLog(self._clock)
        self._live: dict[str, RemotingProtocol] = {}
        self._waiting: dict[str, list[Deferred[RemotingProtocol]]] = {}
        self._connecting: dict[str, Deferred[Any]] = {}
        self._closed = False
        self.on_connected: list[Callable[[str, RemotingProtocol], None]] = []

    def connection(self, address: str) -> Deferred[RemotingProtocol]:
        """
        Return the connection to an address, making it if there is none.

        :returns: fails with :class:`ConnectError`. Cancelling it stops waiting; the
            attempt continues for other callers.
        """
        live = self._live.get(address)
        if live is not None and live.is_connected:
            return succeed(live)
        waiting: Deferred[RemotingProtocol] = Deferred()
        self._waiting.setdefault(address, []).append(waiting)
        if address not in self._connecting:
            self._connect(address)
        return waiting

    def live(self, address: str) -> RemotingProtocol | None:
        """Return the connection to an address; None if there is none now."""
        found = self._live.get(address)
        return found if found is not None and found.is_connected else None

    def call(
        self, address: str, request: Request[A], timeout: float = 3.0
    ) -> Deferred[A]:
        """Connect if needed and send a request; ``timeout`` covers both."""
        live = self.live(address)
        if live is not None:
            return live.call(request, timeout)
        response: Deferred[Any] = self.connection(address)
        response.addCallback(lambda connection: connection.call(request, None))
        late = timed_out(address, request, timeout)
        return response.addTimeout(timeout, self._reactor, late)

    def connect(self, address: str, factory: Factory) -> Deferred[Any]:
        """
        Make a connection of another protocol than ours; the pool does not keep it.

        :returns: the protocol that the factory made; fails if there is no connection.
        """

        def begin() -> Deferred[Any]:
            return self._endpoint(address).connect(factory)

        return maybeDeferred(begin)

    def close(self, address: str) -> Deferred[None]:
        """Close the connection to one address."""
        live = self._live.pop(address, None)
        return succeed(None) if live is None else live.close()

    def close_all(self, grace: float = 1.0) -> Deferred[None]:
        """Close all connections and cancel attempts to connect."""
        self._closed = True
        for attempt in list(self._connecting.values()):
            attempt.cancel()
        alive, self._live = list(self._live.values()), {}
        if not alive:
            return succeed(None)
        gone = DeferredList([connection.close() for connection in alive])

        def cut_all() -> None:
            for connection in alive:
                connection.abort()

        cut = self._reactor.callLater(grace, cut_all)
        return gone.addCallback(lambda _: cut.cancel() if cut.active() else None)

    def _connect(self, address: str) -> None:
        """Make one attempt to connect, for all callers that wait."""
        try:
            if self._closed:
                raise ConnectError(address, _CLOSED)
            endpoint = self._endpoint(address)
        except Exception as error:
            self._failed(address, Failure(error))
            return
        attempt = endpoint.connect(_ClientFactory(self._build))
        attempt.addTimeout(
            self._connect_timeout,
            self._reactor,
            lambda _, seconds: Failure(
                ConnectError(address, f"could not connect within {seconds:g} s")
            ),
        )
        self._connecting[address] = attempt
        attempt.addCallbacks(
            lambda connection: self._made(address, connection),
            lambda failure: self._failed(address, failure),
        )

    def _build(self) -> RemotingProtocol:
        """Return the protocol of a new connection."""
        connection = RemotingProtocol(
            self._router,
            self._clock,
            self._peers,
            idle_timeout=self._idle_timeout,
            stops_reading=False,
        )
        connection.sign = self._sign
        return connection

    def _made(self, address: str, connection: RemotingProtocol) -> None:
        """Keep a new connection, and pass it to all callers that wait."""
        self._connecting.pop(address, None)
        connection.on_lost.append(lambda lost: self._forget(address, lost))
        self._live[address] = connection
        for callback in list(self.on_connected):
            try:
                callback(address, connection)
            except Exception:
                self._log.failure("a new connection was not noticed")
        for waiting in self._waiting.pop(address, []):
            if not waiting.called:
                waiting.callback(connection)

    def _failed(self, address: str, failure: Failure) -> None:
        """Fail all callers that wait."""
        self._connecting.pop(address, None)
        error = failure.value
        if isinstance(error, CancelledError):
            error = ConnectError(address, _CLOSED)
        elif not isinstance(error, ConnectError):
            text = failure.getErrorMessage() or type(error).__name__
            error = ConnectError(address, f"could not connect: {text}")
            error.__cause__ = failure.value
        for waiting in self._waiting.pop(address, []):
            if not waiting.called:
                waiting.errback(error)

    def _forget(self, address: str, lost: RemotingProtocol) -> None:
        """Remove a lost connection."""
        if self._live.get(address) is lost:
            del self._live[address]

    def _endpoint(self, address: str) -> IStreamClientEndpoint:
        """Return the endpoint of an address, with TLS if there is to be TLS."""
        direct = self._direct.get(address)
        if direct is not None:
            return direct
        if is_endpoint(address) and address not in self._configured:
            raise ConnectError(address, "could not connect: it is not host:port")
        endpoint = self._endpoint_for(address)
        if self._tls is None:
            return endpoint
        host = host_to_verify(address)
        return endpoint if host is None else self._tls.over(endpoint, host)

    def _from_template(self, address: str) -> IStreamClientEndpoint:
        """Return the endpoint of an address, made from the template."""
        description = client_endpoint(address, self._template)
        endpoint: IStreamClientEndpoint = clientFromString(self._reactor, description)
        return endpoint
