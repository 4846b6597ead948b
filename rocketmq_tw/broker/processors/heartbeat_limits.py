"""
What a heartbeat may make the broker keep: groups, subscriptions, names.

A heartbeat that would be too much is refused before anything of it is kept. One that
brings nothing new passes at any limit, so that no client can make the others leave.
"""

from __future__ import annotations

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tables.checks import MAX_NAME
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.codes import ResponseCode


class HeartbeatLimits:
    """
    Checks heartbeats.

    :ivar refused: how many were refused since the start.
    """

    def __init__(self, *, clients: ClientTable, config: BrokerConfig) -> None:
        self._clients = clients
        self._max_groups = config.max_groups_per_connection
        self._max_memberships = config.max_group_memberships
        self._max_length = config.max_subscription_length
        self._max_size = config.max_subscriptions_size
        self.refused = 0

    def check(self, beat: HeartbeatData, peer: Peer) -> None:
        """
        Check what would be kept of a heartbeat.

        :raises Refused: it is too much; the remark says what, and names the setting.
        """
        reason = (
            self._too_many_groups(beat, peer)
            or self._too_long(beat)
            or self._too_large(beat)
        )
        if reason is not None:
            self.refused += 1
            raise Refused(ResponseCode.SYSTEM_BUSY, reason)

    def _too_many_groups(self, beat: HeartbeatData, peer: Peer) -> str | None:
        """Return why the connection may not have all these groups."""
        number = len(beat.consumer_data_set) + len(beat.producer_data_set)
        if number > self._max_groups:
            return self._over(number)
        clients = self._clients
        number = clients.count_with(
            peer,
            consumers={each.group_name for each in beat.consumer_data_set},
            producers={each.group_name for each in beat.producer_data_set},
        )
        if number > self._max_groups:
            return self._over(number)
        more = number - clients.count_with(peer, consumers=set(), producers=set())
        if more and clients.memberships + more > self._max_memberships:
            return (
                f"all connections have {clients.memberships} memberships in groups;"
                f" with {more} more they would have over {self._max_memberships}"
                " (maxGroupMemberships)"
            )
        return None

    def _over(self, number: int) -> str:
        """Return the sentence of a connection with too many groups."""
        return (
            f"the connection would have {number} groups;"
            f" maxGroupsPerConnection is {self._max_groups}"
        )

    def _too_long(self, beat: HeartbeatData) -> str | None:
        """Return why a text cannot be kept."""
        names = [beat.client_id, *(each.group_name for each in beat.producer_data_set)]
        longest = max(map(len, names))
        if longest > MAX_NAME:
            return f"a name has {longest} characters; at most {MAX_NAME} are kept"
        texts = (
            len(subscription.sub_string)
            for consumer in beat.consumer_data_set
            for subscription in consumer.subscription_data_set
        )
        longest = max(texts, default=0)
        if longest > self._max_length:
            return (
                f"a subscription has {longest} characters;"
                f" at most {self._max_length} are kept (maxSubscriptionLength)"
            )
        return None

    def _too_large(self, beat: HeartbeatData) -> str | None:
        """Return why the subscriptions cannot be kept."""
        growth = sum(
            self._clients.growth(each.group_name, each.subscription_data_set)
            for each in beat.consumer_data_set
        )
        size = self._clients.subscriptions_size
        if growth > 0 and size + growth > self._max_size:
            return (
                f"the subscriptions of all groups take {size} bytes; with {growth} more"
                f" they would take over {self._max_size} (maxSubscriptionsSize)"
            )
        return None
