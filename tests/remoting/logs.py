"""A log in memory, of which only the flushes are of interest."""

from __future__ import annotations

from rocketmq_tw.remoting.durable import ResponseWaiter


class MemoryLog:
    """
    A log that is flushed when the test says so.

    :ivar waiters: those who wait.
    :ivar is_flushed: whether everything is on disk already.
    :ivar error: what waiting raises, if anything.
    """

    end = 100

    def __init__(self) -> None:
        self.waiters: list[ResponseWaiter] = []
        self.is_flushed = False
        self.error: Exception | None = None

    def await_flush(self, waiter: ResponseWaiter, end: int) -> bool:
        """Add the waiter."""
        if self.error is not None:
            raise self.error
        if not self.is_flushed and waiter not in self.waiters:
            self.waiters.append(waiter)
        return not self.is_flushed

    def flush(self, end: int = end) -> None:
        """Let the log be on disk up to ``end``."""
        self.waiters = [each for each in self.waiters if each.flushed(end)]

    def fail(self, error: Exception) -> None:
        """Let the flush fail."""
        waiters, self.waiters = self.waiters, []
        for each in waiters:
            each.failed(error)
