"""How many pairs of servers, of all that are named, one run of the tests covers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def some(pairs: Sequence[_T], count: int) -> Sequence[_T]:
    """
    Return the first pairs; all of them with ``ROCKETMQ_ALL_PAIRS`` in the environment.

    All of them take some 15 minutes more.
    """
    return pairs if os.environ.get("ROCKETMQ_ALL_PAIRS") else pairs[:count]
