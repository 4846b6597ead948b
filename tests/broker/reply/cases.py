"""A client that replies are pushed to."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.broker.doubles import MemoryConnection


class Requester(MemoryConnection):
    """
    A connection of a client that waits for replies.

    :ivar pushed: what was pushed, and who waits for it to be confirmed.
    """

    def __init__(self, address: str = "10.0.0.8:5000") -> None:
        super().__init__(address)
        self.pushed: list[tuple[Any, Deferred[Any]]] = []

    def call(self, request: Any, timeout: float | None = None) -> Deferred[Any]:
        """Remember the request, and who waits."""
        waiting: Deferred[Any] = Deferred()
        self.pushed.append((request, waiting))
        return waiting
