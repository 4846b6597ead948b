"""
Checks whether the broker can be reached at the address that it registers.

The address is detected by the broker or configured. If clients cannot reach it, their
sends fail, far from the cause. So the broker connects to itself once after its start,
and logs a warning if that fails. It is only a warning: in some networks an address
works for everyone except its owner.
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

from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.remoting.addresses import split_host_port

#: Seconds that connecting may take.
CONNECT_LIMIT = 1.0


class Advertised(Protocol):
    """
    The attributes of a broker that the check uses.

    :ivar started: fires when it accepts connections.
    :ivar address: the ``host:port`` that it registers.
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
        """
        Check as soon as the broker accepts connections; nothing waits for the result.
        """
        super().startService()
        if self._broker.started is not None:
            self._broker.started.addCallback(self._check)

    def stopService(self) -> None:
        """Cancel an attempt that is in progress."""
        super().stopService()
        if self._attempt is not None:
            self._attempt.cancel()

    def _check(self, started: None) -> None:
        """Start an attempt to connect."""
        if not self.running:
            return
        factory = Factory.forProtocol(TwistedProtocol)
        factory.noisy = False
        attempt = self._attempt = self._endpoint().connect(factory)
        attempt.addTimeout(CONNECT_LIMIT, self._reactor, _no_response)
        attempt.addCallbacks(self._connected, self._failed)
        attempt.addErrback(lambda f: self._log.failure("the check failed", f))

    def _endpoint(self) -> IStreamClientEndpoint:
        """Return the endpoint; only a host name needs a thread to resolve it."""
        host, port = split_host_port(self._broker.address)
        if not is_ip_address(host):
            return HostnameEndpoint(self._reactor, host, port)
        kind = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        endpoint: IStreamClientEndpoint = kind(self._reactor, host, port)
        return endpoint

    def _connected(self, protocol: Any) -> None:
        """Close the connection: the address is reachable."""
        self._attempt = None
        protocol.transport.loseConnection()

    def _failed(self, failure: Failure) -> None:
        """Log a warning, unless the broker stops."""
        self._attempt = None
        if self.running:
            self._log.warn(
                "clients connect to {address}, where this broker cannot reach itself:"
                " {why}; if they cannot either, set an address that they can reach"
                " with --advertise or brokerIP1",
                address=self._broker.address,
                why=failure.getErrorMessage(),
            )


def _no_response(cancelled: object, seconds: float) -> Failure:
    """Return the failure of an attempt that timed out."""
    return Failure(ConnectionError(f"no response within {seconds:g} s"))
