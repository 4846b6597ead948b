"""What the tests of the client for asyncio begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.aio import Client
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster

T = TypeVar("T")


class MemoryClient(Client):
    """A client on a host of a cluster in memory."""

    def __init__(self, cluster: MemoryCluster, host: str, **options: Any) -> None:
        super().__init__(cluster.name_server_addresses, **options)
        self.memory = cluster.network.reactor(host)

    def _make_reactor(self, loop: asyncio.AbstractEventLoop) -> Any:
        """Return the reactor of the host."""
        return self.memory

    @property
    def is_stopped(self) -> bool:
        """Whether it needs no more time."""
        return self._client is None or self._stopped.is_set()


class AioCase(SynchronousTestCase):
    """A cluster in memory, whose time passes while an event loop runs."""

    def setUp(self) -> None:
        """Start it, with a topic of one queue."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T", 1)
        self.queue = MessageQueue("T", "broker-a", 0)
        self.clients: list[MemoryClient] = []

    def client(self, **options: Any) -> MemoryClient:
        """Make a client on a host of its own."""
        host = f"10.0.4.{len(self.clients) + 1}"
        options.setdefault("client_id", host)
        client = MemoryClient(self.cluster, host, **options)
        self.clients.append(client)
        return client

    def run_main(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a program of asyncio."""

        async def program() -> T:
            passing = asyncio.create_task(self._pass_time())
            try:
                return await main
            finally:
                passing.cancel()

        return asyncio.run(program())

    async def _pass_time(self) -> None:
        """Let 10 ms pass in each iteration of the loop, until all clients stopped."""
        cancelled = False
        while not cancelled or not all(client.is_stopped for client in self.clients):
            try:
                self.cluster.advance(0.01)
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                cancelled = True
