"""
Messages as they come, and between them what cannot be read meanwhile.

Brokers restart, queues are taken away and come back. A tail goes on with the others,
and the browser gets to know which queues are missing now, and why.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import islice

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.messages import FoundMessage
from rocketmq_tw.console.api.rows import MessageRow, row_of

#: Messages that a live tail keeps for a browser which reads slowly.
_BUFFER = 200
#: Seconds in which changes are gathered: all queues of a broker fail at once.
GATHERED = 0.5
#: Queues that a notice names.
_NAMED = 50


class TailNotice(msgspec.Struct, frozen=True):
    """
    Which queues of a live tail cannot be read now: none, if all are read again.

    :ivar failing: why, by broker and queue. They are tried again, and what they have
        got meanwhile comes then.
    :ivar more: how many there are besides those.
    """

    failing: dict[str, str]
    more: int = 0


class LiveTail:
    """One tail, for one browser."""

    def __init__(self, admin: AdminClient, topic: str, expression: str) -> None:
        self._tail = admin.messages.tail(
            topic,
            expression,
            limit=_BUFFER,
            on_failing=lambda _name, _why: self._changed(),
        )
        # What was taken last, until it is passed on.
        self._taken: FoundMessage | Failure | None = None
        self._is_changed = False
        self._waiting: Deferred[None] | None = None
        self._clock = admin.calls.session.clock
        self._gathering: IDelayedCall | None = None

    async def open(self) -> AsyncIterator[MessageRow | TailNotice]:
        """
        Find the ends of the queues; return what gives the lines from then on.

        :raises NotFound: there is no such topic.
        :raises RocketMQError: no queue can be read.
        """
        await self._tail.start()
        return self._lines()

    async def _lines(self) -> AsyncIterator[MessageRow | TailNotice]:
        """
        Give messages and notices, until this is closed.

        The first notice says that it has begun.

        :raises RocketMQError: no queue can be read any more.
        """
        try:
            async with aclosing(self._tail):
                self._is_changed = True
                self._take()
                while True:
                    if self._is_changed:
                        self._is_changed = False
                        yield self._notice()
                        continue
                    taken, self._taken = self._taken, None
                    if isinstance(taken, Failure):
                        taken.raiseException()
                    if isinstance(taken, FoundMessage):
                        yield row_of(taken)
                        self._take()
                    elif not self._is_changed:
                        self._waiting = Deferred()
                        await self._waiting
        finally:
            gathering, self._gathering = self._gathering, None
            if gathering is not None:
                gathering.cancel()

    def _notice(self) -> TailNotice:
        """Return what cannot be read now."""
        failing = self._tail.failing
        named = dict(islice(failing.items(), _NAMED))
        return TailNotice(named, len(failing) - len(named))

    def _take(self) -> None:
        """Take the next message when it comes."""
        taking = Deferred.fromCoroutine(self._tail.__anext__())
        taking.addBoth(self._arrived)

    def _arrived(self, taken: FoundMessage | Failure) -> None:
        """A message has come, or none will."""
        self._taken = taken
        self._wake()

    def _changed(self) -> None:
        """A queue cannot be read, or is read again; others may follow at once."""
        if self._gathering is None:
            self._gathering = self._clock.callLater(GATHERED, self._gathered)

    def _gathered(self) -> None:
        """Let the browser know."""
        self._gathering = None
        self._is_changed = True
        self._wake()

    def _wake(self) -> None:
        """Let the browser have it."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)
