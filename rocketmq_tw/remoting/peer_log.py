"""
Logs what peers cause: of every kind of message at most one for each host and minute.

Without a limit, a peer could fill the disk with messages about its own requests.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from rocketmq_tw.model.log_safe import log_safe

#: Seconds between two messages of the same kind about the same host.
QUIET = 60.0
#: Hosts that are remembered for each kind of message.
KNOWN = 1024
#: Characters of a message, at most.
_LONGEST = 300


def host_of(address: str) -> str:
    """Return the host of ``host:port``; an address without a port as it is."""
    return address.rpartition(":")[0] or address


class PeerLog:
    """
    Logs messages about peers at a limited rate, so that no peer can fill the disk.

    The format of a message is its kind.

    :param known: how many hosts are remembered for each kind; no message is written
        for others.
    :ivar dropped: how many messages were not written.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, known: int = KNOWN) -> None:
        self._clock = clock
        self._known = known
        #: Formats are constants of the code, so that there are few.
        self._kinds: dict[str, _Kind] = {}
        self.dropped = 0

    def complain(self, peer: str, why: str) -> bool:
        """
        Log that ``peer`` was disconnected, unless that was just logged for its host.

        :param peer: ``host:port``; the rate is limited by host.
        :returns: whether a line was written.
        """
        why = log_safe(why, _LONGEST)
        return self.emit(
            self._log, LogLevel.warn, peer, "closed {peer}: {why}", peer=peer, why=why
        )

    def info(self, log: Logger, host: str, text: str, **fields: Any) -> bool:
        """Log at the level ``info``; see :meth:`emit`."""
        return self.emit(log, LogLevel.info, host, text, **fields)

    def failure(self, log: Logger, host: str, text: str, failure: Failure) -> bool:
        """Log a traceback; see :meth:`emit`."""
        return self.emit(log, LogLevel.critical, host, text, log_failure=failure)

    def emit(
        self, log: Logger, level: Any, host: str, text: str, **fields: Any
    ) -> bool:
        """
        Log a message, unless one of its kind was just logged for the host.

        :param log: the logger to write to.
        :param host: the peer that caused the message, as ``host:port``.
        :param text: a constant format, which is also the kind of the message.
        :returns: whether the message was written.
        """
        kind = self._kinds.get(text)
        if kind is None:
            kind = self._kinds[text] = _Kind(self._known)
        missed = kind.missed(host_of(host), self._clock.seconds())
        if missed is None:
            self.dropped += 1
            return False
        more = f" ({missed} more in the last minutes)" if missed else ""
        log.emit(level, text + "{more}", more=more, **fields)
        return True


class _Kind:
    """When a message of one kind was last logged, by host."""

    __slots__ = ("_dropped", "_known", "_last")

    def __init__(self, known: int) -> None:
        self._known = known
        self._last: OrderedDict[str, float] = OrderedDict()
        # Its keys are some of those of _last.
        self._dropped: dict[str, int] = {}

    def missed(self, host: str, now: float) -> int | None:
        """
        Record a message for a host, and count those dropped since the last one.

        :returns: None if this message is to be dropped too.
        """
        last = self._last.get(host)
        if last is not None and now - last < QUIET:
            self._dropped[host] = self._dropped.get(host, 0) + 1
            return None
        if last is None and not self._has_capacity(now):
            return None
        self._last[host] = now
        self._last.move_to_end(host)
        return self._dropped.pop(host, 0)

    def _has_capacity(self, now: float) -> bool:
        """Make space for one more host by removing one whose minute is over."""
        if len(self._last) < self._known:
            return True
        host, last = next(iter(self._last.items()))
        if now - last < QUIET:
            return False
        del self._last[host]
        self._dropped.pop(host, None)
        return True
