"""Several requests at once, and what is shown if nobody responds to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.python.failure import Failure

from rocketmq_tw.admin.errors import NothingResponded, RefusedByAll

T = TypeVar("T")


async def together(*waiting: Deferred[Any]) -> list[Any]:
    """
    Return all results.

    :raises Exception: the first that failed, as it was raised.
    """
    try:
        return await gatherResults(waiting, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
        raise


def known(waiting: Deferred[T], missing: Callable[[dict[str, str]], T]) -> Deferred[T]:
    """
    Return a result; if all brokers are away or refuse, one that says so.

    :param missing: returns it; called with why, by address or broker name.
    """

    def nothing(failure: Failure) -> T:
        failure.trap(NothingResponded, RefusedByAll)
        error: Any = failure.value
        return missing(error.failed)

    return waiting.addErrback(nothing)
