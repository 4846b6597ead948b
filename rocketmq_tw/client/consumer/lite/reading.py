"""
The parts of a pull consumer that move messages, from its queues to its polls.

:class:`Rebalance` or :class:`FixedQueues` find which queues are ours;
    :class:`Assignment` acquires and releases them; a :class:`Fetcher` pulls each queue;
    :class:`Delivery` gives messages to polls; :class:`Cursors` know how far the
    application has come; :class:`RemoteOffsetStore` keeps what is committed.

Source: ``DefaultLitePullConsumerImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.config import StopReport
from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.group.allocation import strategy
from rocketmq_tw.client.consumer.group.assignment import Assignment
from rocketmq_tw.client.consumer.group.locks import NoLocks
from rocketmq_tw.client.consumer.group.rebalance import Rebalance
from rocketmq_tw.client.consumer.limits import CacheSize, PullLimits
from rocketmq_tw.client.consumer.lite.config import PullConsumerConfig
from rocketmq_tw.client.consumer.lite.cursors import Cursors
from rocketmq_tw.client.consumer.lite.delivery import Delivery
from rocketmq_tw.client.consumer.lite.fixed import FixedQueues
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.consumer.pulls import PullKind
from rocketmq_tw.client.errors import CommitError
from rocketmq_tw.clock import PeriodicCall
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.requests.pull import (
    LITE_PULL,
    SUBSCRIPTION,
    SUSPEND,
    LitePullMessage,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.config import ClientConfig
    from rocketmq_tw.client.session import ClientSession
    from rocketmq_tw.client.trace.polled import PollTracer

#: Every pull contains its subscription, so that a consumer that has not joined the
#: group can pull, too.
LITE: Final = PullKind(LitePullMessage, SUSPEND | SUBSCRIPTION | LITE_PULL)


class Reading:
    """
    Connects, starts and stops these parts.

    :param topics: returns the topics subscribed to.
    :param subscription_of: returns the subscription to a topic.
    :param queues_changed: called when queues were assigned or revoked.
    :ivar assignment: the queues assigned to this consumer.
    :ivar cursors: how far the application has come in them.
    :ivar delivery: delivers their messages.
    :ivar offsets: the offsets of the group.
    :ivar rebalance: assigns the queues of subscriptions.
    :ivar fixed: assigns the queues that the application has chosen.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        session: ClientSession,
        group: str,
        config: PullConsumerConfig,
        topics: Callable[[], list[str]],
        subscription_of: Callable[[str], Subscription | None],
        queues_changed: Callable[[], None],
    ) -> None:
        self._session = session
        self._group = group
        self._config = config
        self._subscription_of = subscription_of
        self._cache = CacheSize()
        self._limits = _limits(config, session.config)
        self.offsets = RemoteOffsetStore(session.brokers, group)
        self.cursors = Cursors(self._consumed)
        self._ownership = NoLocks()
        self._tracer: PollTracer | None = None
        if config.trace:
            from rocketmq_tw.client.trace.made import poll_tracer

            self._tracer = poll_tracer(session, group, config.trace)
        delivered = None if self._tracer is None else self._tracer.delivered
        self.delivery = Delivery(session.clock, self.cursors, delivered)
        self.assignment = Assignment(
            brokers=session.brokers,
            clock=session.clock,
            offsets=self.offsets,
            ownership=self._ownership,
            make_fetcher=self._make_fetcher,
            start_from=config.start_from,
            revoke_grace=config.revoke_grace,
            discard=self.delivery.discard,
            on_changed=queues_changed,
            on_repaired=self._repaired,
        )
        self.rebalance = Rebalance(
            client_id=session.client_id,
            group=group,
            strategy=strategy(config.strategy),
            topics=topics,
            assignment=self.assignment,
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            heartbeat=session.heartbeats.send_all,
        )
        self.fixed = FixedQueues(
            assignment=self.assignment, routes=session.routes, clock=session.clock
        )
        self._tick = PeriodicCall(self._commit_and_check, session.clock)

    def start(self) -> None:
        """Start the periodic commits and checks."""
        self._tick.start(self._config.commit_interval, now=False)

    async def stop(self, grace: float, wait: bool) -> StopReport:
        """
        Deliver no more messages, commit what the application has dealt with.

        :param grace: how long to wait for that, in seconds.
        :param wait: whether to wait until it has dealt with the messages in hand.
        :returns: the messages that it still had, and the queues not committed.
        """
        if self._tick.running:
            self._tick.stop()
        self.rebalance.stop()
        self.fixed.stop()
        self.assignment.close()
        self.delivery.close()
        if wait:
            await self.assignment.until_idle(grace)
        self.cursors.abandon()
        failed = await self.assignment.forget_all()
        if self._tracer is not None:
            await self._tracer.stop()
        return StopReport(self.cursors.abandoned, sorted(failed))

    # -- offsets

    def _consumed(self, queue: MessageQueue, offset: int) -> None:
        """Commit an offset some time later, if that is wanted."""
        if self._config.auto_commit:
            self.offsets.update(queue, offset)

    async def commit(
        self, offsets: Mapping[MessageQueue, int]
    ) -> dict[MessageQueue, int]:
        """
        Store these offsets.

        :returns: the same offsets.
        :raises NotAssigned: one of the queues is not assigned; nothing is stored.
        :raises CommitError: some were not stored.
        """
        for queue in offsets:
            self.cursors.get(queue)
        for queue, offset in offsets.items():
            self.offsets.begin(queue, offset, stored=False)
        failed = await self.offsets.commit(offsets)
        if failed:
            raise CommitError(failed)
        return dict(offsets)

    def move(self, queue: MessageQueue, offset: int) -> None:
        """
        Continue at another queue offset.

        :raises NotAssigned: the queue is not assigned.
        """
        cursor = self.cursors.get(queue)
        self.offsets.begin(queue, offset, stored=not self._config.auto_commit)
        cursor.move(offset)

    # -- queues

    def _make_fetcher(self, queue: MessageQueue) -> Fetcher:
        """Return the fetcher of a queue, whose offset is known."""
        session = self._session
        offset = self.offsets.read(queue) or 0
        if not self._config.auto_commit:
            # What only this consumer has decided is not to be stored by itself.
            self.offsets.begin(queue, offset, stored=True)
        fetcher = Fetcher(
            group=self._group,
            messages=ProcessQueue(queue, self._cache),
            offsets=self.cursors,
            cache=self._cache,
            limits=self._limits,
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            subscription_of=self._subscription_of,
            is_held=self._ownership.is_held,
            dispatch=self.delivery.add,
            on_illegal_offset=self.assignment.repair,
            kind=LITE,
        )
        self.cursors.begin(fetcher, offset)
        return fetcher

    def _repaired(self) -> None:
        """Acquire a queue again, whose offset was repaired."""
        self.rebalance.now()
        self.fixed.now()

    def _commit_and_check(self) -> None:
        """
        Commit the offsets and check the fetchers; a failure must not end the timer.
        """
        try:
            if self._config.auto_commit:
                self.offsets.commit_changed()
            for fetcher in list(self.assignment.fetchers.values()):
                fetcher.check()
        except Exception:
            self._log.failure("the periodic commit failed")


def _limits(config: PullConsumerConfig, client: ClientConfig) -> PullLimits:
    """Return the limits for pulling, from the options."""
    return PullLimits(
        batch=config.pull_batch,
        total_size=config.max_cached_bytes,
        total_messages=config.max_cached_messages,
        inflate=InflateLimits.of(client),
    )
