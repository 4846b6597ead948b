"""
The client's end of TLS: an endpoint that makes the handshake and verifies the server.

The protocol is made when both are complete; until then, nothing is sent. The server's
certificate must have been signed by an authority that is trusted, and be for the host
of the address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.tls_records import Records
from rocketmq_tw.remoting.tls_transport import TlsTransport, handshake_step
from rocketmq_tw.tls.contexts import client_context
from rocketmq_tw.tls.errors import TlsFailed
from rocketmq_tw.tls.explain import certificate_problem, handshake_problem
from rocketmq_tw.tls.files import signature_of
from rocketmq_tw.tls.names import announce, certificate_of, is_for, names_of
from rocketmq_tw.tls.settings import INSECURE, Tls


class ClientTls:
    """
    TLS of one client: makes and verifies its connections.

    Files that have changed are read again when the next connection is made.

    :param wall_time: returns the time of day.
    """

    _log = Logger()

    def __init__(self, settings: Tls, wall_time: Callable[[], float]) -> None:
        self._settings = settings
        self._wall_time = wall_time
        paths = (settings.ca_file, settings.certificate, settings.key)
        self._paths = [path for path in paths if path]
        self._state: object = None
        self._context: SSL.Context | None = None

    def load(self) -> None:
        """
        Read the files, if they have changed.

        :raises RocketMQError: one cannot be used, and none were read before.
        """
        state = signature_of(self._paths)
        if self._context is None:
            self._context = self._load()
            self._warn()
        elif state != self._state:
            try:
                self._context = self._load()
            except RocketMQError as error:
                self._log.error("{why}; the old files stay in use", why=str(error))
        self._state = state

    def over(self, endpoint: IStreamClientEndpoint, host: str) -> IStreamClientEndpoint:
        """
        Return an endpoint that makes TLS connections.

        :param endpoint: connects to the server.
        :param host: the name or address that certificates must be for, unless the
            settings have another.
        :raises RocketMQError: a file cannot be used.
        """
        self.load()
        return _Endpoint(self, endpoint, self._settings.server_name or host)

    def new_connection(self, name: str) -> SSL.Connection:
        """
        Return OpenSSL's side of a new connection.

        :param name: of the server; it is sent, as a server may have several.
        :raises TlsFailed: no host can have that name.
        """
        assert self._context is not None, "the files were not read"
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        connection.set_app_data([])
        announce(connection, name)
        return connection

    def verify_name(self, connection: SSL.Connection, name: str) -> None:
        """
        Check that a certificate is for a server; its signatures were checked before.

        :raises TlsFailed: it is for others.
        """
        if self._settings.verify == INSECURE or is_for(connection, name):
            return
        names = names_of(certificate_of(connection))
        raise TlsFailed(f"the certificate of the server is for {names}, not for {name}")

    def _load(self) -> SSL.Context:
        """Return the context that the files stand for."""
        return client_context(self._settings, self._wall_time(), _note_problem)

    def _warn(self) -> None:
        """Log a warning if servers are not verified."""
        if self._settings.verify == INSECURE:
            self._log.warn(
                "servers are not verified, as verify is {word}: anybody who is between"
                " this client and a server can read and change everything",
                word=INSECURE,
            )


def server_problem(connection: SSL.Connection, error: BaseException) -> str:
    """Return why a handshake failed, as the client sees it."""
    problems = connection.get_app_data()
    if problems:
        return f"the certificate of the server is refused: {problems[0]}"
    return f"the TLS handshake with the server failed: {handshake_problem(error)}"


def _note_problem(
    connection: Any, _certificate: Any, number: int, _depth: int, ok: int
) -> bool:
    """Remember what OpenSSL found wrong with a certificate."""
    if not ok:
        connection.get_app_data().append(certificate_problem(number))
    return bool(ok)


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Connects by another endpoint, and makes the handshake."""

    def __init__(
        self, tls: ClientTls, endpoint: IStreamClientEndpoint, name: str
    ) -> None:
        self._tls = tls
        self._endpoint = endpoint
        self._name = name

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect; fires with the protocol when the server is verified."""
        made = _BeginningFactory(self._tls, self._name, factory)
        connecting: Deferred[Any] = self._endpoint.connect(made)
        return connecting.addCallback(lambda beginning: beginning.verified)


class _BeginningFactory(Factory):
    """Makes the beginning of one connection."""

    noisy = False

    def __init__(self, tls: ClientTls, name: str, factory: IProtocolFactory) -> None:
        self._tls = tls
        self._name = name
        self._factory = factory

    def buildProtocol(self, addr: IAddress | None) -> _Beginning:
        """Return the beginning of a connection."""
        assert addr is not None
        return _Beginning(
            self._tls, self._name, lambda: self._factory.buildProtocol(addr)
        )


class _Beginning(Protocol):
    """
    A connection until the server is verified.

    :ivar verified: fires with the protocol then; fails with :class:`TlsFailed`.
    """

    transport: Any = None

    def __init__(
        self, tls: ClientTls, name: str, build: Callable[[], IProtocol | None]
    ) -> None:
        self._tls = tls
        self._name = name
        self._build = build
        self._connection: SSL.Connection | None = None
        self._records = Records()
        self.verified: Deferred[Any] = Deferred(lambda _: self._cancel())

    def connectionMade(self) -> None:
        """Send the first message."""
        try:
            self._connection = self._tls.new_connection(self._name)
        except TlsFailed as error:
            self._fail(error.why)
        else:
            self._step()

    def dataReceived(self, data: bytes) -> None:
        """Continue the handshake."""
        if self._connection is not None:
            self._connection.bio_write(data)
            self._step(self._records.feed(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail, unless it has failed before."""
        self._fail(
            "the server closed the connection during the TLS handshake; perhaps it"
            " does not accept TLS (tls.server.mode disabled)"
        )

    def _step(self, count: int = 0) -> None:
        """
        Continue with what was received; verify the server at the end.

        :param count: how many records came; some may be for the protocol.
        """
        connection = self._connection
        assert connection is not None
        try:
            if handshake_step(connection, self.transport):
                self._tls.verify_name(connection, self._name)
                self._complete(connection, count)
        except SSL.Error as error:
            self._fail(server_problem(connection, error))
        except TlsFailed as error:
            self._fail(error.why)

    def _complete(self, connection: SSL.Connection, count: int) -> None:
        """Make the protocol, and leave the connection to it."""
        self._connection = None
        inner = self._build()
        if inner is None:
            self._fail("the connection is not wanted any more")
            return
        secure = TlsTransport(connection, self._records, inner)
        transport = self.transport
        transport.protocol = secure
        # Transports that are no sockets may still call this.
        self.dataReceived = secure.dataReceived  # type: ignore[method-assign]
        self.connectionLost = secure.connectionLost  # type: ignore[method-assign]
        secure.makeConnection(transport)
        inner.makeConnection(secure)
        verified, self.verified = self.verified, Deferred()
        verified.callback(inner)
        secure.read(count)

    def _fail(self, why: str) -> None:
        """Close, and report why."""
        self._connection = None
        self.transport.loseConnection()
        if not self.verified.called:
            self.verified.errback(TlsFailed(why))

    def _cancel(self) -> None:
        """Close: nobody waits any more."""
        self._connection = None
        self.transport.abortConnection()
