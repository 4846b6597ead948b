"""
The keys of a table in chunks, each of which has rows of series.

To compare, add up and encode the numbers of a whole chunk takes a few operations on
lists, which cost less than a look at each entry.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from operator import is_
from typing import Any, Generic, Protocol, TypeVar

#: Keys of a chunk.
SIZE = 64
#: Entries, such as queues, that are looked at in one step: some 0.5 ms.
AT_ONCE = 2000


class Chunk(Protocol):
    """Some entries of a table."""

    @property
    def keys(self) -> Sequence[Any]:
        """The keys of the entries."""

    def close(self) -> None:
        """Remove their series."""


K = TypeVar("K", bound=Hashable)
C = TypeVar("C", bound=Chunk)


class Chunks(Generic[K, C]):
    """
    The keys of a table in chunks, of which only those change that have to.

    :param make: returns a new chunk of some keys; it should do no more than that, as
        all are made in one step.
    :param size: keys of a chunk at most.
    """

    # Each key is in just one chunk, that in _home.

    def __init__(self, make: Callable[[list[K]], C], size: int = SIZE) -> None:
        self._make = make
        self._size = size
        self._keys: list[K] = []
        self._home: dict[K, C] = {}
        self._all: dict[C, None] = {}

    def __iter__(self) -> Iterator[C]:
        """Return all chunks as they are now."""
        return iter(list(self._all))

    def __len__(self) -> int:
        """Return how many chunks there are."""
        return len(self._all)

    def update(self, keys: list[K]) -> None:
        """Have just these keys; the list is kept."""
        if keys == self._keys:
            return
        wanted = dict.fromkeys(keys)
        changed = dict.fromkeys(self._home[key] for key in self._home.keys() - wanted)
        added = [key for key in keys if key not in self._home]
        for chunk in list(changed):
            added[:0] = [key for key in self._close(chunk) if key in wanted]
        for chunk in list(self._all) if added else ():
            if len(chunk.keys) < self._size:
                added[:0] = self._close(chunk)
        for first in range(0, len(added), self._size):
            self._add(added[first : first + self._size])
        self._keys = keys

    def remake(self, keys: Iterable[K]) -> None:
        """Make those chunks again in which these keys are, if they are in any."""
        homes = (self._home.get(key) for key in keys)
        for chunk in dict.fromkeys(home for home in homes if home is not None):
            self._add(self._close(chunk))

    def _add(self, keys: list[K]) -> None:
        """Make a chunk."""
        chunk = self._make(keys)
        self._all[chunk] = None
        for key in keys:
            self._home[key] = chunk

    def _close(self, chunk: C) -> list[K]:
        """Remove a chunk, and return its keys."""
        del self._all[chunk]
        chunk.close()
        keys: list[K] = list(chunk.keys)
        for key in keys:
            del self._home[key]
        return keys


def are_same(these: Sequence[object], others: Sequence[object]) -> bool:
    """Return whether two lists have the same objects, whatever these are equal to."""
    return len(these) == len(others) and all(map(is_, these, others))


def sums(numbers: Sequence[int], spans: Iterable[slice]) -> list[int]:
    """Return the sum of each span of some numbers."""
    return [sum(numbers[span]) for span in spans]


def in_turns(chunks: Iterable[C], weight: Callable[[C], int]) -> Iterator[C | None]:
    """
    Return chunks, and None after each :data:`AT_ONCE` entries: where a step ends.

    :param weight: returns how many entries a chunk has.
    """
    left = AT_ONCE
    for chunk in chunks:
        yield chunk
        left -= weight(chunk)
        if left <= 0:
            left = AT_ONCE
            yield None


def spans_of(sizes: Iterable[int]) -> list[slice]:
    """Return one span after another, of these sizes."""
    spans, at = [], 0
    for size in sizes:
        spans.append(slice(at, at + size))
        at += size
    return spans
