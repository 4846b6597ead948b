"""
The brokers, as one client uses them: addresses, connections and calls.

A route contains the addresses that brokers advertise. An address to which no connection
was ever made may be reachable only from the broker's own host or network; the error of
a failed connection then says so: see :class:`BrokerUnreachable`.

Source: ``MQClientInstance.findBrokerAddressInPublish`` and similar methods of RocketMQ
5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import BrokerUnreachable
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.client.time_limits import TimeLimits
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)

#: Seconds without a byte, while a response is due, after which a connection is aborted.
UNRESPONSIVE_LIMIT = 2.5


class Brokers:
    """
    Calls brokers, by address or by queue.

    :ivar on_lost: called with the address of each broker whose connection is lost.
    :ivar time_limits: of requests that have no timers of their own.
    :ivar live: returns the connection to an address, None if there is none now. It is
        the pool's own method, since it is called for every message.
    """

    _log = Logger()

    def __init__(
        self, *, pool: ConnectionPool, routes: RouteCache, clock: IReactorTime
    ) -> None:
        self._pool = pool
        self._routes = routes
        self._clock = clock
        self._reached: set[str] = set()
        self.time_limits = TimeLimits(clock)
        self.on_lost: list[Callable[[str], object]] = []
        #: When the first request without a response was sent on a connection.
        self._unresponsive_since: WeakKeyDictionary[RemotingProtocol, float] = (
            WeakKeyDictionary()
        )
        self.live = pool.live
        pool.on_connected.append(self._on_connected)

    def address(
        self, broker_name: str, broker_id: int = MASTER_ID, any_broker: bool = False
    ) -> str | None:
        """
        Return the address of a broker in the known routes; None if there is none.

        :param any_broker: accept another broker of that name if that one is unknown.
        """
        return self._routes.address(broker_name, broker_id, any_broker)

    def connection(self, address: str) -> Deferred[RemotingProtocol]:
        """
        Return the connection to a broker, making it if there is none.

        :returns: fails with :class:`ConnectError`. Cancelling it stops waiting; the
            attempt continues for other callers.
        """
        return self._pool.connection(address).addErrback(self._explain, address)

    def call(
        self, address: str, request: Request[A], timeout: float = 3.0
    ) -> Deferred[A]:
        """Send a request; ``timeout`` is in seconds and includes connecting."""
        live = self.live(address)
        if live is not None:
            return live.call(request, timeout)
        called = self._pool.call(address, request, timeout)
        return called.addErrback(self._explain, address)

    def call_for(
        self, queue: MessageQueue, request: Request[A], timeout: float = 3.0
    ) -> Deferred[A]:
        """
        Send a request about a queue to its master, or to a replica if there is no
        master.

        :returns: fails with :class:`ConnectError` when no address of the broker is
            known, not even after a refresh of the route.
        """
        address = self.address(queue.broker_name, any_broker=True)
        if address is not None:
            return self.call(address, request, timeout)
        return Deferred.fromCoroutine(self._look_up_and_call(queue, request, timeout))

    async def _look_up_and_call(
        self, queue: MessageQueue, request: Request[A], timeout: float
    ) -> A:
        """Refresh the route to get the broker's address, and call it."""
        await self._routes.find(queue.topic, refresh=True)
        address = self.address(queue.broker_name, any_broker=True)
        if address is None:
            why = "the route has no address of this broker"
            raise ConnectError(queue.broker_name, why)
        return await self.call(address, request, timeout)

    def stop(self) -> None:
        """Stop the timers, after all requests have ended."""
        self.time_limits.stop()

    # -- failures

    def connect_error(self, address: str, why: str) -> ConnectError:
        """
        Return the error of a failed connection, with a hint if the address was never
        reached.
        """
        kind = ConnectError if address in self._reached else BrokerUnreachable
        return kind(address, why)

    def _explain(self, failure: Failure, address: str) -> Failure:
        """Add the hint to an error of the pool."""
        error = failure.value
        if type(error) is not ConnectError:
            return failure
        explained = self.connect_error(address, error.why)
        explained.__cause__ = error.__cause__
        return Failure(explained)

    def mark_unresponsive(self, address: str, since: float) -> None:
        """
        Record that a request timed out.

        If the other end vanished, writes still succeed. So a connection is aborted when
        nothing was received for :data:`UNRESPONSIVE_LIMIT` seconds after a request.

        :param since: when the request was sent, in seconds.
        """
        connection = self.live(address)
        if connection is None:
            return
        first = self._unresponsive_since.get(connection)
        if first is None or connection.last_seen > first:
            # Something was received since then: count from this request.
            first = self._unresponsive_since[connection] = since
        nothing_came = connection.last_seen <= first
        if nothing_came and self._clock.seconds() - first >= UNRESPONSIVE_LIMIT:
            self._log.warn("closing {address}: no response", address=address)
            connection.abort()

    def _on_connected(self, address: str, connection: RemotingProtocol) -> None:
        """Record that the address can be reached from here, and watch for a loss."""
        self._reached.add(address)
        connection.on_lost.append(lambda _: self._lost(address))

    def _lost(self, address: str) -> None:
        """Notify those who avoid brokers that are gone."""
        for callback in list(self.on_lost):
            callback(address)
