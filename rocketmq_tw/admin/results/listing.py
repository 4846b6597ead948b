"""Tuples of what several servers know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self, TypeVar

T = TypeVar("T")


class Listing(tuple[T, ...]):
    """
    A tuple, and who could not be asked: what only they know is missing.

    :ivar failed: why, by broker name.
    """

    failed: dict[str, str]

    def __new__(cls, found: Iterable[T], failed: Mapping[str, str]) -> Self:
        """Make one that is equal to a tuple of the same values."""
        listing = super().__new__(cls, found)
        listing.failed = dict(failed)
        return listing
