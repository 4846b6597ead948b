"""Methods that are written as coroutines, and return Deferreds."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

P = ParamSpec("P")
T = TypeVar("T")


def returning_deferred(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Deferred[T]]:
    """
    Let a coroutine function return a Deferred.

    It then works with ``await``, with callbacks and with ``addTimeout``, and runs even
    if nobody waits for it.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return Deferred.fromCoroutine(method(*args, **kwargs))

    return call
