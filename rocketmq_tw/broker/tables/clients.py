"""
The producers and consumers that are connected now, by group.

A member is a *connection*, not a client id: a client that has replaced a half-open
connection is a member twice until the old one is closed, which may take two minutes.
The list from which members rebalance has each client id once. That of Apache RocketMQ
has it once for each connection, and the queues of the second are consumed by nobody.

Source: ``ConsumerManager``, ``ConsumerGroupInfo``, ``ProducerManager`` and
``DefaultConsumerIdsChangeListener`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.tables.agreement import Agreement, mark_of
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.producer_ids import ProducerIds
from rocketmq_tw.model.group import ConsumeFrom, ConsumeType, MessageModel
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.requests.heartbeat import NotifyConsumerIdsChanged

#: Seconds without a heartbeat after which a client is removed.
CLIENT_LIFE = 120.0

#: Bytes of a subscription besides its texts, and of a tag or code in a set.
_SUBSCRIPTION, _TAG = 400, 120

#: Called with a group and its members' connections after they have changed.
Notify = Callable[[str, Collection[Peer]], None]
#: Members that are notified in one reactor iteration: some 2 ms.
NOTIFIED_AT_ONCE = 100


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """
    A client as of its latest heartbeat; it may belong to several groups.

    :ivar language: as sent by the client, e.g. ``JAVA``.
    :ivar version: the ordinal number of its version.
    :ivar last_seen: when it last sent a heartbeat, in seconds.
    """

    peer: Peer
    client_id: str
    language: str
    version: int
    last_seen: float


class ConsumerGroup(msgspec.Struct):
    """
    A consumer group with at least one member.

    All members should report the same settings; if they do not, the latest heartbeat
    counts.
    """

    name: str
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    consume_from: ConsumeFrom | None = None
    members: dict[Peer, Client] = {}
    subscriptions: dict[str, Subscription] = {}
    #: The size of all subscriptions.
    size: int = 0
    agreement: Agreement = msgspec.field(default_factory=Agreement)

    @property
    def broadcasting(self) -> bool:
        """Whether each member gets all messages, so that members do not rebalance."""
        return self.message_model is MessageModel.BROADCASTING

    def subscribe(self, subscriptions: Iterable[Subscription]) -> bool:
        """
        Apply the subscriptions of the latest heartbeat.

        A subscription with a higher version replaces the current one; topics that are
        not in the heartbeat are dropped.

        :returns: whether topics were added or dropped.

        Source: ``ConsumerGroupInfo.updateSubscription``.
        """
        named = set()
        changed = False
        all_known = self.subscriptions
        for subscription in subscriptions:
            topic = subscription.topic
            named.add(topic)
            known = all_known.get(topic)
            if known is None:
                changed = True
            elif subscription.sub_version <= known.sub_version:
                continue
            self.size += size_of(subscription) - size_of(known)
            all_known[topic] = subscription
        for topic in all_known.keys() - named:
            self.size -= size_of(self.subscriptions.pop(topic))
            changed = True
        return changed

    def growth(self, subscriptions: Iterable[Subscription]) -> int:
        """Return by how many bytes these would make the subscriptions larger."""
        size = 0
        for subscription in subscriptions:
            known = self.subscriptions.get(subscription.topic)
            if known is None or subscription.sub_version > known.sub_version:
                size += size_of(subscription) - size_of(known)
        return size


def size_of(subscription: Subscription | None) -> int:
    """Estimate how many bytes a subscription takes; 0 for None."""
    if subscription is None:
        return 0
    size = _SUBSCRIPTION + len(subscription.topic) + len(subscription.sub_string)
    size += len(subscription.expression_type)
    if subscription.tags_set:
        size += sum(map(len, subscription.tags_set)) + _TAG * len(subscription.tags_set)
    return size + _TAG * len(subscription.code_set)


class ClientTable:
    """
    The connected clients, by group.

    :param notify: called for each change of a group's members or topics, unless it is
        broadcasting; see :class:`MemberNotifier`.
    :param peers: logs the disconnected clients; None logs nothing.
    :ivar memberships: how many groups all connections have together.
    :ivar subscriptions_size: the size of all subscriptions, by :func:`size_of`.
    :ivar producer_ids: the connections of producers, by client id.
    """

    _log = Logger()

    def __init__(self, notify: Notify, peers: PeerLog | None = None) -> None:
        self._notify = notify
        self._peers = peers
        self._consumers: dict[str, ConsumerGroup] = {}
        self._producers: dict[str, dict[Peer, Client]] = {}
        #: The groups of each connection, so that its loss needs no search.
        self._consumes: dict[Peer, set[str]] = {}
        self._produces: dict[Peer, set[str]] = {}
        self.producer_ids = ProducerIds()
        self.memberships = 0
        self.subscriptions_size = 0

    # -- joining and leaving

    def register_producer(self, group: str, client: Client) -> None:
        """Add or update a producer."""
        self._producers.setdefault(group, {})[client.peer] = client
        self.producer_ids.add(client.client_id, client.peer)
        self.memberships += _join(self._produces, client.peer, group)

    def register_consumer(
        self,
        group: str,
        client: Client,
        *,
        consume_type: ConsumeType | None,
        message_model: MessageModel | None,
        consume_from: ConsumeFrom | None,
        subscriptions: Collection[Subscription],
    ) -> bool:
        """
        Add or update a consumer and the subscriptions of its group.

        :returns: whether the group changed; if so its members are notified.

        Source: ``ConsumerManager.registerConsumer``.
        """
        found = self._consumers.get(group)
        if found is None:
            found = self._consumers[group] = ConsumerGroup(group)
        found.consume_type = consume_type
        found.message_model = message_model
        found.consume_from = consume_from
        joined = client.peer not in found.members
        found.members[client.peer] = client
        found.agreement.put(client.peer, mark_of(subscriptions))
        self.memberships += _join(self._consumes, client.peer, group)
        before = found.size
        changed = found.subscribe(subscriptions)
        self.subscriptions_size += found.size - before
        if joined or changed:
            self._notify_members(found)
        return joined or changed

    def unregister_producer(self, group: str, peer: Peer) -> None:
        """Remove a producer from its group."""
        members = self._producers.get(group, {})
        members.pop(peer, None)
        if not members:
            self._producers.pop(group, None)
        self.memberships -= _leave(self._produces, peer, group)
        if peer not in self._produces:
            self.producer_ids.remove(peer)

    def unregister_consumer(self, group: str, peer: Peer) -> None:
        """Remove a consumer from its group, and notify the other members."""
        self.memberships -= _leave(self._consumes, peer, group)
        found = self._consumers.get(group)
        if found is None or found.members.pop(peer, None) is None:
            return
        found.agreement.remove(peer)
        if not found.members:
            self.subscriptions_size -= found.size
            del self._consumers[group]
        else:
            self._notify_members(found)

    def connection_lost(self, peer: Peer) -> None:
        """Remove a client whose connection is lost from all its groups."""
        for group in list(self._produces.get(peer, ())):
            self.unregister_producer(group, peer)
        for group in list(self._consumes.get(peer, ())):
            self.unregister_consumer(group, peer)

    def expire(self, now: float) -> None:
        """
        Remove clients without a heartbeat for 120 s, and close their connections.

        :param now: seconds, of the same clock as ``last_seen``.

        Source: ``ClientHousekeepingService.scanExceptionChannel``.
        """
        limit = now - CLIENT_LIFE
        tables = [*self._producers.values()]
        tables += [group.members for group in self._consumers.values()]
        unresponsive = {
            client.peer: client
            for members in tables
            for client in members.values()
            if client.last_seen < limit
        }
        for peer, client in unresponsive.items():
            self._log_closing(client)
            self.connection_lost(peer)
            peer.close()

    def _log_closing(self, client: Client) -> None:
        """Log that a client is disconnected, at most once for each host and minute."""
        if self._peers is None:
            return
        self._peers.info(
            self._log,
            client.peer.address,
            "closing {address}: no heartbeat from {client_id} for {life:g} s",
            address=client.peer.address,
            client_id=log_safe(client.client_id),
            life=CLIENT_LIFE,
        )

    # -- looking up

    def consumer_group(self, group: str) -> ConsumerGroup | None:
        """Return a consumer group; None if it has no members."""
        return self._consumers.get(group)

    def consumer_groups(self) -> list[ConsumerGroup]:
        """Return all consumer groups that have members."""
        return list(self._consumers.values())

    def count_with(
        self, peer: Peer, *, consumers: set[str], producers: set[str]
    ) -> int:
        """Return how many groups a connection has with those it is about to join."""
        consumes = consumers.union(self._consumes.get(peer, ()))
        return len(consumes) + len(producers.union(self._produces.get(peer, ())))

    def growth(self, group: str, subscriptions: Iterable[Subscription]) -> int:
        """Return by how many bytes a heartbeat would make the subscriptions larger."""
        return (self._consumers.get(group) or ConsumerGroup(group)).growth(
            subscriptions
        )

    def client_ids(self, group: str) -> list[str]:
        """Return the client ids of a group, each once, in the order of joining."""
        return list(dict.fromkeys(each.client_id for each in self.consumers(group)))

    def consumers(self, group: str) -> list[Client]:
        """Return the members of a group, in the order of joining."""
        found = self._consumers.get(group)
        return [] if found is None else list(found.members.values())

    def subscription(self, group: str, topic: str) -> Subscription | None:
        """Return a group's subscription to a topic, from its members' heartbeats."""
        found = self._consumers.get(group)
        return None if found is None else found.subscriptions.get(topic)

    def producers(self, group: str) -> list[Client]:
        """Return the producers of a group."""
        return list(self._producers.get(group, {}).values())

    def producer_groups(self) -> list[str]:
        """Return all producer groups that have members."""
        return list(self._producers)

    def _notify_members(self, group: ConsumerGroup) -> None:
        """Notify the members of a change; broadcasting consumers do not need it."""
        if not group.broadcasting:
            # As they will be when they are notified; a copy of them for each that joins
            # would make their cost quadratic.
            self._notify(group.name, group.members.keys())


class MemberNotifier:
    """
    Notifies the members of a group of a change, so that they rebalance.

    All changes of one reactor iteration cause one notification: with a thousand new
    members, one for each would be a million requests. Changes while the members of a
    large group are notified cause one more. An iteration notifies
    :data:`NOTIFIED_AT_ONCE`.

    :param clock: schedules the notification after the current reactor iteration.
    :param groups: says whether a group's members want to be notified.
    """

    def __init__(self, clock: IReactorTime, groups: GroupTable) -> None:
        self._clock = clock
        self._groups = groups
        #: The groups that changed, with their members.
        self._waiting: dict[str, Collection[Peer]] = {}
        self._steps: Iterator[None] | None = None

    def __call__(self, group: str, connections: Collection[Peer]) -> None:
        """Schedule a notification; this is the ``notify`` of a :class:`ClientTable`."""
        config = self._groups.get(group)
        if config is not None and not config.notify_consumer_ids_changed_enable:
            return
        self._waiting[group] = connections
        if self._steps is None:
            self._steps = self._notify_all()
            self._clock.callLater(0, self._step)

    def _step(self) -> None:
        """Notify some members; the others follow in the next iterations."""
        assert self._steps is not None
        if sum(1 for _ in islice(self._steps, NOTIFIED_AT_ONCE)) == NOTIFIED_AT_ONCE:
            self._clock.callLater(0, self._step)
        else:
            self._steps = None

    def _notify_all(self) -> Iterator[None]:
        """Notify the members of all changed groups; a step is one of them."""
        while self._waiting:
            group = next(iter(self._waiting))
            request = NotifyConsumerIdsChanged(group)
            for connection in list(self._waiting.pop(group)):
                connection.call_one_way(request)
                yield


def _join(table: dict[Peer, set[str]], connection: Peer, group: str) -> bool:
    """Add a group to those of a connection; return whether it is new there."""
    groups = table.setdefault(connection, set())
    is_new = group not in groups
    groups.add(group)
    return is_new


def _leave(table: dict[Peer, set[str]], connection: Peer, group: str) -> bool:
    """Remove a group from those of a connection; return whether it was there."""
    groups = table.get(connection)
    if groups is None or group not in groups:
        return False
    groups.remove(group)
    if not groups:
        del table[connection]
    return True
