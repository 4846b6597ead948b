"""
The stages of a broker's life, and what its features do in each.

A feature registers functions when it is installed; the service runs the stages and need
not know whose functions they are. Each may return a Deferred, which is waited for::

    start    the store is recovered, the tables are read; no request comes yet
    drain    no new connection comes: respond to what is held
    stop     all connections are closed: end what runs by itself, write what is known

Features start in the order in which they were installed, and end in the opposite one.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger

from rocketmq_tw.remoting.call import Peer

Step = Callable[[], object]


class Lifecycle:
    """
    What is done at each stage.

    :ivar on_start: what raises here ends the start.
    :ivar on_drain: a failure is logged, and the others go on.
    :ivar on_stop: likewise.
    :ivar on_connection_lost: called with each client that is gone; likewise.
    """

    _log = Logger()

    def __init__(self) -> None:
        self.on_start: list[Step] = []
        self.on_drain: list[Step] = []
        self.on_stop: list[Step] = []
        self.on_connection_lost: list[Callable[[Peer], object]] = []

    async def start(self) -> None:
        """Start everything, one after the other."""
        for step in self.on_start:
            await maybeDeferred(step)

    async def drain(self) -> None:
        """Let everything respond to what it holds."""
        await self._run_all(self.on_drain)

    async def stop(self) -> None:
        """End everything."""
        await self._run_all(self.on_stop)

    def connection_lost(self, peer: Peer) -> None:
        """Release all that belonged to a client that is gone."""
        for forget in self.on_connection_lost:
            try:
                forget(peer)
            except Exception:
                self._log.failure("a lost connection was not cleaned up after")

    async def _run_all(self, steps: list[Step]) -> None:
        """Run steps from the last to the first, whatever becomes of each."""
        for step in reversed(steps):
            try:
                await maybeDeferred(step)
            except Exception:
                self._log.failure("a part of the broker did not stop in order")
