"""
Locks on queues: an orderly consumer reads only queues that it has locked.

The broker of a queue grants its lock to one client of a group at a time, for 60 s. It
is renewed every 20 s, and trusted for 30 s after the request: so a client that cannot
reach the broker stops before the broker gives the lock to another.

A lock that was lost is requested every 3 s. When it is granted again, another client
may have read the queue meanwhile, which is checked before the queue is read again: see
:class:`~rocketmq_tw.client.consumer.group.relocked.Relocked`.

Source: ``RebalanceImpl.lockAll``, ``ConsumeMessageOrderlyService`` and ``ProcessQueue``
of RocketMQ 5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers

#: Seconds between two renewals, and after one that did not renew all locks.
PERIOD: Final = 20.0
RETRY_PERIOD: Final = 3.0
#: Seconds after a request for which a lock is trusted; brokers keep it for 60.
VALID: Final = 30.0
#: Seconds for a request.
TIMEOUT: Final = 1.0


class Ownership(Protocol):
    """What must be had of a broker before a queue is read."""

    async def acquire(self, queues: list[MessageQueue]) -> set[MessageQueue]:
        """Return those of the queues that may be read."""

    async def release(self, queues: Iterable[MessageQueue]) -> None:
        """Let other clients read these queues; never fails."""

    async def release_all(self) -> None:
        """Let other clients read all queues, for good; never fails."""

    def is_held(self, queue: MessageQueue) -> bool:
        """Whether the queue may be read now."""


class NoLocks:
    """Queues may be read without a lock, as order does not matter."""

    async def acquire(self, queues: list[MessageQueue]) -> set[MessageQueue]:
        """Return all."""
        return set(queues)

    async def release(self, queues: Iterable[MessageQueue]) -> None:
        """Do nothing."""

    async def release_all(self) -> None:
        """Do nothing."""

    def is_held(self, _queue: MessageQueue) -> bool:
        """Return True."""
        return True


class QueueLocks:
    """
    The locks of one consumer.

    :param on_relocked: called with queues whose lock was lost and is granted again; it
        calls :meth:`confirm` for those that may be read.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        brokers: Brokers,
        clock: IReactorTime,
        group: str,
        client_id: str,
        on_relocked: Callable[[list[MessageQueue]], None],
    ) -> None:
        self._brokers = brokers
        self._clock = clock
        self._group = group
        self._client_id = client_id
        self._on_relocked = on_relocked
        #: Until when the lock of a queue is trusted; 0 while it is not granted.
        self._until: dict[MessageQueue, float] = {}
        self._timer: IDelayedCall | None = None
        self._renewing = False
        self._closed = False

    def is_held(self, queue: MessageQueue) -> bool:
        """Whether the lock of a queue is trusted now."""
        return self._clock.seconds() < self._until.get(queue, 0.0)

    async def acquire(self, queues: list[MessageQueue]) -> set[MessageQueue]:
        """
        Lock queues.

        :returns: those that are locked; the others are locked by other clients, or
            their broker did not respond.
        """
        if self._closed:
            return set()
        sent_at = self._clock.seconds()
        for queue in queues:
            # A release must unlock them even before the response comes.
            self._until.setdefault(queue, 0.0)
        refused: set[MessageQueue] = set()
        granted = await self._lock(queues, refused)
        for queue in granted:
            self._until[queue] = sent_at + VALID
        for queue in refused:
            self._until.pop(queue, None)
        # Without a response, the broker may have locked them nevertheless.
        unknown = [q for q in queues if q not in granted and q not in refused]
        Deferred.fromCoroutine(self.release(unknown))
        self._schedule(PERIOD)
        return granted

    def confirm(self, queue: MessageQueue) -> None:
        """Trust a lock that was lost and is granted again."""
        if queue in self._until:
            self._until[queue] = self._clock.seconds() + VALID

    async def release_all(self) -> None:
        """Unlock all queues, and lock no more."""
        self._closed = True
        await self.release(list(self._until))

    async def release(self, queues: Iterable[MessageQueue]) -> None:
        """
        Unlock queues, so that others can lock them at once.

        It waits for the responses, but for a second at most.
        """
        gone = [queue for queue in queues if queue in self._until]
        calls = []
        for name, some in _by_broker(gone).items():
            address = self._brokers.address(name)
            if address is None:
                continue
            request = UnlockQueues(
                body=UnlockBatchRequestBody(
                    consumer_group=self._group,
                    client_id=self._client_id,
                    mq_set=frozenset(some),
                ).encode()
            )
            calls.append(self._brokers.call(address, request, TIMEOUT))
        for queue in gone:
            del self._until[queue]
        if not self._until and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await DeferredList(calls, consumeErrors=True)

    # -- renewing

    def _schedule(self, seconds: float) -> None:
        """Schedule a renewal, unless one is scheduled or there is no lock."""
        if self._until and self._timer is None and not self._renewing:
            self._timer = self._clock.callLater(seconds, self._begin)

    def _begin(self) -> None:
        """Renew the locks; an error must not end the renewals."""
        self._timer = None
        self._renewing = True
        renewed = Deferred.fromCoroutine(self._renew())
        renewed.addErrback(lambda f: self._log.failure("renewing locks failed", f))
        renewed.addBoth(self._renewed)

    def _renewed(self, complete: Any) -> None:
        """Schedule the next renewal, earlier if a lock was not granted."""
        self._renewing = False
        self._schedule(PERIOD if complete is True else RETRY_PERIOD)

    async def _renew(self) -> bool:
        """
        Request all locks; return whether all were granted.

        A lock that is refused belongs to another client. If the broker does not
        respond, the lock is ours until it is no longer trusted.
        """
        queues = list(self._until)
        sent_at = self._clock.seconds()
        refused: set[MessageQueue] = set()
        granted = await self._lock(queues, refused)
        relocked: list[MessageQueue] = []
        for queue in granted & self._until.keys():
            if self.is_held(queue):
                self._until[queue] = sent_at + VALID
            else:
                relocked.append(queue)
        for queue in refused & self._until.keys():
            if self.is_held(queue):
                self._log.warn("the lock of {queue} is lost", queue=queue)
            self._until[queue] = 0.0
        if relocked:
            self._on_relocked(relocked)
        return len(granted) == len(queues) and not relocked

    async def _lock(
        self, queues: list[MessageQueue], refused: set[MessageQueue]
    ) -> set[MessageQueue]:
        """
        Request the locks of all brokers in parallel.

        :param refused: the queues that a broker refuses are added here.
        :returns: the queues that are locked by this client now.
        """
        granted: set[MessageQueue] = set()

        def received(response: Any, asked: set[MessageQueue]) -> None:
            body = LockBatchResponseBody.decode(response.body)
            granted.update(asked & body.lock_ok_mq_set)
            refused.update(asked - body.lock_ok_mq_set)

        calls = []
        for name, some in _by_broker(queues).items():
            address = self._brokers.address(name)
            if address is None:
                continue
            request = LockQueues(
                body=LockBatchRequestBody(
                    consumer_group=self._group,
                    client_id=self._client_id,
                    mq_set=frozenset(some),
                ).encode()
            )
            call = self._brokers.call(address, request, TIMEOUT)
            calls.append(
                call.addCallback(received, some).addErrback(self._failed, name)
            )
        await DeferredList(calls)
        return granted

    def _failed(self, failure: Failure, broker_name: str) -> None:
        """Log that a broker did not lock."""
        self._log.warn(
            "{broker} locks no queues: {why}",
            broker=broker_name,
            why=failure.getErrorMessage(),
        )


def _by_broker(queues: Iterable[MessageQueue]) -> dict[str, set[MessageQueue]]:
    """Group queues by the names of their brokers."""
    found: defaultdict[str, set[MessageQueue]] = defaultdict(set)
    for queue in queues:
        found[queue.broker_name].add(queue)
    return found
