"""
Repairs an offset that is outside the queue, or that an administrator has reset.

This happens when a group was offline for so long that its messages were deleted, or
when a queue was rebuilt. The broker proposes where to continue, forward or back.

Source: ``DefaultMQPushConsumerImpl.pullMessage`` of RocketMQ 5, ``OFFSET_ILLEGAL``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.model.queue import MessageQueue

#: Seconds to wait before a queue is repaired again.
REPAIR_PAUSE: Final = 1.0
#: Seconds for handlers to finish before an offset is reset.
RESET_GRACE: Final = 10.0
#: Seconds within which a second repair has to wait.
REPAIR_RECENT: Final = 5.0


class Repairs:
    """
    Repairs the offsets of one consumer.

    :param drop: called with a fetcher whose results must be ignored.
    :param done: called with a fetcher whose queue must be acquired again.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        offsets: OffsetStore,
        clock: IReactorTime,
        drop: Callable[[Fetcher], None],
        done: Callable[[Fetcher], None],
    ) -> None:
        self._offsets = offsets
        self._clock = clock
        self._drop = drop
        self._done = done
        self._last: dict[MessageQueue, float] = {}
        self._running: set[Deferred[None]] = set()
        self._stopped = False

    def begin(self, fetcher: Fetcher, offset: int) -> None:
        """Start the repair for a fetcher that has stopped."""
        self._log.warn(
            "offset {here} is outside {queue}; continuing at {there}",
            queue=fetcher.queue,
            here=fetcher.next_offset,
            there=offset,
        )
        self._start(self._repair(fetcher, offset))

    def reset(self, fetcher: Fetcher, offset: int) -> None:
        """Stop a fetcher and let handlers finish; then continue at another offset."""
        self._log.info(
            "{queue} is reset from {here} to {there}",
            queue=fetcher.queue,
            here=fetcher.next_offset,
            there=offset,
        )
        self._start(self._reset(fetcher, offset))

    def _start(self, repair: Coroutine[Any, Any, None]) -> None:
        """Run a repair, until it ends or is cancelled."""
        running = Deferred.fromCoroutine(repair)
        self._running.add(running)

        def failed(failure: Failure) -> None:
            if not failure.check(CancelledError):
                self._log.failure("a repair failed", failure)

        running.addErrback(failed)
        running.addCallback(lambda _: self._running.discard(running))

    def stop(self) -> None:
        """Cancel the repairs in progress."""
        self._stopped = True
        for running in list(self._running):
            running.cancel()

    async def _reset(self, fetcher: Fetcher, offset: int) -> None:
        """Wait for the handlers, but not for ever."""
        fetcher.stop()
        fetcher.messages.close()
        idle = fetcher.messages.when_idle().addTimeout(RESET_GRACE, self._clock)
        with suppress(TimeoutError):
            await idle
        await self._repair(fetcher, offset)

    async def _repair(self, fetcher: Fetcher, offset: int) -> None:
        """
        Freeze the offset, drop the messages, commit, and acquire again: in this order.
        """
        queue = fetcher.queue
        self._offsets.freeze(queue, offset)
        self._drop(fetcher)
        now = self._clock.seconds()
        failed = await self._offsets.commit([queue])
        if self._stopped:
            # A cancelled commit counts as failed; do not wait for the pause then.
            return
        if failed or now - self._last.get(queue, -REPAIR_RECENT) < REPAIR_RECENT:
            await deferLater(self._clock, REPAIR_PAUSE)
        self._last[queue] = now
        self._done(fetcher)
