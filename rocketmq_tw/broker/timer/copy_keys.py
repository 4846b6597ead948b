"""
Messages that another broker has delivered, by what their copies say.

A copy that Apache RocketMQ stores does not say which record it was made from. So it is
recognised by its topic, its unique key, and its slot. A client may give one key to many
messages: as many are left out as there are copies.
"""

from __future__ import annotations

from twisted.logger import Logger

#: Copies that are kept at most.
MAX_COPIES = 500_000


class CopyKeys:
    """
    The copies that were found in the commit log.

    :ivar over: how many were not kept.
    """

    _log = Logger()

    # By the hash of a copy: nobody can make texts whose hashes of 64 bits are the same.

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.over = 0

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, topic: str, unique_key: str, out_ms: int) -> None:
        """Add a copy."""
        code = hash((topic, unique_key, out_ms))
        if code in self._counts or len(self._counts) < MAX_COPIES:
            self._counts[code] = self._counts.get(code, 0) + 1
            return
        if not self.over:
            self._log.warn(
                "more than {most} timed messages were delivered since the check point:"
                " some of the others come twice",
                most=MAX_COPIES,
            )
        self.over += 1

    def take(self, topic: str, unique_key: str, out_ms: int) -> bool:
        """Return whether there is a copy of a message; it stands for that one only."""
        code = hash((topic, unique_key, out_ms))
        count = self._counts.get(code, 0)
        if count > 1:
            self._counts[code] = count - 1
        elif count:
            del self._counts[code]
        return count > 0
