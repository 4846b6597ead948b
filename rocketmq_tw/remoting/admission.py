"""
How many connections a server has, in all and from one address.

Past a limit a new connection takes the place of the oldest one that has never sent a
whole request: connections that are only held open keep nobody out. When there is none
left, the new one is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class Connection(Protocol):
    """What is admitted. It is compared, and found in tables, by identity."""

    @property
    def has_requested(self) -> bool:
        """Whether a whole request came; once it is True it stays so."""

    def cut(self, why: str) -> None:
        """Close now, and log the reason."""


#: Connections that had sent no request when last looked at, the oldest first.
Unused = OrderedDict[Connection, None]


class Admission:
    """
    Counts connections; the ports of one server share it.

    :param limit: how many there may be in all; 0 for any number.
    :param limit_per_address: how many there may be from one address; 0 for half of
        ``limit``, so that no single host takes all.
    :ivar refused: how many were refused since the start.
    :ivar displaced: how many had to give way since the start.
    """

    def __init__(self, limit: int = 0, limit_per_address: int = 0) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address or (limit + 1) // 2
        # Connection to host. A connection is in both tables of unused ones or in none.
        self._admitted: dict[Connection, str] = {}
        self._unused: Unused = OrderedDict()
        self._unused_by_host: dict[str, Unused] = {}
        # Of each host that has connections, how many; never 0.
        self._by_host: dict[str, int] = {}
        self.refused = 0
        self.displaced = 0

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self._admitted)

    def admit(self, connection: Connection, host: str) -> str | None:
        """
        Count a connection, unless it would be one too many.

        Each connection is looked at once at most for whether it is unused, however
        many come: the work does not grow with their number.

        :param host: empty for what has no address; there only the sum counts.
        :returns: the reason for refusing it; None if it is counted, and to be released
            when it is gone.
        """
        reason = self._refusal(host)
        if reason is not None:
            self.refused += 1
            return reason
        self._admitted[connection] = host
        self._by_host[host] = self._by_host.get(host, 0) + 1
        self._unused[connection] = None
        self._unused_by_host.setdefault(host, OrderedDict())[connection] = None
        return None

    def release(self, connection: Connection) -> None:
        """Count one less; nothing if it gave way before."""
        host = self._admitted.pop(connection, None)
        if host is None:
            return
        self._no_longer_unused(connection, host)
        left = self._by_host[host] - 1
        if left:
            self._by_host[host] = left
        else:
            del self._by_host[host]

    def _refusal(self, host: str) -> str | None:
        """Return why another connection cannot be had; make way for it if possible."""
        known = self._by_host.get(host, 0)
        if host and self._limit_per_address and known >= self._limit_per_address:
            if not self._displace(self._unused_by_host.get(host)):
                return (
                    f"there are {known} connections from its address,"
                    " as many as maxConnectionsPerAddress lets"
                )
        if self._limit and self.count >= self._limit:
            if not self._displace(self._unused):
                return (
                    f"there are {self.count} connections,"
                    " as many as maxConnections lets"
                )
        return None

    def _displace(self, unused: Unused | None) -> bool:
        """Close the oldest unused connection; return whether there was one."""
        while unused:
            connection = next(iter(unused))
            if connection.has_requested:
                self._no_longer_unused(connection, self._admitted[connection])
                continue
            self.release(connection)
            self.displaced += 1
            connection.cut("it has sent no request, and another needs its place")
            return True
        return False

    def _no_longer_unused(self, connection: Connection, host: str) -> None:
        """Remove a connection from the tables of unused ones."""
        self._unused.pop(connection, None)
        of_host = self._unused_by_host.get(host)
        if of_host is not None:
            of_host.pop(connection, None)
            if not of_host:
                del self._unused_by_host[host]
