"""
Copies the tables of a slave's master: topics, groups, offsets and what features add.

::

    every 3 s   look whether a copy is due: 10 s after the last one, or at once when the
                master's address is new or the last attempt failed
    a copy      one document after the other; one that fails is logged, the others go on

The master is asked over a connection of its own. Nothing is pushed by the master.

Where the documents have more than a megabyte, the next copy is due after a minute.

Source: ``SlaveSynchronize`` and ``BrokerController`` of RocketMQ, which copies every
10 s in release 4.9, and every minute in release 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.other_brokers import OtherBrokers, Outgoing
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.errors import ConnectionLost
from rocketmq_tw.store.files.slices import Stopped
from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)

#: Seconds between two looks whether a copy is due.
LOOK_PERIOD = 3.0
#: Seconds between two copies, of small documents and of large ones.
COPY_PERIOD, LONG_PERIOD = 10.0, 60.0
#: Bytes of all documents that are copied more often.
SMALL = 1 << 20
#: Seconds that the master may take to respond to each request.
TIMEOUT = 10.0


class SlaveSync:
    """
    Copies documents from a slave's master.

    :param reactor: makes the connection, and is the clock.
    :param documents: what is copied, in this order.
    :ivar copied_at: when the last copy was complete, in seconds of the clock; None if
        none was.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        reactor: Any,
        master: Master,
        documents: Sequence[Replicated],
        outgoing: Outgoing | None = None,
    ) -> None:
        self._reactor = reactor
        self._master = master
        self._documents = documents
        self._size = 0
        self._brokers = OtherBrokers(reactor, outgoing)
        self._due_at = float("-inf")
        self._copying: Deferred[None] | None = None
        self._failing: set[str] = set()
        self.copied_at: float | None = None
        self._ticker = LoopingCall(self._look)
        self._ticker.clock = reactor

    def start(self) -> None:
        """Start looking; the first copy is made when the master is known."""
        self._master.on_change.append(self._master_changed)
        self._ticker.start(LOOK_PERIOD, now=False)

    def stop(self) -> Deferred[None]:
        """Stop copying; fires when the connection is closed."""
        self._master.on_change.remove(self._master_changed)
        self._ticker.stop()
        if self._copying is not None:
            self._copying.cancel()
        return self._brokers.close_all()

    def _master_changed(self) -> None:
        """Copy from a new master at once."""
        self._due_at = float("-inf")
        self._look()

    def _look(self) -> None:
        """Copy if it is due and none is in flight."""
        is_due = self._reactor.seconds() >= self._due_at
        if not is_due or self._copying is not None or not self._master.address:
            return
        self._copying = Deferred.fromCoroutine(self._copy_all(self._master.address))
        self._copying.addBoth(self._ended)

    def _ended(self, result: Failure | None) -> None:
        """Allow the next copy; an unexpected failure must not end the timer."""
        self._copying = None
        if isinstance(result, Failure) and self._ticker.running:
            self._log.failure("copying from the master failed", result)

    async def _copy_all(self, address: str) -> None:
        """Copy each document; those after one that fails are copied too."""

        def ask(request: Request[A]) -> Deferred[A]:
            if address != self._master.address or not self._ticker.running:
                return fail(ConnectionLost(address, "the master has changed"))
            called = self._brokers.call(address, request, TIMEOUT)
            return called.addCallback(self._count)

        failed = self._size = 0
        for document in self._documents:
            try:
                await document.copy(ask)
            except (RocketMQError, Stopped) as error:
                failed += 1
                self._complain(document.name, address, str(error))
            else:
                self._failing.discard(document.name)
        if failed or address != self._master.address:
            return  # what is due at once stays so
        now = self._reactor.seconds()
        if self.copied_at is None:
            self._log.info(
                "copied the tables of the master at {address}", address=address
            )
        period = COPY_PERIOD if self._size <= SMALL else LONG_PERIOD
        self._due_at, self.copied_at = now + period, now

    def _count(self, response: A) -> A:
        """Count the bytes of a response."""
        self._size += len(response.body)
        return response

    def _complain(self, name: str, address: str, why: str) -> None:
        """Log the first of several failures in a row."""
        if name not in self._failing and self._ticker.running:
            self._failing.add(name)
            self._log.warn(
                "could not copy {name} from the master at {address}: {why};"
                " still trying",
                name=name,
                address=address,
                why=why,
            )
