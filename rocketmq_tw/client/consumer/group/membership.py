"""
Membership in a group: our heartbeats to the brokers, and their notifications.

Source: ``DefaultMQPushConsumerImpl.start``, ``MQConsumerInner`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.consumer.offsets.start import StartFrom, consume_from
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData

if TYPE_CHECKING:
    from rocketmq_tw.client.groups import Groups
    from rocketmq_tw.client.heartbeats import Heartbeats
    from rocketmq_tw.client.routes import RouteCache


class Membership:
    """
    A consumer's membership of its group.

    :param broadcast: whether every member gets all messages.
    :param consume_type: whether messages are passed to the application, or requested.
    :param rebalance: called when our own subscriptions have changed.
    :param notified: called when members or routes may have changed, which may be often.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        group: str,
        groups: Groups,
        heartbeats: Heartbeats,
        routes: RouteCache,
        subscriptions: Subscriptions,
        start_from: StartFrom | datetime,
        broadcast: bool,
        rebalance: Callable[[], None],
        notified: Callable[[], None],
        consume_type: ConsumeType = ConsumeType.CONSUME_PASSIVELY,
    ) -> None:
        self._group = group
        self._groups = groups
        self._heartbeats = heartbeats
        self._routes = routes
        self._subscriptions = subscriptions
        self._consume_from = consume_from(start_from)
        self._model = (
            MessageModel.BROADCASTING if broadcast else MessageModel.CLUSTERING
        )
        self._rebalance = rebalance
        self._consume_type = consume_type
        self._notified = notified

    def join(self) -> Deferred[None]:
        """
        Register with the brokers of our topics.

        :returns: fires after the heartbeats, whether they succeeded or not.
        :raises GroupInUse: this client has another consumer in the group.
        """
        self._groups.add_consumer(self._group, self)
        self._routes.on_change.append(self._route_changed)
        return Deferred.fromCoroutine(self._join())

    async def _join(self) -> None:
        """Find all routes in parallel, then send heartbeats to their brokers."""
        topics = self._subscriptions.topics
        for finding in [self._routes.find(topic) for topic in topics]:
            try:
                await finding
            except RocketMQError as error:
                # A later rebalance looks for the route again.
                self._log.debug("{error}", error=error)
        await self._heartbeats.send_all()

    def leave(self) -> Deferred[None]:
        """Unregister from the brokers; fires after a second at most."""
        left = self._heartbeats.unregister_consumer(self._group)
        # No heartbeat may name the group from here on: it would register us again.
        self._groups.remove_consumer(self._group)
        self._routes.on_change.remove(self._route_changed)
        return left

    def subscriptions_changed(self) -> Deferred[None]:
        """Send the changed subscriptions to the brokers, then rebalance."""
        sent = self._heartbeats.send_all()
        return sent.addCallback(lambda _: self._rebalance())

    def queues_changed(self) -> None:
        """Send heartbeats with a higher subscription version."""
        self._subscriptions.renew()
        self._heartbeats.send_all()

    # -- called by the client

    def consumer_data(self) -> ConsumerData:
        """Return the consumer's part of a heartbeat."""
        return ConsumerData(
            group_name=self._group,
            consume_type=self._consume_type,
            message_model=self._model,
            consume_from_where=self._consume_from,
            subscription_data_set=self._subscriptions.for_heartbeat(),
        )

    def members_changed(self) -> None:
        """Rebalance, because a broker reports that the members have changed."""
        self._notified()

    def _route_changed(self, topic: str, _route: TopicRoute) -> None:
        """Rebalance if the queues of a subscribed topic have changed."""
        if self._subscriptions.of(topic) is not None:
            self._notified()
