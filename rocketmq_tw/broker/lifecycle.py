"""
The stages of a broker's life, and the steps of its features at each.

A feature registers functions when it is installed, and the service runs them without
knowing the feature. Each may return a Deferred, which is awaited::

    start    the store is recovered, the tables are read; no request is handled yet
    online   requests are handled; the broker is not registered with name servers yet
    drain    no new connection is accepted: respond to held requests
    stop     all connections are closed: stop periodic work, write files

Features start in the order in which they were installed, and stop in reverse.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.peer_log import PeerLog

Step = Callable[[], object]


class Lifecycle:
    """
    The functions to run at each stage.

    :param peers: limits how often lost connections are logged; None does not.
    :ivar on_start: an exception here aborts the start.
    :ivar on_online: likewise.
    :ivar on_drain: a failure is logged, and the other functions still run.
    :ivar on_stop: likewise.
    :ivar on_connection_lost: called with each lost connection; likewise.
    """

    _log = Logger()

    def __init__(self, peers: PeerLog | None = None) -> None:
        self._peers = peers
        self._is_draining = False
        self.on_start: list[Step] = []
        self.on_online: list[Step] = []
        self.on_drain: list[Step] = []
        self.on_stop: list[Step] = []
        self.on_connection_lost: list[Callable[[Peer], object]] = []

    async def start(self) -> None:
        """Run the start functions, one after the other."""
        for step in self.on_start:
            await maybeDeferred(step)

    async def go_online(self) -> None:
        """Run what is to be done before the broker registers, unless it drains."""
        for step in self.on_online:
            if not self._is_draining:
                await maybeDeferred(step)

    async def drain(self) -> None:
        """Run the drain functions in reverse order."""
        self._is_draining = True
        await self._run_all(self.on_drain)

    async def stop(self) -> None:
        """Run the stop functions in reverse order."""
        await self._run_all(self.on_stop)

    def connection_lost(self, peer: Peer) -> None:
        """Release everything that belongs to a lost connection."""
        for forget in self.on_connection_lost:
            try:
                forget(peer)
            except Exception:
                self._log_failure(peer, Failure())

    def _log_failure(self, peer: Peer, failure: Failure) -> None:
        """Log a traceback, at most one for each host and minute."""
        text = "cleaning up after a lost connection failed"
        if self._peers is None:
            self._log.failure(text, failure)
        else:
            self._peers.failure(self._log, peer.address, text, failure)

    async def _run_all(self, steps: list[Step]) -> None:
        """Run functions from the last to the first, even if some fail."""
        for step in reversed(steps):
            try:
                await maybeDeferred(step)
            except Exception:
                self._log.failure("a part of the broker failed to stop")
