"""
Which messages of a slot are recalled: a table of hashes, in a bounded size.

A slot may hold a million recalls, and each must be known before the first message of
the slot is delivered. A set of numbers takes more than twice of what this table takes:
16 to 32 bytes for each, so 16 MiB for a million. It is made in its full size, as to
enlarge it would stop the reactor.

It has open addressing: a hash is in the first free position from the one on that its
lowest bits name, and at least half of the positions are free.
"""

from __future__ import annotations

from array import array


class Recalled:
    """
    The keys of the messages that are recalled.

    :param most: how many keys are added at most.
    """

    # 0 is a free position. Nobody can make texts whose hashes of 64 bits are the same.

    def __init__(self, most: int = 0) -> None:
        size = 1 << (2 * most - 1).bit_length() if most else 0
        self._table = array("q", [0]) * size
        self._mask = size - 1
        self._most = most
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, topic: str, key: str) -> None:
        """Add what a recall names, which may begin with the topic."""
        assert self._count < self._most, "it was made for fewer"
        code = hash((topic, key)) or 1
        at = self._position(code)
        if not self._table[at]:
            self._table[at] = code
            self._count += 1

    def holds(self, topic: str, key: str) -> bool:
        """Return whether the message with this unique key is recalled."""
        if not self._count:
            return False
        # Recalls of RocketMQ 5.3 name the topic, too.
        for named in (key, topic + key):
            if self._table[self._position(hash((topic, named)) or 1)]:
                return True
        return False

    def _position(self, code: int) -> int:
        """Return where a hash is, or the free position for it."""
        table, mask = self._table, self._mask
        at = code & mask
        while table[at] and table[at] != code:
            at = at + 1 & mask
        return at
