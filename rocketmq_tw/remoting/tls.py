"""
TLS of servers and clients, as their settings say. Without TLS nothing is imported.

A server reads its files at the start, and again when they have changed: connections
that exist go on, new ones use the new certificate. Files that cannot be used then are
reported once, and the old certificate stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.buffers import BufferBudget
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.tls.settings import ServerMode, ServerTls, Tls, TlsSettings

if TYPE_CHECKING:
    from OpenSSL import SSL

    from rocketmq_tw.remoting.handshakes import Handshakes
    from rocketmq_tw.remoting.tls_client import ClientTls

#: Seconds between two looks whether files have changed.
LOOK_PERIOD = 5.0


class ServerSide:
    """
    TLS of one server; its ports share it.

    :param reactor: the clock, and the threads in which files are read.
    :param peers: logs messages about peers.
    :ivar handshakes: those that are not complete, and counters.
    :param budget: counts the bytes of those that are not complete.
    """

    _log = Logger()

    def __init__(
        self,
        settings: ServerTls,
        *,
        reactor: Any,
        peers: PeerLog,
        handshakes: Handshakes,
        budget: BufferBudget | None = None,
    ) -> None:
        from rocketmq_tw.remoting.tls_server import TlsPort

        self._settings = settings
        self._reactor = reactor
        self._wall_time = wall_time(reactor)
        self.handshakes = handshakes
        self._context: SSL.Context | None = None
        # What the files were when they were read, and when last looked at.
        self._loaded: object = None
        self._seen: object = None
        self._port = TlsPort(
            new_connection=self._new_connection,
            mode=settings.mode,
            handshakes=handshakes,
            peers=peers,
            budget=budget,
        )
        self._ticker = LoopingCall(self._look)
        self._ticker.clock = reactor

    def around(self, factory: IProtocolFactory) -> IProtocolFactory:
        """Return a factory that accepts TLS, and plain connections if they are let."""
        return self._port.around(factory)

    @property
    def refused_plain(self) -> int:
        """How many plain connections were refused since the start."""
        return self._port.refused_plain

    def start(self) -> None:
        """
        Read the files, look for changes from now on, and log what is accepted.

        :raises RocketMQError: a file cannot be used.
        """
        self._context, self._loaded = self._load()
        self._seen = self._loaded
        settings = self._settings
        if settings.is_test and not settings.certificate:
            self._log.warn(
                "TLS uses a certificate that was made now and that nobody can verify,"
                " as tls.test.mode.enable is true"
            )
        if settings.mode is ServerMode.PERMISSIVE:
            self._log.info(
                "TLS and plain connections are accepted; with tls.server.mode ="
                " enforcing, only TLS"
            )
        else:
            self._log.info("only TLS connections are accepted")
        if settings.certificate and not self._ticker.running:
            self._ticker.start(LOOK_PERIOD, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._ticker.running:
            self._ticker.stop()
        self.handshakes.stop()

    def _new_connection(self) -> SSL.Connection:
        """Return OpenSSL's side of a new connection, with the files last read."""
        from OpenSSL import SSL

        assert self._context is not None, "it is not started"
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        return connection

    def _load(self) -> tuple[SSL.Context, object]:
        """Read the files; return what comes of them, and their state before."""
        from rocketmq_tw.tls.contexts import server_context

        state = self._state()
        return server_context(self._settings, self._wall_time()), state

    def _state(self) -> object:
        """Return what changes when a file does."""
        from rocketmq_tw.tls.files import signature_of

        settings = self._settings
        paths = (settings.certificate, settings.key, settings.client_ca)
        return signature_of([path for path in paths if path])

    def _look(self) -> Deferred[None]:
        """Look for changed files in a thread."""
        pool = self._reactor.getThreadPool()
        looked: Deferred[Any] = deferToThreadPool(self._reactor, pool, self._reload)
        looked.addCallback(self._use)
        return looked.addErrback(
            lambda failure: self._log.failure("TLS files were not looked at", failure)
        )

    def _reload(self) -> SSL.Context | RocketMQError | None:
        """
        Read the files again if they have changed, and not since the last look.

        Certificate and key are replaced one after the other.
        """
        state = self._state()
        if state == self._loaded or state != self._seen:
            self._seen = state
            return None
        self._loaded = state
        try:
            context, self._loaded = self._load()
        except RocketMQError as error:
            return error
        return context

    def _use(self, found: SSL.Context | RocketMQError | None) -> None:
        """Use the new files, or report why not."""
        if isinstance(found, RocketMQError):
            self._log.error("{why}; the old certificate stays in use", why=str(found))
        elif found is not None:
            self._context = found
            self._log.info("new TLS connections use the changed files")


def server_side(
    settings: ServerTls,
    *,
    reactor: Any,
    peers: PeerLog,
    max_handshakes: int,
    max_handshakes_per_address: int,
    handshake_timeout: float,
    budget: BufferBudget | None = None,
) -> ServerSide | None:
    """
    Return TLS of a server; None if it has none.

    :param handshake_timeout: in seconds.
    """
    if not settings.is_on:
        return None
    from rocketmq_tw.remoting.handshakes import Handshakes

    handshakes = Handshakes(
        reactor,
        limit=max_handshakes,
        limit_per_address=max_handshakes_per_address,
        timeout=handshake_timeout,
    )
    return ServerSide(
        settings, reactor=reactor, peers=peers, handshakes=handshakes, budget=budget
    )


#: What runtime information shows, by name.
_GAUGES: dict[str, Callable[[ServerSide], int]] = {
    "tlsHandshakes": lambda side: side.handshakes.count,
    "tlsHandshakesWaiting": lambda side: side.handshakes.waiting,
    "tlsHandshakesCompleted": lambda side: side.handshakes.completed,
    "tlsHandshakesFailed": lambda side: side.handshakes.failed,
    "tlsHandshakesRefused": lambda side: side.handshakes.displaced,
    "tlsHandshakesTimedOut": lambda side: side.handshakes.timed_out,
    "tlsPlainRefused": lambda side: side.refused_plain,
}


def tls_gauges(side: ServerSide | None) -> dict[str, Callable[[], int]]:
    """Return what runtime information shows of TLS, by name; zeros without it."""
    if side is None:
        return dict.fromkeys(_GAUGES, int)
    return {name: partial(read, side) for name, read in _GAUGES.items()}


def client_side(settings: Tls, reactor: Any) -> ClientTls:
    """Return TLS of a client, whose files are read for the first connection."""
    from rocketmq_tw.remoting.tls_client import ClientTls

    return ClientTls(settings, wall_time(reactor))


def check_tls(settings: TlsSettings, reactor: Any) -> None:
    """
    Check all files before a program becomes a daemon.

    :raises RocketMQError: one cannot be used.
    """
    now = wall_time(reactor)()
    if settings.server.is_on:
        from rocketmq_tw.tls.contexts import server_context

        server_context(settings.server, now)
    if settings.client is not None:
        client_side(settings.client, reactor).load()
