"""What is logged about peers of the HA port, which anybody can connect to."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.logger import Logger


class PeerLines(Protocol):
    """
    Writes lines about peers, at a limited rate for each host.

    ``rocketmq_tw.remoting.peer_log.PeerLog`` is one.
    """

    def complain(self, peer: str, why: str) -> object:
        """Log that a peer, as ``host:port``, was disconnected, and why."""

    def info(self, log: Logger, host: str, text: str, **fields: Any) -> object:
        """Log something about a peer."""
