"""
Which messages a pull is to have: by the pull itself, or by the heartbeats of its group.

Source: ``PullMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from rocketmq_tw.broker.pull.filters import Filters, Matches
from rocketmq_tw.broker.tables.clients import ClientTable, ConsumerGroup
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.filter.tags import matcher
from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.subscription import TAG, IllegalSubscription, Subscription
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, PullMessage


class PullFilters:
    """
    Finds the filters of pulls.

    :param clock: limits how often a wrong expression is logged.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        filters: Filters,
        groups: GroupTable,
        clients: ClientTable,
        clock: IReactorTime,
    ) -> None:
        self._groups = groups
        self._clients = clients
        self._filters = filters
        self._peers = PeerLog(clock)

    def of(self, request: PullMessage, peer: Peer) -> Matches:
        """
        Return the filter of a pull.

        :raises Refused: there is none, or its group may not read.
        :raises IllegalSubscription: the expression in the pull is wrong.
        """
        if not request.sys_flag & SUBSCRIPTION:
            return self._of_heartbeats(request)
        kind = request.expression_type or TAG
        if kind == TAG:
            return self._filters.of(request.topic, request.subscription)
        return self._of_expression(request, kind, peer)

    def _of_expression(self, request: PullMessage, kind: str, peer: Peer) -> Matches:
        """
        Return the filter of an expression over properties that came with a pull.

        As at Apache's brokers, a wrong one lets everything pass: clients have asked
        before whether it is right, with request 46. An empty one is refused.
        """
        try:
            return self._filters.sql(request.subscription, kind)
        except IllegalSubscription as error:
            if not request.subscription:
                raise
            self._peers.emit(
                self._log,
                LogLevel.warn,
                peer.address,
                "{peer} pulls from {topic} without a filter: {why}",
                peer=peer.address,
                topic=log_safe(request.topic),
                why=log_safe(str(error)),
            )
            return None

    def _of_heartbeats(self, request: PullMessage) -> Matches:
        """Return the filter of the subscription in the group's heartbeats."""
        name = request.consumer_group
        group = self._clients.consumer_group(name)
        if group is None:
            raise Refused(
                ResponseCode.SUBSCRIPTION_NOT_EXIST,
                f"the consumer's group info not exist: no member of [{name}] is online",
            )
        self._check_group(request, group)
        subscription = self._clients.subscription(name, request.topic)
        if subscription is None:
            raise Refused(
                ResponseCode.SUBSCRIPTION_NOT_EXIST,
                f"the consumer's subscription not exist: [{name}] does not subscribe to"
                f" [{request.topic}]",
            )
        if subscription.sub_version < request.sub_version:
            raise Refused(
                ResponseCode.SUBSCRIPTION_NOT_LATEST,
                f"the consumer's subscription not latest: {subscription.sub_version}"
                f" is known, the pull was made with {request.sub_version}",
            )
        if subscription.is_tag:
            return matcher(subscription)
        return self._of_subscription(subscription)

    def _check_group(self, request: PullMessage, group: ConsumerGroup) -> None:
        """Refuse pulls that the group's settings forbid."""
        name = request.consumer_group
        settings = self._groups.find(name)
        if (
            settings is not None
            and not settings.consume_broadcast_enable
            and group.message_model == MessageModel.BROADCASTING
        ):
            raise forbidden(4, f"the group [{name}] may not consume by broadcasting")
        if not self._groups.may_read(name, request.topic):
            why = f"the group [{name}] may not read the topic [{request.topic}]"
            raise forbidden(5, why)

    def _of_subscription(self, subscription: Subscription) -> Matches:
        """Return the filter of an expression over properties in a heartbeat."""
        try:
            return self._filters.sql(
                subscription.sub_string, subscription.expression_type
            )
        except IllegalSubscription as error:
            raise Refused(
                ResponseCode.FILTER_DATA_NOT_EXIST,
                "The broker's consumer filter data is not exist!Your expression may be"
                f" wrong! {error}",
            ) from None


def forbidden(kind: int, why: str) -> Refused:
    """Return the error for a missing permission; ``kind`` says whose it is."""
    return Refused(ResponseCode.NO_PERMISSION, why, {"forbiddenType": str(kind)})
