"""Several requests at once, of which all have to succeed."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, FirstError, gatherResults


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
