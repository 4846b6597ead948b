"""
Inspects the connected clients of a group: their connections and subscriptions.

Source: ``AdminBrokerProcessor.getConsumerConnectionList``,
``getProducerConnectionList`` and ``getAllProducerInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.clients import Client, ClientTable, ConsumerGroup
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, encode_each
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.consumers import (
    Connection,
    ConsumerConnection,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rocketmq_tw.wire.bodies.entries import encode_entry, fill
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fastjson import dumps
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import (
    GetAllProducers,
    GetConsumerConnections,
    GetProducerConnections,
)

#: How many connections or subscriptions are encoded in one step: some 1 ms.
AT_ONCE = 200
#: How many clients with other subscriptions are named.
CONFLICTS = 100
_NO_CONNECTIONS = b'"connectionSet":[]'
_NO_SUBSCRIPTIONS = b'"subscriptionTable":{}'


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    ConnectionsProcessor(clients=broker.tables.clients, pacer=broker.pacer).routes(
        router
    )


class ConnectionsProcessor:
    """
    Handles requests for the members of groups, as tools show them.

    :param largest: bytes of the producers of all groups; a frame has 16 MiB at most.
    """

    def __init__(
        self, *, clients: ClientTable, pacer: Pacer, largest: int = 12 << 20
    ) -> None:
        self._largest = largest
        self._clients = clients
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetConsumerConnections, self.consumers)
        router.on(GetProducerConnections, self.producers)
        router.on(GetAllProducers, self.all_producers)

    def consumers(
        self, request: GetConsumerConnections, call: Call
    ) -> Response | Deferred[Response | None]:
        """Return the members and the subscriptions of a consumer group."""
        group = self._clients.consumer_group(request.consumer_group)
        if group is None:
            raise Refused(
                ResponseCode.CONSUMER_NOT_ONLINE,
                f"the consumer group[{request.consumer_group}] not online",
            )
        return self._pacer.run(_encode_consumers(group), call.peer)

    def producers(
        self, request: GetProducerConnections, call: Call
    ) -> Response | Deferred[Response | None]:
        """Return the members of a producer group."""
        producers = self._clients.producers(request.producer_group)
        if not producers:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"the producer group[{request.producer_group}] not exist",
            )
        return self._pacer.run(_encode_producers(producers), call.peer)

    def all_producers(
        self, request: GetAllProducers, call: Call
    ) -> Response | Deferred[Response | None]:
        """
        Return the producers of all groups.

        :raises Refused: there are too many for a response.
        """
        return self._pacer.run(self._all_producers(call), call.peer)

    def _all_producers(self, call: Call) -> Steps[Response]:
        """Encode the producers of one group after another."""
        now_ms, now = int(call.received_at * 1000), call.peer.last_seen

        def encode(each: Client) -> bytes:
            return dumps(_info(each, now_ms - int((now - each.last_seen) * 1000)))

        entries: list[bytes] = []
        size = 0
        for group in self._clients.producer_groups():
            infos = yield from encode_each(
                self._clients.producers(group), encode, AT_ONCE
            )
            entries.append(b"%b:[%b]" % (dumps(group), infos))
            size += len(entries[-1])
            if size > self._largest:
                raise Refused(
                    ResponseCode.SYSTEM_ERROR,
                    f"all producers take more than {self._largest} bytes: ask for those"
                    " of single groups (request 204)",
                )
            yield None
        empty = ProducerTableInfo().encode()
        return Response(body=fill(empty, b'"data":{}', entries))


def _info(client: Client, last_heartbeat_ms: int) -> ProducerInfo:
    """Return what is shown of a producer."""
    return ProducerInfo(
        client_id=client.client_id,
        # As Apache's brokers show it.
        remote_ip=f"/{client.peer.address}",
        language=client.language,
        version=client.version,
        last_update_timestamp=last_heartbeat_ms,
    )


def _encode_consumers(group: ConsumerGroup) -> Steps[Response]:
    """Encode a :class:`ConsumerConnection`."""
    connections = yield from _encode_connections(list(group.members.values()))
    subscriptions = yield from encode_each(
        list(group.subscriptions.values()), _encode_subscription, AT_ONCE
    )
    empty = ConsumerConnection(
        (),
        {},
        group.consume_type,
        group.message_model,
        group.consume_from,
        _conflicts(group),
    ).encode()
    body = fill(empty, _NO_CONNECTIONS, (connections,))
    return Response(body=fill(body, _NO_SUBSCRIPTIONS, (subscriptions,)))


def _conflicts(group: ConsumerGroup) -> tuple[str, ...] | None:
    """Return the ids of members that do not agree with most; None if all do."""
    members = [group.members[peer] for peer in group.agreement.minority]
    ids = dict.fromkeys(each.client_id for each in members[:CONFLICTS])
    return tuple(ids) or None


def _encode_producers(producers: list[Client]) -> Steps[Response]:
    """Encode a :class:`ProducerConnection`."""
    connections = yield from _encode_connections(producers)
    empty = ProducerConnection().encode()
    return Response(body=fill(empty, _NO_CONNECTIONS, (connections,)))


def _encode_connections(clients: Iterable[Client]) -> Steps[bytes]:
    """Encode the connections of clients, without brackets."""
    return encode_each(clients, _encode_connection, AT_ONCE)


def _encode_connection(client: Client) -> bytes:
    """Encode one client's connection."""
    return Connection(
        client.client_id, client.peer.address, client.language, client.version
    ).encode()


def _encode_subscription(subscription: Subscription) -> bytes:
    """Encode an entry of the table of subscriptions, with its key."""
    return encode_entry(subscription.topic, subscription)
