"""
The queues that are ours: how one is taken, and how it is given up.

Taking: ask how far the group has read, and pull from there. Giving up: pull no more,
let the handlers that run finish (but not for long), commit, and only then forget. The
new owner does not wait for that: it starts from what is committed when it comes, so a
message may be consumed twice around a change, never not at all.

Source: ``RebalanceImpl.updateProcessQueueTableInRebalance`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.fetcher import PullLoop
from rocketmq_tw.client.consumer.offsets.remote import (
    RemoteOffsetStore,
    StartFrom,
    first_offset,
)
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Told of queues that come or go; for those that go it may return a Deferred or a
#: coroutine, which is waited for as long as for handlers.
QueueListener = Callable[[list[MessageQueue]], Any]

#: Seconds to wait before an offset is repaired that was repaired a moment ago.
REPAIR_PAUSE: Final = 1.0
#: Seconds in which a second repair counts as a moment ago.
REPAIR_RECENT: Final = 5.0


class Assignment:
    """
    The queues of one consumer.

    :param make_loop: makes the loop that pulls a queue.
    :param start_from: where to begin on a queue the group never read.
    :param revoke_grace: seconds that handlers get to finish when their queue goes.
    :param discard: called with a queue that is dropped: nothing of it is to be begun.
    :param changed: called when queues have come or gone.
    :param repaired: called when a queue is to be taken anew from another offset.
    :ivar loops: by queue.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        offsets: RemoteOffsetStore,
        make_loop: Callable[[MessageQueue], PullLoop],
        start_from: StartFrom | datetime,
        revoke_grace: float,
        discard: Callable[[ProcessQueue], None],
        changed: Callable[[], None],
        repaired: Callable[[], None],
    ) -> None:
        self._session = session
        self._offsets = offsets
        self._make_loop = make_loop
        self._start_from = start_from
        self._grace = revoke_grace
        self._discard = discard
        self._changed = changed
        self._repaired = repaired
        self._repairs: dict[MessageQueue, float] = {}
        self._repairing: set[Deferred[None]] = set()
        self._paused: set[MessageQueue] = set()
        self._all_paused = False
        self._closed = False
        self.loops: dict[MessageQueue, PullLoop] = {}
        self.on_assigned: list[QueueListener] = []
        self.on_revoked: list[QueueListener] = []

    @property
    def queues(self) -> list[MessageQueue]:
        """Our queues, sorted."""
        return sorted(self.loops)

    async def apply(self, topic: str, mine: frozenset[MessageQueue]) -> bool:
        """
        Make exactly these queues of a topic ours.

        :returns: whether all were taken; those that were not are to be tried again.
        """
        gone = [q for q in self.loops if q.topic == topic and q not in mine]
        new = [q for q in sorted(mine) if q not in self.loops]
        if not gone and not new:
            return True
        releasing = Deferred.fromCoroutine(self.release(gone))
        taking = [Deferred.fromCoroutine(self._take(queue)) for queue in new]
        results: list[Any] = await DeferredList(taking, consumeErrors=True)
        taken = [q for q, (_, done) in zip(new, results, strict=True) if done is True]
        if gone or taken:
            self._log.info(
                "{topic}: took {taken}, giving up {gone}",
                topic=topic,
                taken=[f"{q.broker_name}/{q.queue_id}" for q in taken],
                gone=[f"{q.broker_name}/{q.queue_id}" for q in gone],
            )
            self._changed()
        if taken:
            await self._tell(self.on_assigned, taken)
        await releasing
        return len(taken) == len(new)

    async def keep_only(self, topics: Iterable[str]) -> None:
        """Give up the queues of topics that are subscribed to no longer."""
        kept = set(topics)
        gone = [queue for queue in self.loops if queue.topic not in kept]
        if gone:
            await self.release(gone)
            self._changed()

    # -- pausing

    def pause(self, queues: Iterable[MessageQueue] | None) -> None:
        """Pull some queues, or all, no further; also if they go and come back."""
        if queues is None:
            self._all_paused = True
        else:
            self._paused.update(queues)
        self._apply_pauses()

    def resume(self, queues: Iterable[MessageQueue] | None) -> None:
        """Pull some queues again, or all."""
        if queues is None:
            self._all_paused = False
            self._paused.clear()
        else:
            self._paused.difference_update(queues)
        self._apply_pauses()

    def _apply_pauses(self) -> None:
        """Tell every loop."""
        for queue, loop in self.loops.items():
            loop.paused = self._is_paused(queue)
            loop.wake()

    def _is_paused(self, queue: MessageQueue) -> bool:
        """Whether a queue is not to be pulled now."""
        return self._all_paused or queue in self._paused

    # -- taking

    async def _take(self, queue: MessageQueue) -> bool:
        """Find where to begin, and pull; False if that could not be found."""
        try:
            stored = await self._offsets.fetch(queue)
            offset = stored
            if offset is None:
                offset = await first_offset(self._session, queue, self._start_from)
        except RocketMQError as error:
            self._log.warn("{queue} is not taken: {error}", queue=queue, error=error)
            return False
        if self._closed or queue in self.loops:
            return False
        self._offsets.begin(queue, offset, stored is not None)
        loop = self.loops[queue] = self._make_loop(queue)
        loop.paused = self._is_paused(queue)
        loop.start(offset)
        return True

    # -- giving up

    async def release(self, queues: list[MessageQueue]) -> None:
        """Give queues up in order."""
        if not queues:
            return
        loops = [self.loops[queue] for queue in queues]
        for loop in loops:
            loop.stop()
            loop.held.closing = True
        idle: list[Deferred[Any]] = [loop.held.when_idle() for loop in loops]
        told = Deferred.fromCoroutine(self._tell(self.on_revoked, queues))
        await self._within(self._grace, [*idle, told])
        await self._offsets.commit(queues)
        for loop in loops:
            self._forget(loop)

    def until_idle(self, seconds: float) -> Deferred[Any]:
        """Fire when no handler runs any more, or the time is up."""
        idle = [loop.held.when_idle() for loop in self.loops.values()]
        return self._within(seconds, idle)

    def _within(self, seconds: float, waiting: list[Deferred[Any]]) -> Deferred[Any]:
        """Fire when all have fired or the time is up; what is left is cancelled."""
        together = DeferredList(waiting, consumeErrors=True)
        return together.addTimeout(seconds, self._session.reactor)

    def close(self) -> None:
        """Take no more queues, and hand nothing over that has not begun."""
        self._closed = True
        for repairing in list(self._repairing):
            repairing.cancel()
        for loop in self.loops.values():
            loop.stop()
            loop.held.closing = True

    async def forget_all(self) -> dict[MessageQueue, BaseException]:
        """Commit and forget what is left; give the queues whose commit failed."""
        failed = await self._offsets.commit(self.loops)
        for loop in list(self.loops.values()):
            self._forget(loop)
        return failed

    def _forget(self, loop: PullLoop) -> None:
        """Drop a queue; results that come now no longer count."""
        loop.stop()
        self._drop(loop)
        queue = loop.held.queue
        if self.loops.get(queue) is loop:
            del self.loops[queue]
            self._offsets.forget(queue)

    def _drop(self, loop: PullLoop) -> None:
        """Let results of a queue no longer count, and begin nothing more of it."""
        loop.held.drop()
        self._discard(loop.held)

    # -- repairing

    def repair(self, loop: PullLoop, offset: int) -> None:
        """Go on at an offset that the broker proposes, forward or back."""
        repairing = Deferred.fromCoroutine(self._repair(loop, offset))
        self._repairing.add(repairing)

        def done(outcome: Any) -> None:
            self._repairing.discard(repairing)
            failed = isinstance(outcome, Failure)
            if failed and not isinstance(outcome.value, CancelledError):
                self._log.failure("a repair failed", outcome)

        repairing.addBoth(done)

    async def _repair(self, loop: PullLoop, offset: int) -> None:
        """Freeze the offset, store it, drop the queue, take it anew: in this order."""
        queue = loop.held.queue
        self._log.warn(
            "{queue} does not hold {here}; going on at {there}",
            queue=queue,
            here=loop.next_offset,
            there=offset,
        )
        self._offsets.freeze(queue, offset)
        self._drop(loop)
        now = self._session.reactor.seconds()
        failed = await self._offsets.commit([queue])
        if failed or now - self._repairs.get(queue, -REPAIR_RECENT) < REPAIR_RECENT:
            await deferLater(self._session.reactor, REPAIR_PAUSE)
        self._repairs[queue] = now
        if self.loops.get(queue) is loop:
            self._forget(loop)
            self._repaired()

    async def _tell(
        self, listeners: list[QueueListener], queues: list[MessageQueue]
    ) -> None:
        """Tell the application; what it raises is logged."""
        for listener in listeners:
            try:
                await maybeDeferred(listener, queues)
            except Exception:
                self._log.failure("a listener of queues failed")
