"""
The connection of a broker to one name server, through which it registers.

::

    STOPPED      start         CONNECTING
    CONNECTING   made          CONNECTED, and registers at once
    CONNECTING   failed        WAITING       1 s
    WAITING      time is over  CONNECTING
    CONNECTED    register      REGISTERING
    REGISTERING  response      CONNECTED
    REGISTERING  failed        CONNECTED; the next periodic registration retries
    CONNECTED    lost          WAITING
    any          stop          STOPPED

Whether the name server knows the broker is another question: it still does while a
further registration is in flight. See :class:`Standing`.

One registration is in flight at a time. What changes meanwhile is in the next one, so
that there are no more of them than the name server can take, however fast topics are
created. :mod:`rocketmq_tw.broker.unregistered` knows what is left.

Source: ``BrokerOuterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.unregistered import Piece, Unregistered
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.wire.requests.registration import (
    DataVersionResponse,
    QueryDataVersion,
    RegisterBroker,
    RegisterResponse,
    UnregisterBroker,
)

#: Seconds before reconnecting: a broker is registered again within two seconds after a
#: name server is there again.
RECONNECT_DELAY = 1.0
#: Seconds after a failure in which changes are not registered.
PAUSE = 1.0
#: Seconds that a stopping broker waits for a name server to unregister it.
UNREGISTER_TIMEOUT = 1.0


#: Called with the name server's address, and its response to a registration or None.
OnResponse = Callable[[str, RegisterResponse | None], object]


class LinkState(Enum):
    """The states in the table above."""

    STOPPED = "STOPPED"
    CONNECTING = "CONNECTING"
    WAITING = "WAITING"
    CONNECTED = "CONNECTED"
    REGISTERING = "REGISTERING"


class Standing(Enum):
    """What is known of the broker's registration with the name server."""

    #: Nothing has succeeded or failed yet.
    UNKNOWN = "UNKNOWN"
    #: The last one succeeded, and nothing failed since.
    REGISTERED = "REGISTERED"
    #: Something failed, which was logged; later failures are not logged.
    OUTAGE = "OUTAGE"


class NameServerLink:
    """
    A connection to one name server, through which the broker registers.

    :param unregistered: what the name server lacks.
    :param make_request: makes a request that registers a piece.
    :param make_query: makes a request that compares the version of the table.
    :param timeout: seconds that the name server may take to respond.
    :ivar connection: the connection; None while there is none.
    :param on_response: called with its address and the response to each registration;
        with None when the connection is lost.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        pool: ConnectionPool,
        address: str,
        unregistered: Unregistered,
        make_request: Callable[[Piece], RegisterBroker],
        make_query: Callable[[], QueryDataVersion],
        timeout: float,
        on_response: OnResponse | None = None,
    ) -> None:
        self.address = address
        self._on_response = on_response
        self._reactor = reactor
        self._pool = pool
        self._unregistered = unregistered
        self._make_request = make_request
        self._make_query = make_query
        self._timeout = timeout
        self._state = LinkState.STOPPED
        self._standing = Standing.UNKNOWN
        self.connection: RemotingProtocol | None = None
        # The attempt to connect, or the registration in flight.
        self._pending: Deferred[Any] | None = None
        # They wait for changes: those in flight, and those that are left.
        self._current = Waiters(self._waited_too_long)
        self._next = Waiters(self._waited_too_long)
        self._is_unresponsive = False
        self._paused_until = float("-inf")
        self._retry: IDelayedCall | None = None

    @property
    def registered(self) -> bool:
        """Whether the last registration succeeded and nothing failed since."""
        return self._standing is Standing.REGISTERED

    def start(self) -> None:
        """Connect, and reconnect after each loss."""
        self._connect()

    def stop(self, request: UnregisterBroker) -> Deferred[None]:
        """
        Stop reconnecting, and unregister.

        :returns: fires with the response or the timeout.
        """
        self._state = LinkState.STOPPED
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        if self._pending is not None:
            self._pending.cancel()
        connection, self.connection = self.connection, None
        done: Deferred[None] = Deferred()
        if connection is None or not connection.is_connected:
            done.callback(None)
        else:
            response = connection.call(request, UNREGISTER_TIMEOUT)
            response.addBoth(lambda _: done.callback(None))
        return done

    @property
    def lacks_changes(self) -> bool:
        """Whether the name server is about to get topics that have changed."""
        return (
            self.connection is not None
            and not self._is_unresponsive
            and self._reactor.seconds() >= self._paused_until
            and self._unregistered.has_changes
        )

    def change(self, name: str) -> None:
        """Note that a topic was changed or deleted; :meth:`register` is called next."""
        if self.connection is not None:
            self._unregistered.change(name)

    def change_all(self) -> None:
        """Do as :meth:`change` for all topics."""
        if self.connection is not None:
            self._unregistered.change_all()

    def refresh(self) -> None:
        """
        Renew the broker's entry, and register what the name server lacks.

        A large table is not registered again if the name server has its version, but
        for topics that somebody removed there.
        """
        if self.connection is None or self._state is LinkState.REGISTERING:
            return
        self._paused_until = float("-inf")
        if self._unregistered.has_more or not self._unregistered.is_large:
            self._unregistered.repeat()
            self.register()
            return
        query = self.connection.call(self._make_query(), self._timeout)
        self._await(query.addCallbacks(self._compared, self._not_compared))

    def _compared(self, response: DataVersionResponse) -> None:
        """Register the table, as one that is known or not."""
        if response.changed:
            self._unregistered.restart()
        else:
            self._unregistered.repeat()

    def _not_compared(self, failure: Failure) -> Failure | None:
        """Register the table if the name server cannot compare versions."""
        if failure.check(BrokerError):
            self._unregistered.restart()
            return None
        return failure

    def register(self) -> None:
        """Register something that the name server lacks, unless it is busy."""
        if (
            self.connection is None
            or self._state is LinkState.REGISTERING
            or not self._unregistered.has_more
            or self._reactor.seconds() < self._paused_until
        ):
            return
        piece = self._unregistered.next()
        if piece.has_changes:
            self._current, self._next = self._next, Waiters(self._waited_too_long)
        self._await(self.connection.call(self._make_request(piece), self._timeout))

    def _await(self, in_flight: Deferred[Any]) -> None:
        """Allow no other request until the response to this one."""
        self._state, self._pending = LinkState.REGISTERING, in_flight
        in_flight.addCallbacks(self._done, self._refused)
        in_flight.addErrback(lambda f: self._log.failure("registering failed", f))

    def register_and_wait(self) -> Deferred[None]:
        """
        Register what has changed.

        :returns: fires with the response or failure; at once if there is nothing to
            wait for. To cancel it means that it takes too long.
        """
        if not self.lacks_changes:
            return succeed(None)
        waiting = self._next.add()
        self.register()
        return waiting

    def _waited_too_long(self) -> None:
        """Let nobody wait until the name server responds again."""
        if not self._is_unresponsive:
            self._is_unresponsive = True
            self._log.warn(
                "name server {ns} did not respond in time: topics are used before it"
                " knows them",
                ns=self.address,
            )

    def _connect(self) -> None:
        """Connect once; on failure the next attempt is scheduled."""
        self._state = LinkState.CONNECTING
        connecting = self._pending = self._pool.connection(self.address)
        connecting.addCallbacks(self._connected, self._unreachable)
        connecting.addErrback(lambda f: self._log.failure("connecting failed", f))

    def _connected(self, connection: RemotingProtocol) -> None:
        """Register at once, because the name server may have just started."""
        self._pending = None
        if self._state is LinkState.STOPPED:
            return
        self._state, self.connection = LinkState.CONNECTED, connection
        self._paused_until = float("-inf")
        self._is_unresponsive = False
        connection.on_lost.append(self._lost)
        self._unregistered.restart()
        self.register()

    def _unreachable(self, failure: Failure) -> None:
        """Log it once, and schedule the next attempt."""
        self._pending = None
        if self._state is not LinkState.STOPPED:
            self._complain(failure)
            self._connect_later()

    def _lost(self, connection: RemotingProtocol) -> None:
        """Reconnect: the name server drops a broker whose connection is lost."""
        if self.connection is connection:
            self.connection = None
            self._report(None)
            self._complain(Failure(ConnectionError("the connection was lost")))
            self._connect_later()

    def _connect_later(self) -> None:
        """Schedule the next attempt."""
        self._state = LinkState.WAITING
        self._retry = self._reactor.callLater(RECONNECT_DELAY, self._connect)

    def _done(self, response: object) -> None:
        """Record what the name server has registered, and go on with what is left."""
        self._ended()
        if isinstance(response, RegisterResponse):
            self._report(response)
        if not self._unregistered.lacks_table:
            if not self.registered:
                self._log.info("registered with name server {ns}", ns=self.address)
            self._standing = Standing.REGISTERED
        self._current.fire()
        self.register()

    def _report(self, response: RegisterResponse | None) -> None:
        """Pass on what the name server says of the broker's master."""
        if self._on_response is not None:
            self._on_response(self.address, response)

    def _refused(self, failure: Failure) -> None:
        """Record that it has not; the next periodic registration retries."""
        self._ended()
        self._paused_until = self._reactor.seconds() + PAUSE
        self._unregistered.restart()
        self._current.fire()
        self._next.fire()
        if self._state is LinkState.STOPPED:
            return
        self._complain(failure)
        if failure.check(RequestTimeout) and self.connection is not None:
            # The host may be gone without closing the connection; a new one would show
            # that.
            self.connection.abort()

    def _ended(self) -> None:
        """Allow the next registration, unless the connection is lost or stopped."""
        self._pending = None
        self._is_unresponsive = False
        if self._state is LinkState.REGISTERING:
            self._state = LinkState.CONNECTED

    def _complain(self, failure: Failure) -> None:
        """Log an outage once, not at each attempt."""
        if self._standing is not Standing.OUTAGE:
            self._standing = Standing.OUTAGE
            self._log.warn(
                "not registered with name server {ns}: {why}; still trying",
                ns=self.address,
                why=failure.getErrorMessage(),
            )
