"""
The push consumer: passes messages to a handler, each to one member of a group.

It assembles the :class:`Subscriptions`, the :class:`Membership` of the group, and the
:class:`Consumption`, which does the work.

Every message is consumed at least once; around a rebalance and after a crash, some are
consumed twice.

Source: ``DefaultMQPushConsumerImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self, Unpack

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.client.consumer.config import (
    ConsumerConfig,
    ConsumerOptions,
    StopReport,
)
from rocketmq_tw.client.consumer.consumption import Consumption
from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler
from rocketmq_tw.client.consumer.group.assignment import QueueListener
from rocketmq_tw.client.consumer.group.filters import check_expressions
from rocketmq_tw.client.consumer.group.membership import Membership
from rocketmq_tw.client.consumer.lifetime import Lifetime, State
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.client.errors import NotRunning, ValidationError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import check_group_name, check_topic_name

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession


class PushConsumer(Service):
    """
    One member of a consumer group. It cannot be started again after a stop.

    :param options: see :class:`ConsumerConfig`.
    :raises IllegalGroup: the group's name is not legal.
    :raises ValidationError: an option is out of its range.
    :raises UnknownStrategy: the strategy does not exist.
    """

    def __init__(
        self, session: ClientSession, group: str, **options: Unpack[ConsumerOptions]
    ) -> None:
        check_group_name(group)
        self.group = group
        self.config = config = ConsumerConfig(**options)
        self._session = session
        self._life = Lifetime(group)
        self._subscriptions = Subscriptions(group, session.clock, not config.broadcast)
        self._consumption = Consumption(
            session=session,
            group=group,
            config=config,
            subscriptions=self._subscriptions,
            queues_changed=lambda: self._membership.queues_changed(),
        )
        self._membership = Membership(
            group=group,
            groups=session.groups,
            heartbeats=session.heartbeats,
            routes=session.routes,
            subscriptions=self._subscriptions,
            start_from=config.start_from,
            broadcast=config.broadcast,
            rebalance=self._consumption.rebalance,
            notified=self._consumption.notified,
        )

    # -- what to read

    def subscribe(
        self,
        topic: str,
        expression: str = "*",
        handler: MessageHandler | None = None,
    ) -> None:
        """
        Subscribe to a topic. All members of a group must have the same subscriptions.

        :param expression: ``*``, tags separated by ``||``, ``Tags("A", "B")``, or
            ``Sql("amount > 100")``.
        :param handler: handles the topic's messages; default: :attr:`handler`.
        :raises IllegalTopic: the topic's name is not legal.
        :raises IllegalSubscription: the expression contains no tag.
        """
        check_topic_name(topic)
        self._subscriptions.add(topic, expression, handler)
        self._subscriptions_changed()

    def unsubscribe(self, topic: str) -> None:
        """Stop reading a topic."""
        self._subscriptions.remove(topic)
        self._subscriptions_changed()

    @property
    def handler(self) -> MessageHandler | None:
        """Handles messages of topics that were subscribed to without a handler."""
        return self._subscriptions.handler

    @handler.setter
    def handler(self, handler: MessageHandler | None) -> None:
        """Set the default handler."""
        self._subscriptions.handler = handler

    # -- life

    def start(self) -> Deferred[Self]:
        """
        Join the group.

        :returns: fires after the first heartbeat and the first rebalance, even if these
            fail: a topic that does not exist yet is read once it does.
            Fails with :class:`NotRunning` when the client is not started,
            :class:`GroupInUse`, or :class:`ValidationError` if there is no subscription
            or no handler. If the consumer is stopped meanwhile, it fires after
            the stop. Cancelling it stops the consumer.
        """
        return self._life.start(self._start(), lambda: self.stop(grace=0))

    def startService(self) -> None:
        """
        Start in the background with the client, if there is a subscription already.
        """
        super().startService()
        if self._life.state is State.NEW and self._subscriptions:
            self.start().addErrback(self._life.log_not_started)

    def stop(self, grace: float | None = None) -> Deferred[StopReport]:
        """
        Let handlers finish, commit, leave the group.

        :param grace: seconds until handlers that still run are cancelled and their
            messages retried; default: the client's. Cancelling the Deferred ends it.
        :returns: the work that was not completed; never fails.
        """
        if self._life.state in (State.STOPPING, State.STOPPED):
            return self.done.addCallback(lambda _: StopReport())
        if self._life.state is State.NEW:
            self._life.end()
            return succeed(StopReport())
        self._life.state = State.STOPPING
        seconds = self._session.grace if grace is None else grace
        return Deferred.fromCoroutine(self._stop(seconds))

    def stopService(self) -> Deferred[StopReport]:
        """See :meth:`stop`."""
        super().stopService()
        return self.stop()

    async def __aenter__(self) -> Self:
        """Join the group; see :meth:`start`."""
        return await self.start()

    async def __aexit__(self, *_exception: object) -> None:
        """Leave the group; see :meth:`stop`."""
        await self.stop()

    @property
    def done(self) -> Deferred[None]:
        """A new Deferred at each access, which fires when the consumer has stopped."""
        return self._life.done

    async def _start(self) -> Self:
        """Join the group; if that fails, stop everything."""
        self._life.check_new()
        self._check_startable()
        joined = self._membership.join()
        self._life.state = State.STARTING
        try:
            await joined
            subscriptions = self._subscriptions.all
            await check_expressions(self._session, self.group, subscriptions)
            if self._life.state is State.STARTING:
                await self._consumption.start()
        except BaseException:
            await self.stop(grace=0)
            raise
        await self._life.has_started()
        return self

    def _check_startable(self) -> None:
        """
        Check that the consumer can be started.

        :raises NotRunning: the client is not started.
        :raises ValidationError: there is no subscription, or a handler is missing.
        """
        if not self._session.running:
            raise NotRunning("start the client first")
        if not self._subscriptions:
            raise ValidationError("there is no subscription")
        unhandled = self._subscriptions.unhandled()
        if unhandled:
            raise ValidationError(f"no handler for the topics {unhandled}")

    async def _stop(self, grace: float) -> StopReport:
        """Stop consuming, then leave the group."""
        report = await self._consumption.stop(grace)
        await self._membership.leave()
        self._life.end()
        return report

    # -- assigned queues

    def assignment(self) -> list[MessageQueue]:
        """Return the queues that are assigned to this consumer now, sorted."""
        return self._consumption.assignment.queues

    def on_assigned(self, listener: QueueListener) -> None:
        """Call ``listener`` with the queues of each new assignment."""
        self._consumption.assignment.on_assigned.append(listener)

    def on_revoked(self, listener: QueueListener) -> None:
        """Call ``listener`` with revoked queues; it has ``revoke_grace`` to finish."""
        self._consumption.assignment.on_revoked.append(listener)

    def pause(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """
        Stop pulling some queues, or all, even if they are revoked and assigned again.
        """
        self._consumption.assignment.pause(queues)

    def resume(self, queues: Iterable[MessageQueue] | None = None) -> None:
        """Continue to pull some queues, or all."""
        self._consumption.assignment.resume(queues)

    def _subscriptions_changed(self) -> None:
        """Send the brokers the changed subscriptions, then rebalance."""
        if self._life.state in (State.STARTING, State.RUNNING):
            self._membership.subscriptions_changed()
