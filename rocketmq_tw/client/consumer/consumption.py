"""
What one consumer does with its queues, from sharing out to committing.

:class:`Rebalance` finds our share of the queues; :class:`Assignment` takes and gives
them up; a :class:`PullLoop` a queue fetches; :class:`ConcurrentDelivery` calls the
handlers; :class:`Retries` hands back what failed; :class:`RemoteOffsetStore` keeps our
offsets.

Source: ``DefaultMQPushConsumerImpl`` and ``MQClientInstance`` of RocketMQ 5, for the
order in which they are started and stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.client.consumer.config import ConsumerConfig, StopReport
from rocketmq_tw.client.consumer.dispatch.concurrent import ConcurrentDelivery
from rocketmq_tw.client.consumer.dispatch.send_back import Retries
from rocketmq_tw.client.consumer.fetcher import PullLimits, PullLoop
from rocketmq_tw.client.consumer.group.allocation import strategy
from rocketmq_tw.client.consumer.group.assignment import Assignment
from rocketmq_tw.client.consumer.group.rebalance import Rebalance
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.process_queue import CacheSize, ProcessQueue
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.model.queue import MessageQueue

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Seconds between two commits, and between two looks for loops that stand still.
COMMIT_PERIOD: Final = 5.0
#: Seconds that cut handlers' messages get to be handed back when the consumer stops.
LAST_RETRIES: Final = 5.0


class Consumption:
    """
    The moving parts of one consumer, wired together.

    :param queues_changed: called when queues have come or gone.
    :ivar assignment: the queues that are ours.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        group: str,
        config: ConsumerConfig,
        subscriptions: Subscriptions,
        queues_changed: Callable[[], None],
    ) -> None:
        self._session = session
        self._group = group
        self._subscriptions = subscriptions
        self._cache = CacheSize()
        self._limits = PullLimits(
            batch=config.pull_batch, total_size=config.max_cached_bytes
        )
        self._offsets = RemoteOffsetStore(session, group)
        self._delivery = ConcurrentDelivery(
            session.reactor,
            subscriptions.handler_of,
            self._offsets.update,
            Retries(session, group, config.max_retries).give_back,
            concurrency=config.concurrency,
            batch=config.batch,
            handler_timeout=config.handler_timeout,
        )
        self.assignment = Assignment(
            session,
            self._offsets,
            self._make_loop,
            config.start_from,
            config.revoke_grace,
            self._delivery.discard,
            queues_changed,
            self.share_out,
        )
        self._rebalance = Rebalance(
            session,
            group,
            strategy(config.strategy),
            lambda: subscriptions.topics,
            self.assignment.apply,
            self.assignment.keep_only,
        )
        self._tick = LoopingCall(self._commit_and_check)
        self._tick.clock = session.reactor

    def start(self) -> Deferred[None]:
        """Begin; fires after the first rebalance, whatever came of it."""
        self._tick.start(COMMIT_PERIOD, now=False)
        return self._rebalance.start()

    def share_out(self) -> None:
        """Share the queues out again, now."""
        self._rebalance.now()

    def stop(self, grace: float) -> Deferred[StopReport]:
        """
        Pull no more, let handlers finish, hand back what they do not, commit.

        :param grace: seconds that handlers have. Cancelling the Deferred ends them.
        :returns: never fails.
        """
        return Deferred.fromCoroutine(self._stop(grace))

    async def _stop(self, grace: float) -> StopReport:
        """Stop in stages: pulls, handlers, offsets."""
        if self._tick.running:
            self._tick.stop()
        self._rebalance.stop()
        self.assignment.close()
        self._delivery.stop()
        await self.assignment.until_idle(grace)
        abandoned = self._delivery.cancel_running()
        await self.assignment.until_idle(LAST_RETRIES)
        failed = await self.assignment.forget_all()
        return StopReport(abandoned, sorted(failed))

    def _make_loop(self, queue: MessageQueue) -> PullLoop:
        """Make what pulls one queue."""
        return PullLoop(
            self._session,
            self._group,
            ProcessQueue(queue, self._cache),
            self._offsets,
            self._cache,
            self._limits,
            self._subscriptions.of,
            self._delivery.submit,
            self.assignment.repair,
        )

    def _commit_and_check(self) -> None:
        """Do what is done every few seconds; one failure must not end that."""
        try:
            self._offsets.commit_changed()
            for loop in list(self.assignment.loops.values()):
                loop.check()
        except Exception:
            self._log.failure("the periodic commit failed")
