"""TLS of the console's port: the certificate of the broker's own ports."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.interfaces import IProtocolFactory

from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.tls import ServerSide, server_side
from rocketmq_tw.tls.settings import ServerMode, ServerTls

#: Handshakes that are made at once, of one browser or of many; others wait.
_HANDSHAKES = 64
#: Seconds for each.
_TIMEOUT = 20.0


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
            max_handshakes=_HANDSHAKES,
            max_handshakes_per_address=_HANDSHAKES,
            handshake_timeout=_TIMEOUT,
        )
        assert side is not None, "the broker has TLS"
        side.start()
        self._side = side
        return side.around(factory)

    def stop(self) -> None:
        """Look at the files no more."""
        side, self._side = self._side, None
        if side is not None:
            side.stop()
