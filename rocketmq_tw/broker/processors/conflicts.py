"""
Notices members of a group that subscribe to something else than the others.

They are named in the log; with ``subscriptionConflict=reject`` their heartbeats are
refused, so that they do not become members.
"""

from __future__ import annotations

from twisted.logger import Logger, LogLevel

from rocketmq_tw.broker.config import SubscriptionConflict
from rocketmq_tw.broker.tables.agreement import mark_of
from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.codes import ResponseCode


class SubscriptionConflicts:
    """
    Looks for conflicts in heartbeats.

    :param peers: limits the lines in the log.
    :ivar found: how many heartbeats had one.
    """

    _log = Logger()

    def __init__(
        self, *, clients: ClientTable, peers: PeerLog, action: SubscriptionConflict
    ) -> None:
        self._clients = clients
        self._peers = peers
        self._action = action
        self.found = 0

    def check(self, beat: HeartbeatData, peer: Peer) -> None:
        """
        Log the conflicts of a heartbeat with members that are other clients.

        :raises Refused: there is one, and conflicts are rejected.
        """
        for consumer in beat.consumer_data_set:
            other = self._other(consumer, beat.client_id)
            if other is None:
                continue
            self.found += 1
            self._peers.emit(
                self._log,
                LogLevel.warn,
                peer.address,
                "subscription conflict in the group {group}: {client_id} ({address})"
                " does not subscribe to what {other_id} ({other_address}) does;"
                " members miss messages",
                group=log_safe(consumer.group_name),
                client_id=log_safe(beat.client_id),
                address=peer.address,
                other_id=log_safe(other.client_id),
                other_address=other.peer.address,
            )
            if self._action is SubscriptionConflict.REJECT:
                raise Refused(
                    ResponseCode.INVALID_PARAMETER,
                    f"the group [{consumer.group_name}] has a member"
                    f" [{other.client_id:.255}] that subscribes to something else;"
                    " all members must subscribe to the same (subscriptionConflict)",
                )

    def _other(self, consumer: ConsumerData, client_id: str) -> Client | None:
        """Return a member with other subscriptions that is another client."""
        group = self._clients.consumer_group(consumer.group_name)
        if group is None:
            return None
        others = group.agreement.others(mark_of(consumer.subscription_data_set))
        members = (group.members[peer] for peer in others)
        return next((each for each in members if each.client_id != client_id), None)
