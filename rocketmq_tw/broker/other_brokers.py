"""
Requests to other brokers, such as a slave's to its master.

A host that vanishes closes no connection. So a request that gets no response in time
closes the one that it was sent over, and the next request makes another.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.access.secrets import sign_as
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.tls.settings import Tls
from rocketmq_tw.wire.command import Sign
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)

#: Seconds that another broker may take to respond.
TIMEOUT = 3.0


class Outgoing(msgspec.Struct, frozen=True):
    """
    How a broker connects to others.

    :ivar tls: use TLS; None does not.
    :ivar sign: signs requests as the inner user; None does not.
    """

    tls: Tls | None = None
    sign: Sign | None = None


def outgoing_of(config: BrokerConfig) -> Outgoing:
    """Return how the settings say that a broker connects to others."""
    return Outgoing(config.tls.client, sign_as(config.access.inner))


class OtherBrokers:
    """
    Connections to other brokers, one for each address.

    :param reactor: makes connections, and is the clock.
    :param outgoing: how to connect; None for plainly.
    """

    def __init__(self, reactor: Any, outgoing: Outgoing | None = None) -> None:
        how = outgoing or Outgoing()
        self._pool = ConnectionPool(reactor, tls=how.tls, sign=how.sign)

    def call(
        self, address: str, request: Request[A], timeout: float = TIMEOUT
    ) -> Deferred[A]:
        """
        Connect if needed and send a request; ``timeout`` covers both.

        :returns: fails like a call over a connection.
        """
        called = self._pool.call(address, request, timeout)
        return called.addErrback(self._failed, address)

    def close_all(self) -> Deferred[None]:
        """Close all connections; no other is made."""
        return self._pool.close_all()

    def _failed(self, failure: Failure, address: str) -> Failure:
        """Close a connection on which nothing comes."""
        live = self._pool.live(address)
        if live is not None and failure.check(RequestTimeout):
            live.abort()
        return failure
