"""
The queues that are assigned to this consumer: how they are acquired and released.

Acquiring a queue: lock it if order matters, fetch the group's offset, and pull from
there. Releasing: stop pulling, let running handlers finish (for a limited time),
commit, and only then forget and unlock the queue. A new owner that needs no lock does
not wait for that: it starts from the offset committed when it acquires the queue. So a
message may be consumed twice around a rebalance, but never not at all.

Source: ``RebalanceImpl.updateProcessQueueTableInRebalance`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.group.locks import Ownership
from rocketmq_tw.client.consumer.group.pauses import Pauses
from rocketmq_tw.client.consumer.group.repair import Repairs
from rocketmq_tw.client.consumer.offsets.start import StartFrom, first_offset
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers

#: Called with queues that were assigned or are being revoked. For revoked queues it may
#: return a Deferred or coroutine, which is awaited as long as handlers are.
QueueListener = Callable[[list[MessageQueue]], Any]


class Assignment:
    """
    The queues of one consumer.

    :param ownership: locks queues, if order matters.
    :param make_fetcher: makes the fetcher of a queue.
    :param start_from: where to start on a queue that the group never read.
    :param revoke_grace: seconds for handlers to finish when their queue is revoked.
    :param discard: called with a dropped queue, none of whose messages are dispatched.
    :param on_changed: called when queues were acquired or released.
    :param on_repaired: called when a queue must be acquired again at another offset.
    :ivar fetchers: the fetchers of the assigned queues.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        brokers: Brokers,
        clock: IReactorTime,
        offsets: OffsetStore,
        ownership: Ownership,
        make_fetcher: Callable[[MessageQueue], Fetcher],
        start_from: StartFrom | datetime,
        revoke_grace: float,
        discard: Callable[[ProcessQueue], None],
        on_changed: Callable[[], None],
        on_repaired: Callable[[], None],
    ) -> None:
        self._brokers = brokers
        self._clock = clock
        self._offsets = offsets
        self._ownership = ownership
        self._make_fetcher = make_fetcher
        self._start_from = start_from
        self._grace = revoke_grace
        self._discard = discard
        self._on_changed = on_changed
        self._on_repaired = on_repaired
        self._repairs = Repairs(
            offsets=offsets, clock=clock, drop=self._drop, done=self.reacquire
        )
        self._pauses = Pauses()
        self._closed = False
        self.fetchers: dict[MessageQueue, Fetcher] = {}
        self.on_assigned: list[QueueListener] = []
        self.on_revoked: list[QueueListener] = []

    @property
    def queues(self) -> list[MessageQueue]:
        """The assigned queues, sorted."""
        return sorted(self.fetchers)

    async def apply(self, topic: str, ours: frozenset[MessageQueue]) -> bool:
        """
        Acquire and release queues of a topic until exactly ``ours`` are assigned.

        :returns: whether all were acquired; if not, call it again later.
        """
        if self._closed:
            return False
        gone = [q for q in self.fetchers if q.topic == topic and q not in ours]
        new = [q for q in sorted(ours) if q not in self.fetchers]
        if not gone and not new:
            return True
        releasing = Deferred.fromCoroutine(self.release(gone))
        taken = await self._acquire(new) if new else []
        if gone or taken:
            self._log.info(
                "{topic}: acquired {taken}, releasing {gone}",
                topic=topic,
                taken=[f"{q.broker_name}/{q.queue_id}" for q in taken],
                gone=[f"{q.broker_name}/{q.queue_id}" for q in gone],
            )
            self._on_changed()
        if taken:
            await self._notify(self.on_assigned, taken)
        await releasing
        return len(taken) == len(new)

    async def keep_only(self, topics: Iterable[str]) -> None:
        """Release the queues of all other topics, which are no longer subscribed to."""
        kept = set(topics)
        gone = [queue for queue in self.fetchers if queue.topic not in kept]
        if gone:
            await self.release(gone)
            self._on_changed()

    # -- pausing

    def pause(self, queues: Iterable[MessageQueue] | None) -> None:
        """
        Stop pulling some queues, or all, even if they are revoked and assigned again.
        """
        self._pauses.add(queues)
        self._apply_pauses()

    def resume(self, queues: Iterable[MessageQueue] | None) -> None:
        """Continue to pull some queues, or all."""
        self._pauses.remove(queues)
        self._apply_pauses()

    def _apply_pauses(self) -> None:
        """Pause or wake every fetcher."""
        for queue, fetcher in self.fetchers.items():
            fetcher.paused = queue in self._pauses
            fetcher.wake()

    # -- acquiring

    async def _acquire(self, queues: list[MessageQueue]) -> list[MessageQueue]:
        """Acquire queues in parallel; return those that were acquired."""
        owned = await self._ownership.acquire(queues)
        free = [queue for queue in queues if queue in owned]
        taking = [Deferred.fromCoroutine(self._take(queue)) for queue in free]
        results: list[Any] = await DeferredList(taking, consumeErrors=True)
        taken = [q for q, (_, done) in zip(free, results, strict=True) if done is True]
        if len(taken) < len(free):
            await self._ownership.release(q for q in free if q not in self.fetchers)
        return taken

    async def _take(self, queue: MessageQueue) -> bool:
        """Acquire a queue; False if the offset could not be fetched."""
        try:
            stored = await self._offsets.fetch(queue)
            offset = stored
            if offset is None:
                offset = await first_offset(self._brokers, queue, self._start_from)
        except RocketMQError as error:
            self._log.warn(
                "{queue} was not acquired: {error}", queue=queue, error=error
            )
            return False
        if self._closed or queue in self.fetchers:
            return False
        self._offsets.begin(queue, offset, stored is not None)
        fetcher = self.fetchers[queue] = self._make_fetcher(queue)
        fetcher.paused = queue in self._pauses
        fetcher.start(offset)
        return True

    # -- releasing

    async def release(self, queues: list[MessageQueue]) -> None:
        """Release queues: stop pulling, let handlers finish, commit, unlock."""
        if not queues:
            return
        fetchers = [self.fetchers[queue] for queue in queues]
        for fetcher in fetchers:
            fetcher.stop()
            fetcher.messages.close()
        waiting: list[Deferred[Any]] = [f.messages.when_idle() for f in fetchers]
        waiting.append(Deferred.fromCoroutine(self._notify(self.on_revoked, queues)))
        await self._within(self._grace, waiting)
        await self._offsets.commit(queues)
        for fetcher in fetchers:
            self._forget(fetcher)
        await self._ownership.release(q for q in queues if q not in self.fetchers)

    def until_idle(self, seconds: float) -> Deferred[Any]:
        """Fires when no handler is running, or after ``seconds``."""
        idle = [fetcher.messages.when_idle() for fetcher in self.fetchers.values()]
        return self._within(seconds, idle)

    def _within(self, seconds: float, waiting: list[Deferred[Any]]) -> Deferred[Any]:
        """
        Fires when all have fired, or after ``seconds``; the remaining are cancelled.
        """
        return DeferredList(waiting, consumeErrors=True).addTimeout(
            seconds, self._clock
        )

    def close(self) -> None:
        """Acquire no more queues, and dispatch no more messages."""
        self._closed = True
        self._repairs.stop()
        for fetcher in self.fetchers.values():
            fetcher.stop()
            fetcher.messages.close()

    async def forget_all(self) -> dict[MessageQueue, BaseException]:
        """Commit, forget and unlock all; return queues whose commit failed."""
        failed = await self._offsets.commit(self.fetchers)
        for fetcher in list(self.fetchers.values()):
            self._forget(fetcher)
        await self._ownership.release_all()
        return failed

    def _forget(self, fetcher: Fetcher) -> None:
        """Forget a queue; later results of its handlers are ignored."""
        fetcher.stop()
        self._drop(fetcher)
        if self.fetchers.get(fetcher.queue) is fetcher:
            del self.fetchers[fetcher.queue]
            self._offsets.forget(fetcher.queue)

    def _drop(self, fetcher: Fetcher) -> None:
        """Ignore later results of a queue, and dispatch no more of its messages."""
        fetcher.messages.drop()
        self._discard(fetcher.messages)

    def repair(self, fetcher: Fetcher, offset: int) -> None:
        """Continue at an offset that the broker proposes, forward or back."""
        self._repairs.begin(fetcher, offset)

    def reset(self, queue: MessageQueue, offset: int) -> None:
        """Continue an assigned queue at an offset that an administrator has chosen."""
        fetcher = self.fetchers.get(queue)
        if fetcher is not None and not self._closed:
            self._repairs.reset(fetcher, offset)

    def reacquire(self, fetcher: Fetcher) -> None:
        """Forget a queue, so that it is acquired again at the offset stored now."""
        if self.fetchers.get(fetcher.queue) is fetcher:
            self._forget(fetcher)
            Deferred.fromCoroutine(self._ownership.release([fetcher.queue]))
            self._on_repaired()

    async def _notify(
        self, listeners: list[QueueListener], queues: list[MessageQueue]
    ) -> None:
        """Call the application's listeners; log their exceptions."""
        for listener in listeners:
            try:
                await maybeDeferred(listener, queues)
            except Exception:
                self._log.failure("a listener of queues failed")
