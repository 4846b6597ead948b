"""How many messages and bytes of a producer are on their way at once."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred, fail, succeed

from rocketmq_tw.client.errors import QueueFull


class InFlight:
    """
    A semaphore for messages and bytes at once; whoever came first is served first.

    :param max_messages: at once.
    :param max_size: bytes at once; a larger message is let through alone.
    :param max_waiting: how many may wait for room.
    :ivar messages: on their way now.
    :ivar size: their bytes.
    """

    def __init__(
        self, max_messages: int, max_size: int, max_waiting: int = 65536
    ) -> None:
        self._max_messages = max_messages
        self._max_size = max_size
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[int, Deferred[None]]] = deque()
        self._idle: list[Deferred[None]] = []
        self._serving = False
        self.messages = 0
        self.size = 0

    def try_take(self, size: int) -> bool:
        """Take room if there is some, and nobody waits for it."""
        if not self.fits(size):
            return False
        self.messages += 1
        self.size += size
        return True

    def fits(self, size: int) -> bool:
        """Whether a message of that size need not wait."""
        return not self._waiting and self._has_room(size)

    def take(self, size: int) -> Deferred[None]:
        """Wait for room; cancelling leaves the queue. Fails with :class:`QueueFull`."""
        if len(self._waiting) >= self._max_waiting:
            return fail(
                QueueFull(f"{len(self._waiting)} messages wait for room already")
            )
        if self.try_take(size):
            return succeed(None)
        entry: tuple[int, Deferred[None]]
        waiting: Deferred[None] = Deferred(lambda _: self._waiting.remove(entry))
        entry = (size, waiting)
        self._waiting.append(entry)
        return waiting

    def give(self, size: int) -> None:
        """Give room back, and let those in who wait for it."""
        self.messages -= 1
        self.size -= size
        # Who is let in may fail and give back at once: the loop that runs goes on then,
        # instead of a deeper one.
        if not self._serving:
            self._serving = True
            try:
                self._serve()
            finally:
                self._serving = False
        if not self.messages and not self._waiting:
            idle, self._idle = self._idle, []
            for each in idle:
                each.callback(None)

    def when_idle(self) -> Deferred[None]:
        """Fire once nothing is on its way and nobody waits."""
        if not self.messages and not self._waiting:
            return succeed(None)
        waiting: Deferred[None] = Deferred(lambda d: self._idle.remove(d))
        self._idle.append(waiting)
        return waiting

    def _has_room(self, size: int) -> bool:
        """Whether one more of that size may go."""
        if not self.messages:
            return True
        return self.messages < self._max_messages and self.size + size <= self._max_size

    def _serve(self) -> None:
        """Let in as many as there is room for."""
        while self._waiting and self._has_room(self._waiting[0][0]):
            size, waiting = self._waiting.popleft()
            self.messages += 1
            self.size += size
            waiting.callback(None)
