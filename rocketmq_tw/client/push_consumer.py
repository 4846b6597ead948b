"""
The push consumer: messages come to a handler, shared with the members of a group.

What it is made of: :class:`Subscriptions` say what to read; :class:`Rebalance` finds
our share of the queues; :class:`Assignment` takes and gives them up; a
:class:`PullLoop` a queue fetches; :class:`ConcurrentDelivery` calls the handlers;
:class:`Retries` hands back what failed; :class:`RemoteOffsetStore` keeps our offsets.

Every message is consumed at least once; around a change of members, and after a crash,
some are consumed twice.

Source: ``DefaultMQPushConsumerImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.allocation import strategy
from rocketmq_tw.client.assignment import Assignment, QueueListener
from rocketmq_tw.client.consumer_config import ConsumerConfig, StopReport
from rocketmq_tw.client.delivery import ConcurrentDelivery
from rocketmq_tw.client.errors import NotRunning, StateError, ValidationError
from rocketmq_tw.client.offsets import RemoteOffsetStore, consume_from
from rocketmq_tw.client.process_queue import CacheSize, ProcessQueue
from rocketmq_tw.client.pull_loop import PullLimits, PullLoop
from rocketmq_tw.client.rebalance import Rebalance
from rocketmq_tw.client.retries import Retries
from rocketmq_tw.client.subscriptions import MessageHandler, Subscriptions
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import check_group_name, check_topic_name
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Seconds between two commits, and between two looks for loops that stand still.
COMMIT_PERIOD = 5.0
#: Seconds that cut handlers' messages get to be handed back when the consumer stops.
LAST_RETRIES = 5.0


class _State(Enum):
    """Where a consumer is in its one life."""

    NEW = "not started"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class PushConsumer(Service):
    """
    One member of a consumer group. It lives once: it cannot be started again.

    :param options: see :class:`ConsumerConfig`.
    :raises IllegalGroup: no group may be called so.
    :raises ValidationError: an option is out of its range.
    :raises UnknownStrategy: there is no such strategy.
    """

    _log = Logger()

    def __init__(self, session: ClientSession, group: str, **options: Any) -> None:
        check_group_name(group)
        self.group = group
        self.config = config = ConsumerConfig(**options)
        self._session = session
        self._state = _State.NEW
        self._waiting: list[Deferred[None]] = []
        self._paused: set[MessageQueue] = set()
        self._all_paused = False
        self._cache = CacheSize()
        self._limits = PullLimits(
            batch=config.pull_batch, total_size=config.max_cached_bytes
        )
        self._subscriptions = Subscriptions(group, session.reactor)
        self._offsets = RemoteOffsetStore(session, group)
        self._delivery = ConcurrentDelivery(
            session.reactor,
            self._subscriptions.handler_of,
            self._offsets.update,
            Retries(session, group, config.max_retries).give_back,
            concurrency=config.concurrency,
            batch=config.batch,
            handler_timeout=config.handler_timeout,
        )
        self._assignment = Assignment(
            session,
            self._offsets,
            self._make_loop,
            config.start_from,
            config.revoke_grace,
            self._queues_changed,
            self.members_changed,
        )
        self._rebalance = Rebalance(
            session,
            group,
            strategy(config.strategy),
            lambda: self._subscriptions.topics,
            self._assignment.apply,
            self._assignment.keep_only,
        )
        self._tick = LoopingCall(self._commit_and_check)
        self._tick.clock = session.reactor

    # -- what to read

    def subscribe(
        self,
        topic: str,
        expression: str = "*",
        handler: MessageHandler | None = None,
    ) -> None:
        """
        Read a topic. All members of the group must subscribe to the same.

        :param expression: ``*``, tags between ``||``, or ``Tags("A", "B")``.
        :param handler: gets the topic's messages; without one, :attr:`handler` does.
        :raises IllegalTopic: no topic may be called so.
        :raises IllegalSubscription: the expression holds no tag.
        """
        check_topic_name(topic)
        self._subscriptions.add(topic, expression, handler)
        self._look_again()

    def unsubscribe(self, topic: str) -> None:
        """Read a topic no longer."""
        self._subscriptions.remove(topic)
        self._look_again()

    @property
    def handler(self) -> MessageHandler | None:
        """Gets the messages of topics that were subscribed to without a handler."""
        return self._subscriptions.handler

    @handler.setter
    def handler(self, handler: MessageHandler | None) -> None:
        """Set it."""
        self._subscriptions.handler = handler

    # -- life

    def start(self) -> Deferred[Self]:
        """
        Join the group.

        :returns: fires after the first heartbeat and the first rebalance, whatever
            they brought: a topic that does not exist yet is taken up when it does.
            Fails with :class:`NotRunning` when the client is not started,
            :class:`GroupInUse`, or :class:`ValidationError` when there is nothing to
            read or no handler. Cancelling it stops the consumer.
        """
        return Deferred.fromCoroutine(self._start())

    def startService(self) -> None:
        """Start in the background, with the client; before any subscription: later."""
        super().startService()  # type: ignore[no-untyped-call]
        if self._state is _State.NEW and self._subscriptions:
            self.start().addErrback(self._not_started)

    def stop(self, grace: float | None = None) -> Deferred[StopReport]:
        """
        Let handlers finish, commit, leave the group.

        :param grace: seconds until handlers that still run are cancelled and their
            messages retried; else the client's. Cancelling the Deferred ends the grace.
        :returns: what was left undone; never fails.
        """
        if self._state in (_State.STOPPING, _State.STOPPED):
            return self.done.addCallback(lambda _: StopReport())
        if self._state is _State.NEW:
            self._stopped()
            return succeed(StopReport())
        self._state = _State.STOPPING
        seconds = self._session.grace if grace is None else grace
        return Deferred.fromCoroutine(self._stop(seconds))

    def stopService(self) -> Deferred[StopReport]:
        """See :meth:`stop`."""
        super().stopService()  # type: ignore[no-untyped-call]
        return self.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Stop."""
        await self.stop()

    @property
    def done(self) -> Deferred[None]:
        """A Deferred, each time another, that fires when the consumer has stopped."""
        if self._state is _State.STOPPED:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    async def _start(self) -> Self:
        """Join; leave nothing behind if that fails."""
        if self._state is not _State.NEW:
            raise StateError(f"the consumer is {self._state.value} already")
        self._check_startable()
        self._session.add_consumer(self.group, self)
        self._state = _State.STARTING
        try:
            routes = self._session.routes
            routes.on_change.append(self._route_changed)
            topics = self._subscriptions.topics
            found = [routes.find(topic) for topic in topics]
            await DeferredList(found, consumeErrors=True)
            await self._session.heartbeat_now()
            self._tick.start(COMMIT_PERIOD, now=False)
            await self._rebalance.start()
        except BaseException:
            await self.stop(grace=0)
            raise
        if self._state is _State.STARTING:
            self._state = _State.RUNNING
        return self

    def _check_startable(self) -> None:
        """
        Check that there is something to start with.

        :raises NotRunning: the client is not started.
        :raises ValidationError: nothing to read, or nobody to handle it.
        """
        if not self._session.running:
            raise NotRunning("start the client first")
        if not self._subscriptions:
            raise ValidationError("there is no subscription")
        unhandled = self._subscriptions.unhandled()
        if unhandled:
            raise ValidationError(f"no handler for the topics {unhandled}")

    async def _stop(self, grace: float) -> StopReport:
        """Stop in stages: pulls, handlers, offsets, membership."""
        if self._tick.running:
            self._tick.stop()
        self._rebalance.stop()
        self._assignment.close()
        self._delivery.stop()
        await self._assignment.until_idle(grace)
        abandoned = self._delivery.cancel_running()
        await self._assignment.until_idle(LAST_RETRIES)
        failed = await self._assignment.forget_all()
        left = self._session.unregister(self.group, consumer=True)
        self._session.remove_consumer(self.group)
        await left
        if self._route_changed in self._session.routes.on_change:
            self._session.routes.on_change.remove(self._route_changed)
        self._stopped()
        return StopReport(abandoned, sorted(failed))

    def _stopped(self) -> None:
        """Tell all who wait for the end."""
        self._state = _State.STOPPED
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def _not_started(self, failure: Failure) -> None:
        """Log why a start in the background failed."""
        self._log.error(
            "the consumer of {group} did not start: {why}",
            group=self.group,
            why=failure.getErrorMessage(),
        )

    # -- our queues

    def assignment(self) -> list[MessageQueue]:
        """List the queues that are ours now, sorted."""
        return self._assignment.queues

    def on_assigned(self, listener: QueueListener) -> None:
        """Have a function called with the queues that were just taken."""
        self._assignment.on_assigned.append(listener)

    def on_revoked(self, listener: QueueListener) -> None:
        """Have a function called with queues that go; waited for ``revoke_grace``."""
        self._assignment.on_revoked.append(listener)

    def pause(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Pull some queues, or all, no further; also if they go and come back."""
        if queues is None:
            self._all_paused = True
        else:
            self._paused.update(queues)
        self._apply_pauses()

    def resume(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Pull some queues again, or all."""
        if queues is None:
            self._all_paused = False
            self._paused.clear()
        else:
            self._paused.difference_update(queues)
        self._apply_pauses()

    def _apply_pauses(self) -> None:
        """Tell every loop."""
        for queue, loop in self._assignment.loops.items():
            loop.paused = self._all_paused or queue in self._paused
            loop.wake()

    # -- what the session asks and tells

    def consumer_data(self) -> ConsumerData:
        """Describe this consumer for the heartbeat."""
        return ConsumerData(
            group_name=self.group,
            consume_type=ConsumeType.CONSUME_PASSIVELY,
            message_model=MessageModel.CLUSTERING,
            consume_from_where=consume_from(self.config.start_from),
            subscription_data_set=self._subscriptions.for_heartbeat(),
        )

    def members_changed(self) -> None:
        """Share the queues out again."""
        self._rebalance.now()

    # -- the parts to one another

    def _make_loop(self, queue: MessageQueue) -> PullLoop:
        """Make what pulls one queue."""
        loop = PullLoop(
            self._session,
            self.group,
            ProcessQueue(queue, self._cache),
            self._offsets,
            self._cache,
            self._limits,
            self._subscriptions.of,
            self._delivery.submit,
            self._assignment.repair,
        )
        loop.paused = self._all_paused or queue in self._paused
        return loop

    def _queues_changed(self) -> None:
        """Tell the brokers, with subscriptions newer than all before."""
        self._subscriptions.renew()
        self._session.heartbeat_now()

    def _route_changed(self, topic: str, _route: TopicRoute) -> None:
        """Share anew when a topic of ours has other queues."""
        if self._subscriptions.of(topic) is not None:
            self._rebalance.now()

    def _look_again(self) -> None:
        """Tell the brokers of a changed subscription, then share anew."""
        if self._state is _State.RUNNING:
            told = self._session.heartbeat_now()
            told.addCallback(lambda _: self._rebalance.now())

    def _commit_and_check(self) -> None:
        """Do what is done every few seconds; one failure must not end that."""
        try:
            self._offsets.commit_changed()
            for loop in list(self._assignment.loops.values()):
                loop.check()
        except Exception:
            self._log.failure("the periodic commit failed")
