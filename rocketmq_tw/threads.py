"""The type of functions that run blocking calls in a thread."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred

#: Runs a blocking call in a thread, like ``deferToThreadPool`` with its pool bound.
RunInThread = Callable[[Callable[[], None]], "Deferred[None]"]


def run_here(function: Callable[[], None]) -> Deferred[None]:
    """Run a blocking call at once, in the caller's thread; a :data:`RunInThread` for
    tests.
    """
    return maybeDeferred(function)
