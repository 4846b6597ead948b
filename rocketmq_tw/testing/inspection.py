"""Lets a test inspect a cluster, with a client that joins no group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.client.client import Client
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.testing.reactor import MemoryReactor
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)


class Inspection:
    """Sends requests to the servers of a cluster, from its own host."""

    def __init__(self, reactor: MemoryReactor, name_servers: Sequence[str]) -> None:
        self._client = Client(reactor, name_servers, client_id="inspection")
        self._reader = self._client.queue_reader("inspection")

    def call(self, address: str, request: Request[A], timeout: float) -> Deferred[A]:
        """Send one request."""
        return self._client.session.brokers.call(address, request, timeout)

    async def messages(self, topic: str) -> list[StoredMessage]:
        """Return all messages of a topic, queue by queue; none for an unknown topic."""
        try:
            route = await self._client.route(topic, refresh=True)
        except NoRouteError:
            return []
        found: list[StoredMessage] = []
        for queue in route.readable(topic):
            at = await self._reader.min_offset(queue)
            end = await self._reader.max_offset(queue)
            while at < end:
                result = await self._reader.pull(queue, at)
                found += result.messages
                at = result.next_offset
        return found

    def stop(self) -> Deferred[None]:
        """Close its connections."""
        return self._client.stop(grace=0)
