"""
Whether clients can reach the broker at the address that it registers.

The address is found by the broker itself, or configured; either may be one that nobody
reaches, and then sends fail at clients, far from the cause. So the broker connects to
itself once, after it started, and warns if that fails. It is a warning only: inside
some networks an address works for everybody but its owner.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.remoting.addresses import is_ip_address, split_host_port

#: Seconds that connecting may take.
CONNECT_LIMIT = 1.0


class Advertised(Protocol):
    """
    What is checked: a broker.

    :ivar started: fires when it accepts connections.
    :ivar address: ``host:port`` that it registers.
    """

    started: Deferred[None] | None
    address: str


class ReachabilityCheck(Service):
    """
    Connects to a broker's registered address once, after each of its starts.

    :param broker: started before this service.
    """

    _log = Logger()

    def __init__(self, reactor: Any, broker: Advertised) -> None:
        self._reactor = reactor
        self._broker = broker
        self._attempt: Deferred[Any] | None = None

    def startService(self) -> None:
        """Check as soon as the broker accepts connections; nothing waits for it."""
        super().startService()
        if self._broker.started is not None:
            self._broker.started.addCallback(self._check)

    def stopService(self) -> None:
        """Give up an attempt that is not over."""
        super().stopService()
        if self._attempt is not None:
            self._attempt.cancel()

    def _check(self, started: None) -> None:
        """Begin an attempt to connect."""
        if not self.running:
            return
        factory = Factory.forProtocol(TwistedProtocol)
        factory.noisy = False
        attempt = self._attempt = self._endpoint().connect(factory)
        attempt.addTimeout(CONNECT_LIMIT, self._reactor, _no_response)
        attempt.addCallbacks(self._connected, self._failed)
        attempt.addErrback(lambda f: self._log.failure("the check failed", f))

    def _endpoint(self) -> IStreamClientEndpoint:
        """Make the endpoint; only a name needs a thread to look it up."""
        host, port = split_host_port(self._broker.address)
        if not is_ip_address(host):
            return HostnameEndpoint(self._reactor, host, port)
        kind = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        endpoint: IStreamClientEndpoint = kind(self._reactor, host, port)
        return endpoint

    def _connected(self, protocol: Any) -> None:
        """Close the connection: the address can be reached."""
        self._attempt = None
        protocol.transport.loseConnection()

    def _failed(self, failure: Failure) -> None:
        """Warn, unless the broker stops."""
        self._attempt = None
        if self.running:
            self._log.warn(
                "clients are sent to {address}, where this broker cannot reach itself:"
                " {why}; if they cannot either, give the address that they can reach"
                " with --advertise or brokerIP1",
                address=self._broker.address,
                why=failure.getErrorMessage(),
            )


def _no_response(cancelled: object, seconds: float) -> Failure:
    """Make the failure of an attempt that was given up."""
    return Failure(ConnectionError(f"no response within {seconds:g} s"))
