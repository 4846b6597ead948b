"""
A reactor on an event loop that belongs to somebody else.

Twisted's own reactor for asyncio is made to be run: it handles signals, and stops the
loop when it ends. This one does neither. It is not installed either, so that two calls
of ``asyncio.run`` in one process have a reactor each.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.base import ReactorBase
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from rocketmq_tw.clock import use_monotonic_time


class LoopReactor(AsyncioSelectorReactor):
    """
    Runs on an event loop, from :meth:`attach` to :meth:`detach`.

    :param loop: the loop; it is neither run nor stopped.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._loop = loop
        # Before anything is scheduled; the loop's own timers are monotonic, too.
        use_monotonic_time(self)

    def attach(self) -> None:
        """Start; signals stay asyncio's."""
        self.startRunning(installSignalHandlers=False)

    def detach(self) -> None:
        """
        End what is left: connections, threads and timers. The loop keeps nothing.
        """
        self.fireSystemEvent("shutdown")
        for call in self.getDelayedCalls():
            call.cancel()
        for reader in list(self._internalReaders):
            self.removeReader(reader)
            reader.connectionLost(Failure(ConnectionDone()))
        self._internalReaders.clear()
        self.waker: Any = None
        if self._timerHandle is not None:
            self._timerHandle.cancel()
            self._timerHandle = None

    def crash(self) -> None:
        """End; unlike the base class, let the loop run."""
        ReactorBase.crash(self)
