"""How many connections a server has, in all and from one address."""

from __future__ import annotations


class Admission:
    """
    Counts connections; the ports of one server share it.

    :param limit: how many there may be in all; 0 for any number.
    :param limit_per_address: how many there may be from one address; 0 for half of
        ``limit``, so that no single host takes all.
    :ivar count: how many there are; 0 <= count.
    :ivar refused: how many were refused since the start.
    """

    def __init__(self, limit: int = 0, limit_per_address: int = 0) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address or (limit + 1) // 2
        # Of each host that has connections, how many; never 0.
        self._by_host: dict[str, int] = {}
        self.count = 0
        self.refused = 0

    def admit(self, host: str) -> str | None:
        """
        Count a connection, unless it would be one too many.

        :param host: empty for what has no address; there only the sum counts.
        :returns: the reason for refusing it; None if it is counted, and to be released
            when it is gone.
        """
        known = self._by_host.get(host, 0)
        if self._limit and self.count >= self._limit:
            self.refused += 1
            return f"there are {self.count} connections, as many as maxConnections lets"
        if host and self._limit_per_address and known >= self._limit_per_address:
            self.refused += 1
            return (
                f"there are {known} connections from its address,"
                " as many as maxConnectionsPerAddress lets"
            )
        self._by_host[host] = known + 1
        self.count += 1
        return None

    def release(self, host: str) -> None:
        """Count one less."""
        self.count -= 1
        left = self._by_host[host] - 1
        if left:
            self._by_host[host] = left
        else:
            del self._by_host[host]
