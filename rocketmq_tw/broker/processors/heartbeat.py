"""
Heartbeats, unregistration, and queries for the members of a group.

Source: ``ClientManageProcessor`` and ``ConsumerManageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.errors import TooManyTopics
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.processors.conflicts import SubscriptionConflicts
from rocketmq_tw.broker.processors.heartbeat_limits import HeartbeatLimits
from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, all_at_once, parts_of
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fastjson import dumps
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import SMALL
from rocketmq_tw.wire.requests.heartbeat import (
    GetConsumerList,
    Heartbeat,
    UnregisterClient,
)

#: Characters of a client's language that are kept.
_LONGEST_LANGUAGE = 32
#: How many groups are registered in one step: some 2 ms.
AT_ONCE = 50
#: How many members are listed in one step: some 2 ms.
LISTED = 5000
_NO_IDS = b'"consumerIdList":[]'
#: Milliseconds between two checks for clients without heartbeats.
EXPIRE_PERIOD_MS = 10_000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers; drop clients that disconnect or send no heartbeats."""
    tables, clock = broker.tables, broker.clock
    clients = tables.clients
    limits = HeartbeatLimits(clients=clients, config=broker.config)
    conflicts = SubscriptionConflicts(
        clients=clients,
        peers=PeerLog(clock),
        action=broker.config.subscription_conflict,
    )
    processor = HeartbeatProcessor(
        clients=clients,
        topics=tables.topics,
        new_topics=broker.new_topics,
        groups=tables.groups,
        limits=limits,
        conflicts=conflicts,
        pacer=broker.pacer,
        creates_topics=not broker.config.is_slave,
    )
    processor.routes(router)
    gauges = broker.stats.gauges
    gauges["heartbeatsRefused"] = lambda: limits.refused
    gauges["subscriptionConflicts"] = lambda: conflicts.found
    gauges["groupMemberships"] = lambda: clients.memberships
    gauges["subscriptionsSize"] = lambda: clients.subscriptions_size
    broker.lifecycle.on_connection_lost.append(clients.connection_lost)
    broker.periodic.every(EXPIRE_PERIOD_MS, lambda: clients.expire(clock.seconds()))


class HeartbeatProcessor:
    """
    Handles requests about the table of clients.

    The response to a heartbeat does not offer version 2 heartbeats, so clients always
    send their subscriptions.

    :param limits: checks each heartbeat before anything of it is kept.
    :param conflicts: notices members that subscribe to something else, likewise.
    :param pacer: runs the steps of large heartbeats.
    :param creates_topics: whether the retry topics of groups are created; those of a
        slave come from its master.
    """

    def __init__(
        self,
        *,
        clients: ClientTable,
        topics: TopicTable,
        new_topics: NewTopics,
        groups: GroupTable,
        limits: HeartbeatLimits,
        conflicts: SubscriptionConflicts,
        pacer: Pacer,
        creates_topics: bool = True,
    ) -> None:
        self._pacer = pacer
        self._limits = limits
        self._conflicts = conflicts
        self._creates_topics = creates_topics
        self._clients = clients
        self._topics = topics
        self._new_topics = new_topics
        self._groups = groups

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(Heartbeat, self.heartbeat)
        router.on(UnregisterClient, self.unregister)
        router.on(GetConsumerList, self.consumer_list)

    def heartbeat(self, request: Heartbeat, call: Call) -> Outcome:
        """
        Register all groups of a client, and create the retry topics of its consumers.

        :raises IllegalGroup: a group's name is not legal; nothing is registered.
        :raises Refused: it would make the broker keep too much; likewise.
        :raises BadField: the body is not a heartbeat; likewise MalformedJson.
        """
        body = request.body
        if len(body) > SMALL:
            return self._pacer.run(self._decoding(body, call), call.peer, len(body))
        beat = HeartbeatData.decode_request(body)
        if len(beat.consumer_data_set) + len(beat.producer_data_set) > AT_ONCE:
            return self._pacer.run(self._beating(beat, call), call.peer, len(body))
        self._check(beat, call)
        register = self._registering(beat, call)
        return self._new_topics.hold(lambda: all_at_once(register))

    def _decoding(self, body: bytes, call: Call) -> Steps[Response]:
        """Decode a large heartbeat, then register its groups."""
        beat = HeartbeatData.decode_request(body)
        yield None
        return (yield from self._beating(beat, call))

    def _beating(self, beat: HeartbeatData, call: Call) -> Steps[Response]:
        """Register all groups of a client in steps, unless they are too many."""
        self._check(beat, call)
        return (yield from self._new_topics.hold_steps(self._registering(beat, call)))

    def _check(self, beat: HeartbeatData, call: Call) -> None:
        """Check all of a heartbeat, before anything of it is kept."""
        self._limits.check(beat, call.peer)
        for consumer in beat.consumer_data_set:
            check_group_name(consumer.group_name)
        self._conflicts.check(beat, call.peer)

    def _registering(self, beat: HeartbeatData, call: Call) -> Steps[Response]:
        """
        Register all groups of a client.

        :raises Refused: others have used up what was left when it was checked; the
            groups of earlier steps are kept.
        """
        client = Client(
            peer=call.peer,
            client_id=beat.client_id,
            language=str(call.header.language)[:_LONGEST_LANGUAGE],
            version=call.header.version,
            last_seen=call.peer.last_seen,
        )
        for number, part in enumerate(_parts(beat)):
            if number:
                yield None
                self._limits.check(part, call.peer)
            for consumer in part.consumer_data_set:
                self._consumer(consumer, client)
            for producer in part.producer_data_set:
                self._clients.register_producer(producer.group_name, client)
        return Response()

    def _consumer(self, consumer: ConsumerData, client: Client) -> None:
        """
        Register one consumer, unless its group is unknown and must not be created.
        """
        group = self._groups.find(consumer.group_name)
        if group is None:
            return
        if self._creates_topics:
            self._create_retry(group, consumer.unit_mode)
        self._clients.register_consumer(
            group.group_name,
            client,
            consume_type=consumer.consume_type,
            message_model=consumer.message_model,
            consume_from=consumer.consume_from_where,
            subscriptions=consumer.subscription_data_set,
        )

    def _create_retry(self, group: SubscriptionGroup, unit: bool) -> None:
        """Create the retry topic of a group."""
        with contextlib.suppress(TooManyTopics):
            # That is counted. The group can consume; what it sends back is refused.
            self._topics.create_retry(
                group.group_name,
                group.retry_queue_nums,
                order=group.consume_message_orderly,
                unit=unit,
            )

    def unregister(self, request: UnregisterClient, call: Call) -> Response:
        """Remove a client from a group; its connection stays open."""
        if request.producer_group:
            self._clients.unregister_producer(request.producer_group, call.peer)
        if request.consumer_group:
            self._clients.unregister_consumer(request.consumer_group, call.peer)
        return Response()

    def consumer_list(self, request: GetConsumerList, call: Call) -> Outcome:
        """Return the client ids of a group, from which its members rebalance."""
        members = self._clients.consumers(request.consumer_group)
        if len(members) > LISTED:
            return self._pacer.run(_list_all(members), call.peer)
        ids = self._clients.client_ids(request.consumer_group)
        if not ids:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"no consumer for this group, {request.consumer_group}",
            )
        return Response(body=ConsumerIdList(tuple(ids)).encode())


def _list_all(members: list[Client]) -> Steps[Response]:
    """Encode the ids of many members in steps."""
    ids: dict[str, None] = {}
    for some in parts_of(members, LISTED):
        ids.update((each.client_id, None) for each in some)
        yield None
    pieces: list[bytes] = []
    for names in parts_of(list(ids), LISTED):
        pieces.append(dumps(names)[1:-1])
        yield None
    return Response(body=fill(ConsumerIdList().encode(), _NO_IDS, pieces))


def _parts(beat: HeartbeatData) -> Iterator[HeartbeatData]:
    """Part a heartbeat of many groups into some of few."""
    if len(beat.consumer_data_set) + len(beat.producer_data_set) <= AT_ONCE:
        yield beat
        return
    for consumers in parts_of(beat.consumer_data_set, AT_ONCE):
        yield HeartbeatData(beat.client_id, consumer_data_set=tuple(consumers))
    for producers in parts_of(beat.producer_data_set, AT_ONCE):
        yield HeartbeatData(beat.client_id, producer_data_set=tuple(producers))
