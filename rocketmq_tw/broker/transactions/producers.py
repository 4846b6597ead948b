"""
Finds the producer of a group that is asked how a transaction ended.

Source: ``ProducerManager.getAvailableChannel`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.broker.tables.clients import Client
from rocketmq_tw.remoting.call import Peer

#: How many producers are tried for one that reads.
_TRIES = 3
#: Seconds that a round waits for a producer to read.
PATIENCE = 1.0


class Producers:
    """
    The producers of all groups, which take turns within their group.

    :param members: returns the producers of a group.
    """

    # _blocked are the groups of which no producer reads, in this round, and _silent
    # the producers that were waited for: one may be in many groups.

    def __init__(
        self, members: Callable[[str], Sequence[Client]], clock: IReactorTime
    ) -> None:
        self._members = members
        self._clock = clock
        self._turns = count()
        self._blocked: set[str] = set()
        self._silent: set[Peer] = set()

    def begin(self) -> None:
        """Begin another round, in which all groups may read again."""
        self._blocked.clear()
        self._silent.clear()

    def next_of(self, group: str) -> Peer | None:
        """Return a producer that is connected; None if there is none."""
        if group in self._blocked:
            return None
        members = self._members(group)
        found: Peer | None = None
        for _ in range(min(_TRIES, len(members))):
            peer = members[next(self._turns) % len(members)].peer
            if peer.is_connected and not peer.is_write_blocked:
                return peer
            found = peer if peer.is_connected else found
        if found is None:
            connected = (each.peer for each in members if each.peer.is_connected)
            found = next(connected, None)
        return None if found in self._silent else found

    def when_reading(self, group: str, peer: Peer) -> Deferred[bool]:
        """
        Wait for a producer to read what it was sent.

        :returns: fires with False if it does not within a second; its group is left out
            then for the rest of the round, and it is waited for no more.
        """

        def give_up(failure: Failure) -> bool:
            failure.trap(TimeoutError)
            self._blocked.add(group)
            self._silent.add(peer)
            return False

        reading = peer.when_writable().addTimeout(PATIENCE, self._clock)
        return reading.addCallbacks(lambda _: peer.is_connected, give_up)
