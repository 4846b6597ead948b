"""
The two ports of a broker: the main one, and the fast one two below. The fast port
accepts all requests except pulls, so that many pulls do not delay the others.

Source: ``BrokerController.initializeRemotingServer`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rocketmq_tw.broker.config import FAST_PORT_GAP, BrokerConfig
from rocketmq_tw.remoting.addresses import EndpointString
from rocketmq_tw.remoting.admission import Admission
from rocketmq_tw.remoting.buffers import BufferBudget, gauges_of
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.reactor_share import ReactorShare
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.remoting.tls import ServerSide, server_side, tls_gauges
from rocketmq_tw.wire.codes import RequestCode

#: What may wait for messages.
_NOT_ON_FAST_PORT = (
    RequestCode.PULL_MESSAGE,
    RequestCode.LITE_PULL_MESSAGE,
    RequestCode.POP_MESSAGE,
    RequestCode.NOTIFICATION,
    RequestCode.POLLING_INFO,
)


class Ports:
    """
    Both ports, opened together and closed together.

    :param router: maps requests to handlers; complete before :meth:`accept`.
    :param on_lost: called with each lost connection.
    :param peers: logs messages about peers.
    :ivar factory: makes the connections of the main port.
    :ivar is_open: whether it accepts them.
    :ivar admission: counts the connections of both ports.
    :ivar budget: counts what is kept in memory for these.
    :ivar tls: TLS of both ports, and of the HA port; None without.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        config: BrokerConfig,
        router: Router,
        on_lost: Callable[[RemotingProtocol], None],
        peers: PeerLog | None = None,
    ) -> None:
        self._config = config
        self._router = router
        self.admission = Admission(
            config.max_connections, config.max_connections_per_address
        )
        self.budget = BufferBudget(config.max_buffered_size)
        share = ReactorShare(reactor)
        self.tls = self._make_tls(reactor, peers or PeerLog(reactor))
        self._main = Listener(reactor, self.tls, peers)
        self._fast = Listener(reactor, self.tls, peers)
        self.is_open = False
        self.factory, self._fast_factory = (
            RemotingServerFactory(
                router,
                reactor,
                on_lost,
                peers,
                self.admission,
                budget=self.budget,
                share=share,
                idle_timeout=config.server_channel_max_idle_time_seconds,
            )
            for _ in range(2)
        )

    def _make_tls(self, reactor: Any, peers: PeerLog) -> ServerSide | None:
        """Return TLS of the ports; None without."""
        config = self._config
        return server_side(
            config.tls.server,
            reactor=reactor,
            peers=peers,
            max_handshakes=config.max_tls_handshakes,
            max_handshakes_per_address=config.max_tls_handshakes_per_address,
            handshake_timeout=config.tls_handshake_timeout_millis / 1000,
            budget=self.budget,
        )

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows of the connections and their bytes."""
        return {**gauges_of(self.admission, self.budget), **tls_gauges(self.tls)}

    async def take(self) -> int:
        """
        Open both ports; connections wait until :meth:`accept`.

        :returns: the number of the main port.
        :raises CannotListen: one of them cannot be opened.
        """
        config = self._config
        if self.tls is not None:
            self.tls.start()
        endpoint = config.listen or f"tcp:{config.listen_port}"
        await self._main.take(endpoint, self.factory)
        port = int(getattr(self._main.address, "port", config.listen_port))
        if port > FAST_PORT_GAP:
            fast = EndpointString.parse(endpoint).on_port(port - FAST_PORT_GAP)
            await self._fast.take(str(fast), self._fast_factory)
        return port

    def accept(self) -> None:
        """Start accepting connections."""
        self._fast_factory.router = self._router.without(*_NOT_ON_FAST_PORT)
        self._main.accept()
        self.is_open = True
        self._fast.accept()

    async def stop_listening(self) -> None:
        """Accept no more connections; existing ones stay open."""
        self.is_open = False
        await self._main.stopService()
        await self._fast.stopService()
        if self.tls is not None:
            self.tls.stop()

    async def close(self) -> None:
        """Close all connections after their responses are sent."""
        await self.factory.close_all()
        await self._fast_factory.close_all()
