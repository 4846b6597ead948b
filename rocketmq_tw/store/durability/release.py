"""
Releases what an fsync has brought to the disk: messages become readable, and senders
get their responses.

That is done as soon as the fsync returns. After one that took very long there may be
100,000 messages; then some are released in each reactor iteration, in order. What the
checkpoints say of the queues follows once all are.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.store.durability.group_commit import FlushWaiters
from rocketmq_tw.store.durability.queue_checkpoint import LogPosition

#: Dispatches what is on disk up to an offset, or a part of it; returns up to where.
Dispatch = Callable[[int], int]


class Release:
    """
    Releases messages up to the last position that is on disk.

    ``on_released`` is called with that position, and the store time of the message
    before it, once all messages before it are dispatched.
    """

    # While nothing is scheduled, all is released.

    def __init__(
        self,
        *,
        clock: IReactorTime,
        waiters: FlushWaiters,
        dispatch: Dispatch | None,
        on_released: Callable[[LogPosition, int], None],
        on_failure: Callable[[Failure], None],
    ) -> None:
        """
        :param dispatch: None if messages are readable before they are on disk.
        :param on_failure: called if a later part cannot be dispatched.
        """
        self._clock = clock
        self._waiters = waiters
        self._dispatch = dispatch
        self._on_released = on_released
        self._on_failure = on_failure
        self._position = LogPosition()
        self._store_time_ms = 0
        self._scheduled: IDelayedCall | None = None

    def flushed(self, position: LogPosition, store_time_ms: int) -> None:
        """Release what is on disk now, behind what is still to be released."""
        self._position, self._store_time_ms = position, store_time_ms
        if self._scheduled is None:
            self._some()

    def finish(self) -> None:
        """Release all that is on disk, without a break: the store closes, or fails."""
        while self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
            self._some()

    def _some(self) -> None:
        """Release a part, and schedule the next one."""
        position, released = self._position, self._position.end
        if self._dispatch is not None:
            released = self._dispatch(released)
        if released == position.end:
            self._on_released(position, self._store_time_ms)
        else:
            self._scheduled = self._clock.callLater(0, self._more)
        self._waiters.reached(released)

    def _more(self) -> None:
        """Release the next part; report a failure as that of the first part is."""
        self._scheduled = None
        try:
            self._some()
        except Exception:
            self._on_failure(Failure())
