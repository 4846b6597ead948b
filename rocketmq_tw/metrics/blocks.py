"""
Lines that are kept encoded, and joined in blocks.

A page may have 100,000 lines, of which few have changed since the last one. They are
kept in blocks of :data:`LINES`; only a block in which a line changed is joined again,
which takes some 2 us.
"""

from __future__ import annotations

from collections.abc import Hashable

#: Lines, or groups of lines, in a block.
LINES = 64


class Blocks:
    """
    Encoded lines by their keys.

    The order is that in which keys came, roughly: a new key takes the capacity that
    removed ones have left.
    """

    # Each key is in just one block, that in _home. A block that is not in _joined has
    # changed since it was joined. Blocks with capacity are in _open.

    __slots__ = ("_blocks", "_home", "_joined", "_next", "_open")

    def __init__(self) -> None:
        self._blocks: dict[int, dict[Hashable, bytes]] = {}
        self._joined: dict[int, bytes] = {}
        self._home: dict[Hashable, int] = {}
        self._open: set[int] = set()
        self._next = 0

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._home)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._home

    def set(self, key: Hashable, lines: bytes) -> None:
        """Add or replace what is kept for a key."""
        number = self._home.get(key)
        if number is None:
            number = self._home[key] = self._with_capacity()
            block = self._blocks[number]
            block[key] = lines
            if len(block) >= LINES:
                self._open.discard(number)
        else:
            self._blocks[number][key] = lines
        self._joined.pop(number, None)

    def remove(self, key: Hashable) -> None:
        """Remove what is kept for a key, if anything is."""
        number = self._home.pop(key, None)
        if number is None:
            return
        block = self._blocks[number]
        del block[key]
        self._joined.pop(number, None)
        if block:
            self._open.add(number)
        else:
            del self._blocks[number]
            self._open.discard(number)

    def joined(self) -> list[bytes]:
        """Return all lines, a piece for each block."""
        joined = self._joined
        if len(joined) != len(self._blocks):
            for number, block in self._blocks.items():
                if number not in joined:
                    joined[number] = b"".join(block.values())
        return [joined[number] for number in self._blocks]

    def _with_capacity(self) -> int:
        """Return the number of a block that takes another key."""
        for number in self._open:
            return number
        number, self._next = self._next, self._next + 1
        self._blocks[number] = {}
        self._open.add(number)
        return number
