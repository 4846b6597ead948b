"""
Our place in a group, as brokers see it: what heartbeats say of us, what brokers tell.

Source: ``DefaultMQPushConsumerImpl.start``, ``MQConsumerInner`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.consumer.offsets.remote import StartFrom, consume_from
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession


class Membership:
    """
    A consumer's membership of its group.

    :param share_out: called when queues may have to be shared out again.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        group: str,
        subscriptions: Subscriptions,
        start_from: StartFrom | datetime,
        share_out: Callable[[], None],
    ) -> None:
        self._session = session
        self._group = group
        self._subscriptions = subscriptions
        self._consume_from = consume_from(start_from)
        self._share_out = share_out

    def join(self) -> Deferred[None]:
        """
        Make ourselves known to the brokers of our topics.

        :returns: fires after the heartbeats, whatever came of them.
        :raises GroupInUse: this client has another consumer in the group.
        """
        self._session.add_consumer(self._group, self)
        self._session.routes.on_change.append(self._route_changed)
        return Deferred.fromCoroutine(self._join())

    async def _join(self) -> None:
        """Look all routes up at once, then greet the brokers that are in them."""
        topics = self._subscriptions.topics
        for finding in [self._session.routes.find(topic) for topic in topics]:
            try:
                await finding
            except RocketMQError as error:
                # What is not known now is found by a later rebalance.
                self._log.debug("{error}", error=error)
        await self._session.heartbeat_now()

    def leave(self) -> Deferred[None]:
        """Tell the brokers that we go; fires after a second at most."""
        left = self._session.unregister(self._group, consumer=True)
        # From here on no heartbeat names us: it would bring us back.
        self._session.remove_consumer(self._group)
        self._session.routes.on_change.remove(self._route_changed)
        return left

    def announce(self) -> Deferred[None]:
        """Tell the brokers of changed subscriptions, then share the queues out."""
        told = self._session.heartbeat_now()
        return told.addCallback(lambda _: self._share_out())

    def queues_changed(self) -> None:
        """Tell the brokers, with subscriptions newer than all before."""
        self._subscriptions.renew()
        self._session.heartbeat_now()

    # -- what the session asks and tells

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
        """Share the queues out again."""
        self._share_out()

    def _route_changed(self, topic: str, _route: TopicRoute) -> None:
        """Share out again when a topic of ours has other queues."""
        if self._subscriptions.of(topic) is not None:
            self._share_out()
