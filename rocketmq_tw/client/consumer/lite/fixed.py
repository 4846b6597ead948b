"""
The queues that an application has chosen itself, instead of joining the group.

Only offsets are stored under the group's name. Queues that cannot be acquired, because
their broker is away, are tried again after 1 s, then less often.

Source: ``DefaultLitePullConsumerImpl.assign`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.client.consumer.group.rebalance import (
    RETRY_LIMIT,
    RETRY_PERIOD,
    Assigner,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.waiters import Waiters

if TYPE_CHECKING:
    from rocketmq_tw.client.routes import RouteCache


class FixedQueues:
    """Acquires the chosen queues, one pass at a time."""

    _log = Logger()

    def __init__(
        self, *, assignment: Assigner, routes: RouteCache, clock: IReactorTime
    ) -> None:
        self._assignment = assignment
        self._routes = routes
        self._clock = clock
        self._queues: frozenset[MessageQueue] = frozenset()
        self._stopped = True
        self._pass: Deferred[bool] | None = None
        self._repeat = False
        #: How many passes in a row were incomplete.
        self._incomplete = 0
        self._timer: IDelayedCall | None = None
        self._waiting = Waiters()

    def choose(self, queues: Iterable[MessageQueue]) -> None:
        """Set the queues; :meth:`start` or :meth:`now` acquires them."""
        self._queues = frozenset(queues)

    @property
    def topics(self) -> list[str]:
        """The topics of the chosen queues."""
        return sorted({queue.topic for queue in self._queues})

    def start(self) -> Deferred[None]:
        """Acquire the queues; fires after the first pass, successful or not."""
        self._stopped = False
        first = self._waiting.add()
        self.now()
        return first

    def now(self) -> None:
        """Start a pass; if one is running, another follows it."""
        if self._stopped:
            return
        if self._pass is not None:
            self._repeat = True
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._repeat = False
        self._pass = Deferred.fromCoroutine(self._run(self._queues))
        self._pass.addBoth(self._passed)

    def stop(self) -> None:
        """Stop; a running pass is cancelled."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pass is not None:
            self._pass.cancel()

    async def _run(self, queues: frozenset[MessageQueue]) -> bool:
        """Acquire and release until just these queues are ours."""
        complete = True
        topics = sorted({queue.topic for queue in queues})
        for topic in topics:
            self._routes.watch(topic)
            ours = frozenset(queue for queue in queues if queue.topic == topic)
            complete &= await self._assignment.apply(topic, ours)
        await self._assignment.keep_only(topics)
        return complete

    def _passed(self, outcome: Any) -> None:
        """Fire the Deferreds of :meth:`start`, and repeat what was incomplete."""
        self._pass = None
        self._waiting.fire()
        if self._stopped:
            return
        if outcome is True:
            self._incomplete = 0
            if self._repeat:
                self._timer = self._clock.callLater(0, self._begin)
            return
        if outcome is not False:
            self._log.failure("acquiring queues failed", outcome)
        wait = min(RETRY_PERIOD * 2**self._incomplete, RETRY_LIMIT)
        self._incomplete = min(self._incomplete + 1, 8)
        self._timer = self._clock.callLater(0 if self._repeat else wait, self._begin)

    def _begin(self) -> None:
        """Start the scheduled pass."""
        self._timer = None
        self.now()
