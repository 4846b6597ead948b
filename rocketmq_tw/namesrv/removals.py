"""
Removes the brokers that are gone without having unregistered, in steps.

One connection may have registered as many brokers as there may be.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.peer_log import PeerLog

#: The key of all removals; no broker has such a name.
_KEY = "\0removals"


class Removals:
    """
    Removes brokers whose connection is lost, or that are unresponsive.

    :param pacer: does what is not done at once.
    :param peers: limits what is logged of brokers that go.
    """

    _log = Logger()

    def __init__(self, *, table: RouteTable, pacer: Pacer, peers: PeerLog) -> None:
        self._table = table
        self._pacer = pacer
        self._peers = peers

    def connection_lost(self, connection: Peer) -> None:
        """Remove the brokers whose connection is lost, at once unless they are many."""
        self._run(self._lost(connection))

    def expire(self, now: float) -> None:
        """Remove unresponsive brokers, and close their connections."""
        self._run(self._expired(now))

    def log(self, key: BrokerKey, broker_name: str, why: str, peer: str) -> None:
        """Log that a broker was removed."""
        self._peers.info(
            self._log,
            peer,
            "broker {name} of {cluster} at {address} is gone: {why}",
            name=log_safe(broker_name),
            cluster=log_safe(key.cluster),
            address=log_safe(key.broker_addr),
            why=why,
        )

    def _lost(self, connection: Peer) -> Steps[None]:
        """Remove brokers whose connection is lost."""
        peer = connection.address
        for live in self._table.connection_lost(connection):
            if live is None:
                yield None
            else:
                self.log(live.key, live.broker_name, "its connection was lost", peer)

    def _expired(self, now: float) -> Steps[None]:
        """Remove unresponsive brokers."""
        for live in self._table.expire(now):
            if live is None:
                yield None
                continue
            why = f"no request for more than {live.timeout:g} s"
            peer = live.connection.address if live.connection is not None else ""
            self.log(live.key, live.broker_name, why, peer)
            if live.connection is not None:
                live.connection.abort()

    def _run(self, steps: Steps[None]) -> None:
        """Remove brokers, behind those that are being removed; log a failure."""
        done = self._pacer.run(steps, None, key=_KEY)
        if done is not None:
            done.addErrback(lambda f: self._log.failure("removing brokers failed", f))
