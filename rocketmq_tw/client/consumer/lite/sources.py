"""
What a pull consumer reads: the topics it has subscribed to, or queues of its choice.

Source: ``DefaultLitePullConsumerImpl.subscribe`` and ``assign`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from rocketmq_tw.client.consumer.expressions import parse_expression
from rocketmq_tw.client.consumer.group.filters import check_expressions
from rocketmq_tw.client.consumer.group.membership import Membership
from rocketmq_tw.client.consumer.offsets.start import LATEST
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.client.errors import StateError
from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.lite.reading import Reading
    from rocketmq_tw.client.session import ClientSession


class Sources:
    """
    The sources of one consumer; false while there are none.

    A consumer with subscriptions is a member of its group; one that has chosen its
    queues is not: the other members would leave queues to it.
    """

    _log = Logger()

    def __init__(self, session: ClientSession, group: str) -> None:
        self._session = session
        self._group = group
        self._subscriptions = Subscriptions(group, session.clock, retries=False)
        #: The expression for chosen queues; None until there are some.
        self._expression: str | None = None
        self._reading: Reading | None = None
        self._started = False
        self._is_member = False
        self._membership = Membership(
            group=group,
            groups=session.groups,
            heartbeats=session.heartbeats,
            routes=session.routes,
            subscriptions=self._subscriptions,
            # Java's pull consumers send this, whatever they are set to.
            start_from=LATEST,
            broadcast=False,
            rebalance=self._rebalance,
            notified=self._notified,
            consume_type=ConsumeType.CONSUME_ACTIVELY,
        )

    def connect(self, reading: Reading) -> None:
        """Set the parts that acquire the queues."""
        self._reading = reading

    def __bool__(self) -> bool:
        return bool(self._subscriptions) or self._expression is not None

    @property
    def topics(self) -> list[str]:
        """The topics subscribed to."""
        return self._subscriptions.topics

    def subscription_of(self, topic: str) -> Subscription | None:
        """Return the subscription for pulls of a topic; None if there is none."""
        if self._expression is not None:
            return parse_expression(topic, self._expression, 0)
        return self._subscriptions.of(topic)

    # -- choosing

    def subscribe(self, topic: str, expression: str) -> None:
        """
        Subscribe to a topic.

        :raises StateError: there are chosen queues.
        :raises GroupInUse: this client has another consumer in the group.
        """
        if self._expression is not None:
            raise StateError("the consumer has chosen its queues; it cannot subscribe")
        self._subscriptions.add(topic, expression, None)
        if self._is_member:
            self._membership.subscriptions_changed()
        elif self._started:
            self._join().addErrback(
                lambda f: self._log.error("{why}", why=f.getErrorMessage())
            )

    def unsubscribe(self, topic: str) -> None:
        """Remove the subscription to a topic."""
        self._subscriptions.remove(topic)
        if self._is_member:
            self._membership.subscriptions_changed()

    def assign(self, queues: Iterable[MessageQueue], expression: str) -> None:
        """
        Choose the queues.

        :raises StateError: there are subscriptions.
        """
        if self._subscriptions:
            raise StateError("the consumer has subscribed; it cannot choose its queues")
        parse_expression("", expression, 0)
        assert self._reading is not None
        self._reading.fixed.choose(queues)
        first, self._expression = self._expression is None, expression
        if self._started and first:
            self._acquire().addErrback(
                lambda f: self._log.error("{why}", why=f.getErrorMessage())
            )
        elif self._started:
            self._reading.fixed.now()

    # -- life

    def start(self) -> Deferred[None]:
        """
        Acquire queues, now and when sources are added.

        :returns: fires after the first attempt, successful or not.
        :raises GroupInUse: this client has another consumer in the group.
        """
        self._started = True
        assert self._reading is not None
        if self._expression is not None:
            return self._acquire()
        return self._join() if self._subscriptions else succeed(None)

    def _acquire(self) -> Deferred[None]:
        """
        Acquire the chosen queues.

        :returns: fails with BrokerError if a broker cannot use the expression.
        """
        assert self._reading is not None
        fixed = self._reading.fixed
        wanted = [parse_expression(t, self._expression or "*", 0) for t in fixed.topics]

        async def acquire() -> None:
            await check_expressions(self._session, self._group, wanted)
            if self._started:
                await fixed.start()

        return Deferred.fromCoroutine(acquire())

    def _join(self) -> Deferred[None]:
        """Join the group, and acquire queues after the first heartbeat."""
        joined = self._membership.join()
        self._is_member = True
        return Deferred.fromCoroutine(self._begin(joined))

    async def _begin(self, joined: Deferred[None]) -> None:
        """
        Acquire queues.

        :raises BrokerError: a broker cannot use an expression.
        """
        await joined
        subscriptions = self._subscriptions.all
        await check_expressions(self._session, self._group, subscriptions)
        if self._is_member:
            assert self._reading is not None
            await self._reading.rebalance.start()

    def leave(self) -> Deferred[None]:
        """Leave the group; fires after a second at most, and never fails."""
        self._started = False
        if not self._is_member:
            return succeed(None)
        self._is_member = False
        return self._membership.leave()

    def queues_changed(self) -> None:
        """Called when our queues have changed."""
        if self._is_member:
            self._membership.queues_changed()

    def _rebalance(self) -> None:
        """Rebalance, because our subscriptions have changed."""
        assert self._reading is not None
        self._reading.rebalance.now()

    def _notified(self) -> None:
        """Rebalance, because members or routes may have changed."""
        assert self._reading is not None
        self._reading.rebalance.notified()
