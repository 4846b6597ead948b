"""
The table of held pulls: by queue, by connection and by deadline.

Every change costs the pull that it is about, however many others there are. A pull is
*waiting* until it is woken, then it is *due* until its response is made; it
counts against the limits all the time.

Deadlines are numbers of ticks of a timer, so that one pass finds all that are over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.wire.fields import Response

#: Topic and queue id.
Key = tuple[bytes, int]


class HeldPull(msgspec.Struct, eq=False, kw_only=True, gc=False):
    """
    One held pull.

    The garbage collector does not look at it: nothing that it refers to refers to it.

    :ivar last_tick: the tick at which its time is over.
    :ivar matches: tests a tags code; None accepts all.
    :ivar read: reads the store once more, for the response; None if ``response`` is
        called otherwise.
    :ivar tags: how many tags ``matches`` compares with.
    :ivar is_waiting: False once it is woken.
    """

    key: Key
    peer: Peer
    last_tick: int
    matches: Callable[[int], bool] | None
    read: Callable[[], Response | Deferred[Any] | None]
    response: Deferred[Response | None]
    tags: int = 0
    is_waiting: bool = True


#: Pulls in the order in which they came.
Pulls = dict[HeldPull, None]


class HeldPullTable:
    """
    All held pulls of a broker.

    :param limit: how many may be held in all.
    :param limit_per_connection: how many of one connection.
    :param max_tags: how many tags the filters of all of them may have: a pull keeps its
        filter, which may be no other's.
    :param settings: the keys of the first two limits.
    :ivar by_queue: those that wait, by topic and queue.
    :ivar tags: how many tags their filters have.
    :ivar refused: how many pulls were over a limit.
    """

    # A pull is in _by_peer until it is finished; in by_queue while it waits, and then
    # in _by_tick too unless that tick was taken.

    def __init__(
        self,
        *,
        limit: int,
        limit_per_connection: int,
        max_tags: int = 4_000_000,
        settings: tuple[str, str] = ("maxHeldPulls", "maxHeldPullsPerConnection"),
    ) -> None:
        self._settings = settings
        self._max_tags = max_tags
        self.tags = 0
        self._limit = limit
        self._limit_per_connection = limit_per_connection
        self._count = 0
        self._by_peer: dict[Peer, Pulls] = {}
        self._by_tick: dict[int, Pulls] = {}
        self.by_queue: dict[Key, Pulls] = {}
        self.refused = 0

    def __len__(self) -> int:
        """Return how many pulls wait or are due."""
        return self._count

    def add(self, pull: HeldPull) -> None:
        """
        Let a pull wait.

        :raises TooManyHeldPulls: a limit is reached.
        """
        of_peer = self._by_peer.get(pull.peer)
        if self._count >= self._limit:
            self.refused += 1
            raise TooManyHeldPulls(self._settings[0], self._limit)
        if self.tags + pull.tags > self._max_tags:
            self.refused += 1
            raise TooManyHeldPulls("maxHeldPullTags", self._max_tags, "tags")
        if of_peer is None:
            self._by_peer[pull.peer] = {pull: None}
        elif len(of_peer) < self._limit_per_connection:
            of_peer[pull] = None
        else:
            self.refused += 1
            limit = self._limit_per_connection
            raise TooManyHeldPulls(self._settings[1], limit)
        self._count += 1
        self.tags += pull.tags
        of_queue = self.by_queue.get(pull.key)
        if of_queue is None:
            self.by_queue[pull.key] = {pull: None}
        else:
            of_queue[pull] = None
        of_tick = self._by_tick.get(pull.last_tick)
        if of_tick is None:
            self._by_tick[pull.last_tick] = {pull: None}
        else:
            of_tick[pull] = None

    def wake(self, pull: HeldPull) -> None:
        """Let a pull that waits be due."""
        pull.is_waiting = False
        of_queue = self.by_queue[pull.key]
        del of_queue[pull]
        if not of_queue:
            del self.by_queue[pull.key]
        of_tick = self._by_tick.get(pull.last_tick)
        if of_tick is not None:
            of_tick.pop(pull, None)
            if not of_tick:
                del self._by_tick[pull.last_tick]

    def finish(self, pull: HeldPull) -> bool:
        """Forget a pull. :returns: whether it was here."""
        of_peer = self._by_peer.get(pull.peer)
        if of_peer is None or pull not in of_peer:
            return False
        if pull.is_waiting:
            self.wake(pull)
        del of_peer[pull]
        if not of_peer:
            del self._by_peer[pull.peer]
        self._count -= 1
        self.tags -= pull.tags
        return True

    def of_peer(self, peer: Peer) -> list[HeldPull]:
        """Return the pulls of a connection, those that are due too."""
        return list(self._by_peer.get(peer, ()))

    def take_over(self, tick: int) -> list[HeldPull]:
        """Return the pulls that wait and whose time is over at a tick, once each."""
        over = [each for each in self._by_tick if each <= tick]
        return [pull for each in over for pull in self._by_tick.pop(each)]
