"""The factory of incoming connections, which tracks and closes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory

from rocketmq_tw.remoting.addresses import peer_address
from rocketmq_tw.remoting.admission import Admission
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router


class RemotingServerFactory(ServerFactory):
    """
    Makes a :class:`RemotingProtocol` for every client.

    :param router: handles their requests.
    :param on_lost: called with each lost connection.
    :param peers: logs messages about peers; None makes one.
    :param admission: counts connections, and refuses those beyond its limits.
    :param limits: passed to the protocol: ``frame_limit``, ``idle_timeout``, ...
    :ivar router: used by connections made from now on.
    :ivar connections: the open connections.
    """

    noisy = False

    def __init__(
        self,
        router: Router,
        clock: IReactorTime,
        on_lost: Callable[[RemotingProtocol], None] | None = None,
        peers: PeerLog | None = None,
        admission: Admission | None = None,
        **limits: Any,
    ) -> None:
        self.router = router
        self._clock = clock
        self._on_lost = on_lost
        self._limits = limits
        self._peers = peers or PeerLog(clock)
        self._admission = admission or Admission()
        self._closed = False
        self.connections: set[RemotingProtocol] = set()

    def buildProtocol(self, addr: IAddress | None) -> RemotingProtocol | None:
        """Return the protocol of one client; None closes a refused connection."""
        if self._closed:
            return None
        protocol = RemotingProtocol(
            self.router, self._clock, self._peers, **self._limits
        )
        refused = self._admission.admit(protocol, getattr(addr, "host", ""))
        if refused is not None:
            self._peers.complain(peer_address(addr)[0], refused)
            return None
        protocol.factory = self
        protocol.on_lost.append(self._forget)
        protocol.on_lost.append(self._admission.release)
        self.connections.add(protocol)
        return protocol

    def _forget(self, protocol: RemotingProtocol) -> None:
        """Remove a lost connection and call ``on_lost``."""
        self.connections.discard(protocol)
        if self._on_lost is not None:
            self._on_lost(protocol)

    def close_all(self, grace: float = 2.0) -> Deferred[None]:
        """
        Close every connection after its responses are sent.

        :param grace: seconds after which connections that are still open are aborted.
        """
        self._closed = True
        alive = list(self.connections)
        if not alive:
            return succeed(None)
        gone = DeferredList([protocol.close() for protocol in alive])

        def cut_all() -> None:
            for protocol in alive:
                protocol.abort()

        cut = self._clock.callLater(grace, cut_all)

        def done(_result: object) -> None:
            if cut.active():
                cut.cancel()

        return gone.addCallback(done)
