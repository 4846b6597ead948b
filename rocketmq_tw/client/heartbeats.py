"""
Heartbeats report to brokers the groups of a client.

Every broker in any known route gets a heartbeat each half minute, and at once when a
connection to it is new or a subscription has changed. Replicas get them only if the
client consumes.

Source: ``sendHeartbeatToAllBrokerWithLock`` and ``unregisterClient`` of
``MQClientInstance`` of RocketMQ 5; brokers are called in parallel here.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.groups import Groups
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import Heartbeat, UnregisterClient


class Heartbeats:
    """
    Registers one client's groups with the brokers, and unregisters them.

    :param timeout: seconds for one heartbeat, including connecting.
    :param unregister_timeout: seconds that leaving a group may take.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        client_id: str,
        groups: Groups,
        brokers: Brokers,
        routes: RouteCache,
        timeout: float = 3.0,
        unregister_timeout: float = 1.0,
    ) -> None:
        self._client_id = client_id
        self._groups = groups
        self._brokers = brokers
        self._routes = routes
        self._timeout = timeout
        self._unregister_timeout = unregister_timeout
        #: Addresses with a heartbeat in flight, or a connection being made for one.
        self._in_flight: set[str] = set()
        #: Those who wait for the heartbeat after the one in flight, by address.
        self._wanted: dict[str, list[Deferred[None]]] = {}

    def send_all(self) -> Deferred[None]:
        """Send a heartbeat to every broker; errors are logged, it never fails."""
        if not self._groups:
            return succeed(None)
        sent = DeferredList([self._send(address) for address in self._addresses()])
        return sent.addCallback(lambda _: None)

    def on_connected(self, address: str, _connection: Any) -> None:
        """Send a heartbeat over a new connection to a broker."""
        if not self._groups or address in self._in_flight:
            return
        if address in self._addresses():
            # The pool lists the connection only now, so it is new to the consumers too.
            sent = self._send(address)
            sent.addCallback(lambda _: self._groups.notify_consumers())

    def unregister_producer(self, group: str) -> Deferred[None]:
        """Leave a producer group at every connected broker; see :meth:`_unregister`."""
        request = UnregisterClient(client_id=self._client_id, producer_group=group)
        return self._unregister(request)

    def unregister_consumer(self, group: str) -> Deferred[None]:
        """Leave a consumer group at every connected broker; see :meth:`_unregister`."""
        request = UnregisterClient(client_id=self._client_id, consumer_group=group)
        return self._unregister(request)

    def _unregister(self, request: UnregisterClient) -> Deferred[None]:
        """
        Send to all connected brokers: the others do not know the client.

        :returns: fires after :attr:`_unregister_timeout` at the latest; never fails.
        """
        sent = [
            connection.call(request, self._unregister_timeout)
            for connection in map(self._brokers.live, self._addresses())
            if connection is not None
        ]
        done = DeferredList(sent, consumeErrors=True)
        return done.addCallback(lambda _: None)

    def _addresses(self) -> list[str]:
        """Return the brokers to register with: masters, and replicas for consumers."""
        found: dict[str, None] = {}
        for addresses in self._routes.brokers.values():
            for broker_id, address in addresses.items():
                if broker_id == MASTER_ID or self._groups.consumers:
                    found[address] = None
        return list(found)

    def _send(self, address: str) -> Deferred[None]:
        """
        Send a heartbeat, connecting if needed; errors are logged.

        While one is in flight, one more is sent after it, for all who want one: if a
        thousand consumers start at once, the thousand groups are not sent so often.
        """
        if address in self._in_flight:
            wanted: Deferred[None] = Deferred()
            self._wanted.setdefault(address, []).append(wanted)
            return wanted
        is_new = self._brokers.live(address) is None
        data = self._groups.heartbeat_data(self._client_id)
        request = Heartbeat(body=data.encode())
        self._in_flight.add(address)

        def received(_response: Response) -> None:
            if is_new:
                self._groups.notify_consumers()

        def failed(failure: Failure) -> None:
            self._log.warn(
                "no heartbeat to {address}: {why}",
                address=address,
                why=failure.getErrorMessage(),
            )

        def done(result: Any) -> Any:
            self._in_flight.discard(address)
            waiting = self._wanted.pop(address, None)
            if waiting is not None:
                self._send(address).addCallback(lambda _: _fire(waiting))
            return result

        sent = self._brokers.call(address, request, self._timeout)
        return sent.addBoth(done).addCallbacks(received, failed)


def _fire(waiting: list[Deferred[None]]) -> None:
    """Fire Deferreds, unless they were cancelled."""
    for each in waiting:
        if not each.called:
            each.callback(None)
