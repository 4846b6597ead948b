"""Between the Deferreds of the client and the coroutines of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from inspect import isawaitable
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


async def result_of(deferred: Deferred[T]) -> T:
    """
    Wait for a Deferred; if the task is cancelled, so is the Deferred.

    :raises Exception: the exception with which it failed.
    """
    return await deferred.asFuture(asyncio.get_running_loop())


async def ended(deferred: Deferred[Any]) -> bool:
    """
    Wait until a Deferred has a result, even if the task is cancelled meanwhile: then
    the Deferred is cancelled, which ends its grace.

    :returns: whether the task was cancelled.
    """
    has_ended = asyncio.Event()
    deferred.addBoth(lambda _: has_ended.set())
    cancelled = False
    while not has_ended.is_set():
        try:
            await has_ended.wait()
        except asyncio.CancelledError:
            cancelled = True
            deferred.cancel()
    return cancelled


def returning_deferreds(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Let a function of the application, which may be a coroutine function of asyncio,
    return what the client understands.

    Cancelling the Deferred cancels the task.
    """
    loop = asyncio.get_running_loop()

    @wraps(function)
    def call(*args: Any) -> Any:
        result = function(*args)
        if isinstance(result, Deferred) or not isawaitable(result):
            return result
        future = asyncio.ensure_future(result, loop=loop)
        return Deferred.fromFuture(future).addErrback(_as_in_twisted)

    return call


def _as_in_twisted(failure: Failure) -> Failure:
    """Replace the error of a task that was cancelled by that of a Deferred."""
    if failure.check(asyncio.CancelledError):
        return Failure(CancelledError())
    return failure
