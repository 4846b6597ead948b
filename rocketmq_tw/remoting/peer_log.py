"""Logs peers that violate the protocol: at most one line for each peer and minute."""

from __future__ import annotations

from collections import OrderedDict

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.model.log_safe import log_safe

#: Seconds between two lines about the same peer.
QUIET = 60.0
#: Characters of a message, at most.
_LONGEST = 300


class PeerLog:
    """
    Logs messages about peers at a limited rate, so that no peer can fill the disk.

    :param known: how many peers are remembered; no line is written for others.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, known: int = 1024) -> None:
        self._clock = clock
        self._known = known
        self._last: OrderedDict[str, float] = OrderedDict()
        self._dropped: dict[str, int] = {}

    def complain(self, peer: str, why: str) -> bool:
        """
        Log that ``peer`` was disconnected, unless a line about its host was just
        logged.

        :param peer: ``host:port``; the rate is limited by host.
        :returns: whether a line was written.
        """
        host, now = peer.rpartition(":")[0], self._clock.seconds()
        last = self._last.get(host)
        if last is not None and now - last < QUIET:
            self._dropped[host] = self._dropped.get(host, 0) + 1
            return False
        if last is None and not self._has_capacity(now):
            return False
        self._last[host] = now
        self._last.move_to_end(host)
        missed = self._dropped.pop(host, 0)
        more = f" ({missed} more in the last minutes)" if missed else ""
        why = log_safe(why, _LONGEST)
        self._log.warn("closed {peer}: {why}{more}", peer=peer, why=why, more=more)
        return True

    def _has_capacity(self, now: float) -> bool:
        """Make space for one more peer by removing one whose minute is over."""
        if len(self._last) < self._known:
            return True
        host, last = next(iter(self._last.items()))
        if now - last < QUIET:
            return False
        del self._last[host]
        self._dropped.pop(host, None)
        return True
