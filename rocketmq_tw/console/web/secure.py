"""TLS of the console's port: the certificate of the broker's own ports."""

from __future__ import annotations

from typing import Any

import msgspec
from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.tls import ServerSide, server_side
from rocketmq_tw.tls.settings import ServerMode, ServerTls


class Secured:
    """
    Accepts only TLS, and follows changes of the certificate's files.

    :param settings: of the broker's ports.
    """

    def __init__(self, reactor: Any, settings: ServerTls) -> None:
        self._reactor = reactor
        self._settings = msgspec.structs.replace(settings, mode=ServerMode.ENFORCING)
        self._side: ServerSide | None = None

    def start(self, factory: IProtocolFactory) -> IProtocolFactory:
        """
        Return a factory that speaks TLS.

        :raises RocketMQError: a file cannot be used.
        """
        side = server_side(
            self._settings,
            reactor=self._reactor,
            peers=PeerLog(self._reactor),
            max_handshakes=0,
            max_handshakes_per_address=0,
            handshake_timeout=0.0,
        )
        assert side is not None, "the broker has TLS"
        side.start()
        self._side = side
        creator = _Creator(side)
        made: IProtocolFactory = _Connections(
            creator, isClient=False, wrappedFactory=factory, clock=self._reactor
        )
        return made

    def stop(self) -> None:
        """Look at the files no more."""
        side, self._side = self._side, None
        if side is not None:
            side.stop()


class _Connections(TLSMemoryBIOFactory):
    """Makes connections with TLS; that of Twisted cannot refuse any."""

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol of a connection; None refuses it."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)


@implementer(IOpenSSLServerConnectionCreator)
class _Creator:
    """Makes OpenSSL's side of each connection."""

    def __init__(self, side: ServerSide) -> None:
        self._side = side

    def serverConnectionForTLS(self, _protocol: object) -> SSL.Connection:  # noqa: N802
        """Return one, with the files last read."""
        return self._side.new_connection()
