"""
When the queues of a group are shared out, and to whom.

Every 20 s, and at once when a broker tells of a change, each member asks for the list
of members and computes its share. A topic whose route or members could not be learnt
keeps the queues it has; a pass with such a topic is repeated after 1 s, then a little
more seldom.

Source: ``RebalanceService`` and ``RebalanceImpl`` of RocketMQ 5; there, such a pass
waits for its 20 s like any other.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from rocketmq_tw.client.consumer.group.allocation import Strategy, allocate
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Seconds between two passes, give or take a tenth: members need not march in step.
PERIOD: Final = 20.0
#: Seconds after the first pass that left something open; doubled each time, to a limit:
#: a topic that comes into being is not to wait for long.
SOON: Final = 1.0
SOON_LIMIT: Final = 5.0

_JITTER: Final = 0.1

#: Takes a topic and the queues of it that are ours from now on; answers whether all is
#: settled.
Apply = Callable[[str, frozenset[MessageQueue]], Awaitable[bool]]


class _NoMembers(RocketMQError):
    """A broker's list of members is empty."""


class Rebalance:
    """
    Shares queues out, one pass at a time.

    :param topics: gives the topics subscribed to.
    :param apply: takes and releases queues.
    :param keep_only: releases the queues of all topics but these.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        group: str,
        strategy: Strategy,
        topics: Callable[[], list[str]],
        apply: Apply,
        keep_only: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._session = session
        self._group = group
        self._strategy = strategy
        self._topics = topics
        self._apply = apply
        self._keep_only = keep_only
        self._stopped = True
        self._passing: Deferred[bool] | None = None
        self._again = False
        self._open = 0
        self._timer: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []
        self._silent: set[str] = set()

    def start(self) -> Deferred[None]:
        """
        Begin.

        :returns: fires after the first pass, whatever came of it.
        """
        self._stopped = False
        first: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(first)
        self.now()
        return first

    def stop(self) -> None:
        """End; a pass under way is cancelled."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._passing is not None:
            self._passing.cancel()

    def now(self) -> None:
        """Begin a pass; if one is under way, another one follows it."""
        if self._stopped:
            return
        if self._passing is not None:
            self._again = True
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._again = False
        self._passing = passing = Deferred.fromCoroutine(self._pass())
        passing.addBoth(self._passed)

    def _passed(self, outcome: Any) -> None:
        """Tell who waits, and arrange for the next pass."""
        self._passing = None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)
        if self._stopped:
            return
        if outcome is True:
            self._open = 0
            wait = PERIOD * random.uniform(1 - _JITTER, 1 + _JITTER)
        else:
            if outcome is not False:
                self._log.failure("a pass of rebalancing failed", outcome)
            wait = min(SOON * 2**self._open, SOON_LIMIT)
            self._open = min(self._open + 1, 8)
        self._timer = self._session.reactor.callLater(
            0 if self._again else wait, self._next
        )

    def _next(self) -> None:
        """Begin the pass that was arranged."""
        self._timer = None
        self.now()

    async def _pass(self) -> bool:
        """Go through all topics; answer whether all is settled."""
        settled = True
        topics = self._topics()
        for topic in topics:
            try:
                members, queues = await self._learn(topic)
                me = self._session.client_id
                if me not in members:
                    # Others share our queues by now. Make ourselves known again.
                    self._log.warn("not listed in {group}", group=self._group)
                    self._session.heartbeat_now()
                    settled = False
                mine = allocate(self._strategy, me, queues, members)
                settled &= await self._apply(topic, mine)
                self._silent.discard(topic)
            except RocketMQError as error:
                settled = False
                self._complain(topic, error)
        await self._keep_only(topics)
        return settled

    async def _learn(self, topic: str) -> tuple[tuple[str, ...], list[MessageQueue]]:
        """
        Ask for the members of the group and the queues of a topic.

        :raises RocketMQError: the route or the members could not be learnt.
        """
        self._session.routes.watch(topic)
        await self._session.routes.find(topic)
        queues = self._session.routes.readable(topic)
        if not queues:
            raise NoRouteError(topic, "none of its queues can be read")
        members = await self._members(sorted({q.broker_name for q in queues}))
        return members, queues

    async def _members(self, broker_names: list[str]) -> tuple[str, ...]:
        """Ask one broker after another for the group's client ids."""
        error: RocketMQError = NoRouteError("", "none of its brokers has an address")
        for name in broker_names:
            address = self._session.broker_address(name, any_broker=True)
            if address is None:
                continue
            try:
                answer = await self._session.call(
                    address, GetConsumerList(consumer_group=self._group)
                )
                members = ConsumerIdList.decode(answer.body).consumer_id_list
            except RocketMQError as raised:
                error = raised
                continue
            if members:
                return members
            error = _NoMembers(f"{address} knows no member of {self._group}")
        if isinstance(error, (BrokerError, _NoMembers)):
            # It answered, so it lives, but it does not know us.
            self._session.heartbeat_now()
        raise error

    def _complain(self, topic: str, error: RocketMQError) -> None:
        """Log why a topic keeps its queues: once, until it goes well again."""
        if topic in self._silent:
            return
        self._silent.add(topic)
        # The retry topic comes into being with the first heartbeat, a little later.
        log = self._log.debug if is_retry(topic) else self._log.warn
        log(
            "{group} keeps its queues of {topic}: {error}",
            group=self._group,
            topic=topic,
            error=error,
        )
