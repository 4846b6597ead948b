"""A client that replies are pushed to."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.broker.doubles import MemoryConnection


class Requester(MemoryConnection):
    """
    A connection of a client that waits for replies.

    :ivar pushed: what was pushed, and who waits for it to be confirmed.
    :ivar batched: how many of these may be written with others.
    """

    def __init__(self, address: str = "10.0.0.8:5000") -> None:
        super().__init__(address)
        self.pushed: list[tuple[Any, Deferred[Any]]] = []
        self.batched = 0

    def call(
        self, request: Any, timeout: float | None = None, *, batched: bool = False
    ) -> Deferred[Any]:
        """Remember the request, and who waits."""
        waiting: Deferred[Any] = Deferred()
        self.pushed.append((request, waiting))
        self.batched += batched
        return waiting
