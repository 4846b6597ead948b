"""
The two ports of a broker: the main one, and the fast one two below, which takes all
requests but pulls, so that a flood of those does not hold up the others.

Source: ``BrokerController.initializeRemotingServer`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory

#: What the fast port does not take: pulls (POP requests are not taken anywhere).
_NOT_ON_FAST_PORT = (11, 361)


class Ports:
    """
    Both ports, taken together and closed together.

    :param router: who handles what; filled before :meth:`accept`.
    :param on_lost: called with each connection that is gone.
    """

    def __init__(
        self,
        reactor: Any,
        config: BrokerConfig,
        router: Router,
        on_lost: Callable[[Any], None],
    ) -> None:
        self._config = config
        self._router = router
        idle = config.server_channel_max_idle_time_seconds
        self._ends = [
            (
                Listener(reactor),
                RemotingServerFactory(router, reactor, on_lost, idle_timeout=idle),
            )
            for _ in range(2)
        ]

    async def take(self) -> int:
        """
        Take both ports; who connects waits for :meth:`accept`.

        :returns: the number of the main one.
        :raises CannotListen: one of them cannot be had.
        """
        (main, factory), (fast, fast_factory) = self._ends
        await main.take(_endpoint(self._config), factory)
        port = int(getattr(main.address, "port", self._config.listen_port))
        if port > 2:
            await fast.take(_endpoint(self._config, port - 2), fast_factory)
        return port

    def accept(self) -> None:
        """Let clients in."""
        self._ends[1][1].router = self._router.without(*_NOT_ON_FAST_PORT)
        for listener, _ in self._ends:
            listener.accept()

    async def stop_listening(self) -> None:
        """Let nobody in any more; connections stay."""
        for listener, _ in self._ends:
            await listener.stopService()

    async def close(self) -> None:
        """Close all connections once their responses are sent."""
        for _, factory in self._ends:
            await factory.close_all()


def _endpoint(config: BrokerConfig, port: int | None = None) -> str:
    """Give the endpoint string to listen on; of the fast port if one is given."""
    if not config.listen:
        return f"tcp:{config.listen_port if port is None else port}"
    if port is None:
        return config.listen
    kind, _, rest = config.listen.partition(":")
    return ":".join([kind, str(port), *rest.split(":")[1:]])
