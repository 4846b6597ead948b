"""
Our place in a group, as brokers see it: what heartbeats say of us, and what brokers
notify us of.

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

    :param rebalance: called when other queues may be ours.
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
        rebalance: Callable[[], None],
    ) -> None:
        self._group = group
        self._groups = groups
        self._heartbeats = heartbeats
        self._routes = routes
        self._subscriptions = subscriptions
        self._consume_from = consume_from(start_from)
        self._rebalance = rebalance

    def join(self) -> Deferred[None]:
        """
        Register with the brokers of our topics.

        :returns: fires after the heartbeats, whatever came of them.
        :raises GroupInUse: this client has another consumer in the group.
        """
        self._groups.add_consumer(self._group, self)
        self._routes.on_change.append(self._route_changed)
        return Deferred.fromCoroutine(self._join())

    async def _join(self) -> None:
        """Find all routes at once, then send the brokers in them a heartbeat."""
        topics = self._subscriptions.topics
        for finding in [self._routes.find(topic) for topic in topics]:
            try:
                await finding
            except RocketMQError as error:
                # What is not known now is found by a later rebalance.
                self._log.debug("{error}", error=error)
        await self._heartbeats.send_all()

    def leave(self) -> Deferred[None]:
        """Unregister from the brokers; fires after a second at most."""
        left = self._heartbeats.unregister_consumer(self._group)
        # From here on no heartbeat names us: it would bring us back.
        self._groups.remove_consumer(self._group)
        self._routes.on_change.remove(self._route_changed)
        return left

    def subscriptions_changed(self) -> Deferred[None]:
        """Send the brokers the changed subscriptions, then rebalance."""
        sent = self._heartbeats.send_all()
        return sent.addCallback(lambda _: self._rebalance())

    def queues_changed(self) -> None:
        """Send heartbeats, with subscriptions newer than all before."""
        self._subscriptions.renew()
        self._heartbeats.send_all()

    # -- called by the client

    def consumer_data(self) -> ConsumerData:
        """Describe the consumer for the heartbeat."""
        return ConsumerData(
            group_name=self._group,
            consume_type=ConsumeType.CONSUME_PASSIVELY,
            message_model=MessageModel.CLUSTERING,
            consume_from_where=self._consume_from,
            subscription_data_set=self._subscriptions.for_heartbeat(),
        )

    def members_changed(self) -> None:
        """Rebalance."""
        self._rebalance()

    def _route_changed(self, topic: str, _route: TopicRoute) -> None:
        """Rebalance when a topic of ours has other queues."""
        if self._subscriptions.of(topic) is not None:
            self._rebalance()
