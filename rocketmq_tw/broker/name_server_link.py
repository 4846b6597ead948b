"""
The connection of a broker to one name server, and the registration made through it.

::

    connect --- fails ---> wait 1, 2, 4, 5, 5 ... s, connect
       | made
    register, again when asked to --- lost ---> wait, connect

One registration is in flight at a time; one that is asked for meanwhile follows it.

Source: ``BrokerOuterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.requests.registration import RegisterBroker, UnregisterBroker

#: Seconds to wait before connecting again, doubled after each failure, up to a limit.
FIRST_DELAY = 1.0
LAST_DELAY = 5.0
#: Seconds that a stopping broker waits for name servers to unregister it.
UNREGISTER_TIMEOUT = 1.0


class NameServerLink:
    """
    The connection to one name server, and the registration made through it.

    :param make_request: makes the registration of this moment.
    :param timeout: seconds that the name server may take to respond.
    :ivar registered: whether it knows the broker, as far as is known.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        pool: ConnectionPool,
        address: str,
        make_request: Callable[[], RegisterBroker],
        timeout: float,
    ) -> None:
        self.address = address
        self.registered = False
        self._reactor = reactor
        self._pool = pool
        self._make_request = make_request
        self._timeout = timeout
        self._running = False
        self._connection: RemotingProtocol | None = None
        self._connecting: Deferred[Any] | None = None
        self._in_flight: Deferred[Any] | None = None
        self._again = False
        self._next: list[Deferred[None]] = []
        self._current: list[Deferred[None]] = []
        self._retry: IDelayedCall | None = None
        self._delay = FIRST_DELAY
        self._complained = False

    def start(self) -> None:
        """Connect, and go on doing so."""
        self._running = True
        self._connect()

    def stop(self, request: UnregisterBroker) -> Deferred[None]:
        """
        Connect no more, and unregister.

        :returns: fires once the name server has responded, or did not in time.
        """
        self._running = False
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        for waiting in (self._connecting, self._in_flight):
            if waiting is not None:
                waiting.cancel()
        connection, self._connection = self._connection, None
        done: Deferred[None] = Deferred()
        if connection is None or not connection.is_connected:
            done.callback(None)
        else:
            response = connection.call(request, UNREGISTER_TIMEOUT)
            response.addBoth(lambda _: done.callback(None))
        return done

    def register(self) -> None:
        """Register, or once more after the registration in flight."""
        if self._connection is None:
            self._release_waiting()
            return
        if self._in_flight is not None:
            self._again = True
            return
        self._again = False
        self._current, self._next = self._next, []
        in_flight = self._in_flight = self._connection.call(
            self._make_request(), self._timeout
        )
        in_flight.addCallbacks(self._done, self._refused)
        in_flight.addErrback(lambda f: self._log.failure("registering failed", f))

    def register_and_wait(self) -> Deferred[None]:
        """
        Register what is true now.

        :returns: fires with the response or failure; at once without a connection.
        """
        waiting: Deferred[None] = Deferred(self._drop)
        self._next.append(waiting)
        self.register()
        return waiting

    def _drop(self, waiting: Deferred[None]) -> None:
        """Forget somebody who waits no more."""
        for those in (self._next, self._current):
            if waiting in those:
                those.remove(waiting)

    def _release_waiting(self) -> None:
        """Let those go on whose registration is over."""
        over, self._current = self._current, []
        if not self._again:
            over, self._next = over + self._next, []
        for each in over:
            each.callback(None)

    def _connect(self) -> None:
        """Try to connect once."""
        connecting = self._connecting = self._pool.connection(self.address)
        connecting.addCallbacks(self._connected, self._unreachable)
        connecting.addErrback(lambda f: self._log.failure("connecting failed", f))

    def _connected(self, connection: RemotingProtocol) -> None:
        """Register at once; the name server may have just started."""
        self._connecting = None
        if not self._running:
            return
        self._connection = connection
        connection.on_lost.append(self._lost)
        self.register()

    def _unreachable(self, failure: Failure) -> None:
        """Try again later."""
        self._connecting = None
        if self._running:
            self._complain(failure)
            self._retry_later()

    def _lost(self, connection: RemotingProtocol) -> None:
        """Connect again; the name server has dropped the broker."""
        if self._connection is connection:
            self._connection = None
            if self._running:
                self._complain(Failure(ConnectionError("the connection was lost")))
                self._retry_later()

    def _retry_later(self) -> None:
        """Wait, longer each time."""
        self._retry = self._reactor.callLater(self._delay, self._connect)
        self._delay = min(self._delay * 2, LAST_DELAY)

    def _done(self, _response: object) -> None:
        """Note that the name server knows the broker."""
        self._in_flight = None
        if not self.registered:
            self._log.info("registered with name server {ns}", ns=self.address)
        self.registered = True
        self._complained = False
        self._delay = FIRST_DELAY
        self._release_waiting()
        if self._again:
            self.register()

    def _refused(self, failure: Failure) -> None:
        """Note that it does not; the next round tries again."""
        self._in_flight = None
        self._again = False
        self._release_waiting()
        if not self._running:
            return
        self._complain(failure)
        if failure.check(RequestTimeout) and self._connection is not None:
            # Perhaps its host is gone without a word: a new connection would show it.
            self._connection.abort()

    def _complain(self, failure: Failure) -> None:
        """Log an outage once, not each try."""
        self.registered = False
        if not self._complained:
            self._complained = True
            self._log.warn(
                "not registered with name server {ns}: {why}; trying on",
                ns=self.address,
                why=failure.getErrorMessage(),
            )
