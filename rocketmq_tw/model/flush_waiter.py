"""
Who waits for a log to be on disk.

The store calls it, connections are it, and neither knows the other.
"""

from __future__ import annotations

from typing import Protocol


class FlushWaiter(Protocol):
    """
    Somebody who waits for a log to be on disk, up to one offset or several.

    It is hashed by identity.
    """

    def flushed(self, end: int) -> bool:
        """The log is on disk up to ``end``; return whether to call again."""

    def expired(self, before: float) -> float | None:
        """
        Wait no longer for what has been waited for since ``before``, or longer.

        :returns: since when the rest has been waited for, in seconds; None if there is
            no rest.
        """

    def failed(self, error: Exception) -> None:
        """Stop waiting: nothing gets on disk any more."""
