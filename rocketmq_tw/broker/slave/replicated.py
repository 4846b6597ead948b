"""The kind of a document that slaves copy from their master."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.wire.fields import Request, Response

A = TypeVar("A", bound=Response)


class Ask(Protocol):
    """Sends a request to the master."""

    def __call__(self, request: Request[A]) -> Deferred[A]:
        """Return the response; fails like a call over a connection."""


#: Asks, and applies the response.
Copy = Callable[[Ask], Coroutine[Any, Any, None]]


class Replicated(msgspec.Struct, frozen=True):
    """
    A document that slaves copy from their master.

    :ivar name: what it is, for the log: "the topics".
    :ivar copy: asks for it, checks it, and replaces the slave's own.
    :ivar copy_back: takes over what a slave that has acted for this master knows
        better; None if that is nothing.
    """

    name: str
    copy: Copy
    copy_back: Copy | None = None
