"""
Rebalancing: when it happens, and which queues are ours.

Every 20 s, and when a broker reports a change (at once, but only once a second), each
member requests the list of members and computes its own queues. If the route or the
members of a topic cannot be found, the topic keeps its queues; such an incomplete pass
is repeated after 1 s, then less often.

Source: ``RebalanceService`` and ``RebalanceImpl`` of RocketMQ 5, in which an incomplete
pass is repeated after 20 s only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.client.consumer.group.allocation import allocate
from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.client.routes import RouteCache

#: Seconds between two passes, plus or minus a tenth, so that members do not call at
#: once.
PERIOD: Final = 20.0
#: Seconds between the beginnings of two passes because of notifications.
MIN_PERIOD: Final = 1.0
#: Seconds after the first incomplete pass, doubled each time up to a limit: a topic
#: that was just created should be consumed soon.
RETRY_PERIOD: Final = 1.0
RETRY_LIMIT: Final = 5.0

_JITTER: Final = 0.1


class Assigner(Protocol):
    """Acquires and releases queues."""

    async def apply(self, topic: str, ours: frozenset[MessageQueue]) -> bool:
        """
        Make exactly these queues of a topic ours; False if some were not acquired.
        """

    async def keep_only(self, topics: Iterable[str]) -> None:
        """Release the queues of all topics but these."""


class _NoMembers(RocketMQError):
    """A broker's list of members is empty."""


class Rebalance:
    """
    Computes and applies the assignment, one pass at a time.

    :param strategy: computes our queues; None: all queues are ours.
    :param topics: returns the topics subscribed to.
    :param heartbeat: registers us with the brokers.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        client_id: str,
        group: str,
        strategy: Strategy | None,
        topics: Callable[[], list[str]],
        assignment: Assigner,
        brokers: Brokers,
        routes: RouteCache,
        clock: IReactorTime,
        heartbeat: Callable[[], Deferred[None]],
    ) -> None:
        self._client_id = client_id
        self._group = group
        self._strategy = strategy
        self._topics = topics
        self._assignment = assignment
        self._brokers = brokers
        self._routes = routes
        self._clock = clock
        self._heartbeat = heartbeat
        self._stopped = True
        self._pass: Deferred[bool] | None = None
        self._repeat = False
        self._notified = False
        self._began_at = -MIN_PERIOD
        #: How many passes in a row were incomplete.
        self._incomplete = 0
        self._timer: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []
        #: Topics whose failure was logged.
        self._complained: set[str] = set()

    def start(self) -> Deferred[None]:
        """
        Start.

        :returns: fires after the first pass, whether it succeeded or not.
        """
        self._stopped = False
        first: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(first)
        self.now()
        return first

    def stop(self) -> None:
        """Stop; a running pass is cancelled."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pass is not None:
            self._pass.cancel()

    def notified(self) -> None:
        """
        Start a pass, a second after the last one began at the earliest.

        If hundreds of members start at once, every one is notified of every other.
        """
        waits = self._began_at + MIN_PERIOD - self._clock.seconds()
        if self._stopped or self._repeat:
            return
        if waits <= 0:
            self.now()
        elif self._pass is not None:
            self._notified = True
        elif self._timer is not None and self._timer.getTime() > self._at(waits):
            self._timer.reset(waits)

    def _at(self, seconds: float) -> float:
        """Return the time after some seconds."""
        return self._clock.seconds() + seconds

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
        self._repeat = self._notified = False
        self._began_at = self._clock.seconds()
        self._pass = Deferred.fromCoroutine(self._run())
        self._pass.addBoth(self._passed)

    def _passed(self, outcome: Any) -> None:
        """Fire the Deferreds of :meth:`start`, and schedule the next pass."""
        self._pass = None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)
        if self._stopped:
            return
        if outcome is True:
            self._incomplete = 0
            wait = PERIOD * random.uniform(1 - _JITTER, 1 + _JITTER)
        else:
            if outcome is not False:
                self._log.failure("a pass of rebalancing failed", outcome)
            wait = min(RETRY_PERIOD * 2**self._incomplete, RETRY_LIMIT)
            self._incomplete = min(self._incomplete + 1, 8)
        if self._notified:
            wait = min(
                wait, max(0, self._began_at + MIN_PERIOD - self._clock.seconds())
            )
        if self._repeat:
            wait = 0
        self._timer = self._clock.callLater(wait, self._begin)

    def _begin(self) -> None:
        """Start the scheduled pass."""
        self._timer = None
        self.now()

    async def _run(self) -> bool:
        """Assign the queues of all topics; False if that is incomplete."""
        complete = True
        topics = self._topics()
        for topic in topics:
            try:
                complete &= await self._assign(topic)
                self._complained.discard(topic)
            except RocketMQError as error:
                complete = False
                self._complain(topic, error)
        await self._assignment.keep_only(topics)
        return complete

    async def _assign(self, topic: str) -> bool:
        """
        Compute which queues of a topic are ours, and acquire them.

        :returns: whether the assignment is complete.
        :raises RocketMQError: the route or the members could not be found.
        """
        self._routes.watch(topic)
        await self._routes.find(topic)
        queues = self._routes.readable(topic)
        if not queues:
            raise NoRouteError(topic, "none of its queues can be read")
        if self._strategy is None:
            return await self._assignment.apply(topic, frozenset(queues))
        members = await self._members(sorted({q.broker_name for q in queues}))
        listed = self._client_id in members
        if not listed:
            # The other members have acquired our queues by now. Register again.
            self._log.warn("not listed in {group}", group=self._group)
            self._heartbeat()
        ours = allocate(self._strategy, self._client_id, queues, members)
        taken = await self._assignment.apply(topic, ours)
        return taken and listed

    async def _members(self, broker_names: list[str]) -> tuple[str, ...]:
        """Request the group's client ids from one broker after another."""
        error: RocketMQError = NoRouteError("", "none of its brokers has an address")
        for name in broker_names:
            address = self._brokers.address(name, any_broker=True)
            if address is None:
                continue
            try:
                response = await self._brokers.call(
                    address, GetConsumerList(consumer_group=self._group)
                )
                members = ConsumerIdList.decode(response.body).consumer_id_list
            except RocketMQError as raised:
                error = raised
                continue
            if members:
                return members
            error = _NoMembers(f"{address} knows no member of {self._group}")
        if isinstance(error, (BrokerError, _NoMembers)):
            # The broker responded but does not know us.
            self._heartbeat()
        raise error

    def _complain(self, topic: str, error: RocketMQError) -> None:
        """Log why a topic keeps its queues, once until it succeeds again."""
        if topic in self._complained:
            return
        self._complained.add(topic)
        # The retry topic is created by the first heartbeat, a little later.
        log = self._log.debug if is_retry(topic) else self._log.warn
        log(
            "{group} keeps its queues of {topic}: {error}",
            group=self._group,
            topic=topic,
            error=error,
        )
