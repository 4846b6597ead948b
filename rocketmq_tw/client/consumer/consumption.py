"""
The parts of one consumer that move messages, from its queues to its offsets.

:class:`Rebalance` finds which queues are ours; :class:`Assignment` acquires and
    releases them, with the locks of :class:`QueueLocks` if order matters; a
    :class:`Fetcher` pulls each queue; a :class:`Dispatcher` calls the handlers;
    :class:`MessageReturns` sends back failed messages; an :class:`OffsetStore` keeps
    our offsets.

Source: ``DefaultMQPushConsumerImpl`` and ``MQClientInstance`` of RocketMQ 5, for the
order in which they are started and stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.config import ConsumerConfig, StopReport
from rocketmq_tw.client.consumer.control import ConsumerControl
from rocketmq_tw.client.consumer.counts import ConsumerCounts
from rocketmq_tw.client.consumer.dispatch.drops import MessageDrops
from rocketmq_tw.client.consumer.dispatch.kinds import make_dispatcher
from rocketmq_tw.client.consumer.dispatch.send_back import MessageReturns, Returns
from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.group.allocation import strategy
from rocketmq_tw.client.consumer.group.assignment import Assignment
from rocketmq_tw.client.consumer.group.locks import NoLocks, Ownership, QueueLocks
from rocketmq_tw.client.consumer.group.rebalance import Rebalance
from rocketmq_tw.client.consumer.group.relocked import Relocked
from rocketmq_tw.client.consumer.limits import CacheSize, PullLimits
from rocketmq_tw.client.consumer.offsets.local import LocalOffsetStore, offsets_path
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.clock import PeriodicCall
from rocketmq_tw.model.queue import MessageQueue

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession
    from rocketmq_tw.client.trace.consumption import ConsumerTracer

#: Seconds between two commits, and between two checks for pulls without a response.
COMMIT_PERIOD: Final = 5.0
#: Seconds to send back the messages of cancelled handlers when the consumer stops.
LAST_RETURNS: Final = 5.0
#: A span that no queue reaches.
_NO_SPAN: Final = 1 << 62


class Consumption:
    """
    Connects, starts and stops these parts.

    :param queues_changed: called when queues were assigned or revoked.
    :ivar assignment: the queues assigned to this consumer.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        session: ClientSession,
        group: str,
        config: ConsumerConfig,
        subscriptions: Subscriptions,
        queues_changed: Callable[[], None],
    ) -> None:
        self._group = group
        self._brokers = session.brokers
        self._routes = session.routes
        self._clock = session.clock
        self._subscriptions = subscriptions
        self._cache = CacheSize()
        self._counts = ConsumerCounts()
        self._limits = _limits(config, session.config)
        self._offsets = _offsets(session, group, config)
        self._ownership: Ownership = NoLocks()
        if config.ordered and not config.broadcast:
            self._ownership = self._locks(session)
        self._tracer: ConsumerTracer | None = None
        handler_of = subscriptions.handler_of
        if config.trace:
            from rocketmq_tw.client.trace.made import consumer_tracer

            self._tracer = consumer_tracer(session, group, config.trace, handler_of)
            handler_of = self._tracer.handler_of
        self._dispatcher = make_dispatcher(
            clock=session.clock,
            config=config,
            handler_of=handler_of,
            consumed=self._offsets.update,
            returns=_returns(session, group, config),
            is_held=self._ownership.is_held,
        )
        self.assignment = self._make_assignment(session, config, queues_changed)
        self._rebalance = Rebalance(
            client_id=session.client_id,
            group=group,
            strategy=None if config.broadcast else strategy(config.strategy),
            topics=lambda: subscriptions.topics,
            assignment=self.assignment,
            brokers=session.brokers,
            routes=session.routes,
            clock=session.clock,
            heartbeat=session.heartbeats.send_all,
        )
        self._control = self._make_control(session, config)
        self._remote_commands = session.remote_commands
        self._tick = PeriodicCall(self._commit_and_check, session.clock)

    def start(self) -> Deferred[None]:
        """Start; fires after the first rebalance, whether it succeeded or not."""
        self._tick.start(COMMIT_PERIOD, now=False)
        self._remote_commands.add(self._group, self._control)
        return self._rebalance.start()

    def rebalance(self) -> None:
        """Rebalance now."""
        self._rebalance.now()

    def notified(self) -> None:
        """Rebalance because members or routes may have changed."""
        self._rebalance.notified()

    def stop(self, grace: float) -> Deferred[StopReport]:
        """
        Stop pulling, let handlers finish, send back the messages of the others, commit.

        :param grace: seconds for handlers to finish. Cancelling the Deferred ends it.
        :returns: never fails.
        """
        return Deferred.fromCoroutine(self._stop(grace))

    async def _stop(self, grace: float) -> StopReport:
        """Stop in stages: pulls, handlers, offsets."""
        self._remote_commands.remove(self._group)
        if self._tick.running:
            self._tick.stop()
        self._rebalance.stop()
        self.assignment.close()
        self._dispatcher.stop()
        await self.assignment.until_idle(grace)
        abandoned = self._dispatcher.cancel_running()
        await self.assignment.until_idle(LAST_RETURNS)
        failed = await self.assignment.forget_all()
        if self._tracer is not None:
            await self._tracer.stop()
        return StopReport(abandoned, sorted(failed))

    def _locks(self, session: ClientSession) -> QueueLocks:
        """Return the locks of our queues, and check those that are locked again."""

        def check(queues: list[MessageQueue]) -> None:
            relocked.check(queues)

        def resume(fetcher: Fetcher) -> None:
            locks.confirm(fetcher.queue)
            fetcher.wake()
            self._dispatcher.dispatch(fetcher.messages, [])

        locks = QueueLocks(
            brokers=session.brokers,
            clock=session.clock,
            group=self._group,
            client_id=session.client_id,
            on_relocked=check,
        )
        relocked = Relocked(
            offsets=self._offsets,
            fetcher_of=lambda queue: self.assignment.fetchers.get(queue),
            resume=resume,
            reacquire=lambda fetcher: self.assignment.reacquire(fetcher),
        )
        return locks

    def _make_assignment(
        self,
        session: ClientSession,
        config: ConsumerConfig,
        queues_changed: Callable[[], None],
    ) -> Assignment:
        """Return what acquires and releases queues."""
        return Assignment(
            brokers=session.brokers,
            clock=session.clock,
            offsets=self._offsets,
            ownership=self._ownership,
            make_fetcher=self._make_fetcher,
            start_from=config.start_from,
            revoke_grace=config.revoke_grace,
            discard=self._dispatcher.discard,
            on_changed=queues_changed,
            on_repaired=self.rebalance,
        )

    def _make_control(
        self, session: ClientSession, config: ConsumerConfig
    ) -> ConsumerControl:
        """Return what administrators see."""
        return ConsumerControl(
            session=session,
            config=config,
            subscriptions=self._subscriptions,
            assignment=self.assignment,
            offsets=self._offsets,
            counts=self._counts,
            is_held=self._ownership.is_held,
        )

    def _make_fetcher(self, queue: MessageQueue) -> Fetcher:
        """Return the fetcher of one queue."""
        return Fetcher(
            group=self._group,
            messages=ProcessQueue(queue, self._cache, self._counts.of(queue.topic)),
            offsets=self._offsets,
            cache=self._cache,
            limits=self._limits,
            brokers=self._brokers,
            routes=self._routes,
            clock=self._clock,
            subscription_of=self._subscriptions.of,
            is_held=self._ownership.is_held,
            dispatch=self._dispatcher.dispatch,
            on_illegal_offset=self.assignment.repair,
        )

    def _commit_and_check(self) -> None:
        """
        Commit the offsets and check the fetchers; a failure must not end the timer.
        """
        try:
            self._offsets.commit_changed()
            self._counts.sample(self._clock.seconds())
            for fetcher in list(self.assignment.fetchers.values()):
                fetcher.check()
        except Exception:
            self._log.failure("the periodic commit failed")


def _offsets(session: ClientSession, group: str, config: ConsumerConfig) -> OffsetStore:
    """Return where the offsets are stored: on this host, or at the brokers."""
    if not config.broadcast:
        return RemoteOffsetStore(session.brokers, group, config.strict_start)
    path = offsets_path(session.config.offset_directory, session.local_name, group)
    return LocalOffsetStore(path, session.run_in_thread)


def _returns(session: ClientSession, group: str, config: ConsumerConfig) -> Returns:
    """Return what becomes of failed messages."""
    if config.broadcast:
        return MessageDrops()
    return MessageReturns(
        brokers=session.brokers,
        routes=session.routes,
        group=group,
        max_retries=config.retries,
    )


def _limits(config: ConsumerConfig, client: ClientConfig) -> PullLimits:
    """Return the limits for pulling, from the options."""
    return PullLimits(
        batch=config.pull_batch,
        messages=config.max_queue_messages,
        # In order, no message is pulled and consumed before an earlier one.
        span=_NO_SPAN if config.ordered else config.max_span,
        size=config.max_queue_bytes,
        total_size=config.max_cached_bytes,
        interval=config.pull_interval,
        inflate=InflateLimits.of(client),
    )
