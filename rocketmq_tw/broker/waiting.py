"""
How many paced requests may wait, and how many bytes they may have.

A request that waits is kept whole. What is over a limit is refused. So that no
connection keeps the others out, one small request of each may always wait.

Source: none; the threads of Apache RocketMQ have queues of at least 10,000 requests.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.errors import TooManyWaiting
from rocketmq_tw.remoting.call import Peer

#: A request of so many bytes is small.
SMALL = 4096


class WaitingRequests:
    """
    Counts the requests that wait.

    :param limit: how many may wait in all (``maxWaitingRequests``).
    :param limit_per_connection: how many of one connection.
    :param max_size: bytes that all of them may have.
    :ivar size: bytes that they have.
    :ivar refused: how many were refused since the start.
    """

    def __init__(
        self,
        *,
        limit: int = 10_000,
        limit_per_connection: int = 1_000,
        max_size: int = 64 << 20,
    ) -> None:
        self._limit = limit
        self._limit_per_connection = limit_per_connection
        self._max_size = max_size
        # Of each connection with requests that wait, how many; never 0.
        self._by_peer: dict[Peer, int] = {}
        self._count = 0
        self.size = 0
        self.refused = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {
            "waitingRequests": lambda: self._count,
            "waitingRequestsSize": lambda: self.size,
            "waitingRequestsRefused": lambda: self.refused,
        }

    def begin(self, peer: Peer, size: int) -> None:
        """
        Count a request that is to wait.

        :param size: bytes of its header and body.
        :raises TooManyWaiting: a limit is reached.
        """
        of_peer = self._by_peer.get(peer, 0)
        if of_peer or size > SMALL:
            self._check(of_peer, size)
        self._by_peer[peer] = of_peer + 1
        self._count += 1
        self.size += size

    def end(self, peer: Peer, size: int) -> None:
        """Count a request no more."""
        self._count -= 1
        self.size -= size
        left = self._by_peer[peer] - 1
        if left:
            self._by_peer[peer] = left
        else:
            del self._by_peer[peer]

    def _check(self, of_peer: int, size: int) -> None:
        """Check all limits. :raises TooManyWaiting: one is reached."""
        for setting, is_reached, limit in (
            ("maxWaitingRequests", self._count >= self._limit, self._limit),
            (
                "maxWaitingRequestsPerConnection",
                of_peer >= self._limit_per_connection,
                self._limit_per_connection,
            ),
            (
                "maxWaitingRequestsSize",
                self.size + size > self._max_size,
                self._max_size,
            ),
        ):
            if is_reached:
                self.refused += 1
                raise TooManyWaiting(setting, limit)
