"""
Held pulls that are due: each is read for once more and gets its response.

There may be thousands, and a response may have 4 MiB. So only some of them are made in
one reactor iteration: :data:`RESPONSES` at most, in :data:`SLICE` seconds.

Nothing is read for a peer that has not read its earlier responses. Its pulls wait
together, and are due again once it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable
from rocketmq_tw.remoting.call import Peer

#: How many responses are made in one reactor iteration: some 3 ms if they are small.
RESPONSES = 100
#: Seconds of a reactor iteration in which pulls are tested and responded to; a single
#: response of 4 MiB takes some 3 ms.
SLICE = 0.005


class DuePulls:
    """
    The pulls that are due.

    :param schedule: called when there are some again that waited for a slow peer.
    """

    # Each is here once: either in _due, or in _blocked with its peer.

    def __init__(
        self,
        *,
        table: HeldPullTable,
        clock: IReactorTime,
        schedule: Callable[[], None],
    ) -> None:
        self._table = table
        self._seconds = clock.seconds
        self._schedule = schedule
        self._due: deque[HeldPull] = deque()
        self._blocked: dict[Peer, list[HeldPull]] = {}

    def __len__(self) -> int:
        """Return how many can get their responses now."""
        return len(self._due)

    def add(self, pull: HeldPull) -> None:
        """Respond to a pull, after those that are due already."""
        self._due.append(pull)

    def respond(self, count: int, until: float) -> None:
        """
        Respond to the oldest ones.

        :param count: how many at most.
        :param until: the time, in seconds of the clock, at which to stop; one of them
            gets its response in any case.
        """
        due, seconds = self._due, self._seconds
        while due and count:
            count -= 1
            self._respond(due.popleft())
            if seconds() >= until:
                break

    def _respond(self, pull: HeldPull) -> None:
        """Read for a pull and respond to it, unless its peer reads nothing."""
        peer = pull.peer
        if peer.is_write_blocked:
            self._block(peer, pull)
            return
        if not self._table.finish(pull):
            return
        if not peer.is_connected:
            pull.response.callback(None)
            return
        try:
            response = pull.read()
        except Exception:
            pull.response.errback(Failure())
            return
        if isinstance(response, Deferred):
            response.chainDeferred(pull.response)
        elif response is not None:
            pull.response.callback(response)

    def _block(self, peer: Peer, pull: HeldPull) -> None:
        """Let a pull wait until its peer reads again, or is lost."""
        blocked = self._blocked.get(peer)
        if blocked is not None:
            blocked.append(pull)
            return
        self._blocked[peer] = [pull]
        peer.when_writable().addCallback(lambda _: self._unblock(peer))

    def _unblock(self, peer: Peer) -> None:
        """Respond to the pulls of a peer that reads again."""
        self._due.extend(self._blocked.pop(peer))
        self._schedule()
