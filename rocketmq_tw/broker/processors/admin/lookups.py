"""
Looks up which groups consume which topics, and with which subscription.

The tables of offsets and of clients may have half a million entries, so they are gone
through in steps.

Source: ``AdminBrokerProcessor.queryTopicConsumeByWho``, ``queryTopicsByConsumer``,
``querySubscriptionByConsumer`` and ``queryCorrectionOffset`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.groups import GroupList, QuerySubscriptionResponseBody
from rocketmq_tw.wire.bodies.offsets import QueryCorrectionOffsetBody
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import QueryCorrectionOffset
from rocketmq_tw.wire.requests.group import (
    QueryGroupsOfTopic,
    QuerySubscription,
    QueryTopicsOfGroup,
)

#: How many entries of a table are looked at in one step: some 1 ms.
AT_ONCE = 10_000
#: How many offsets of one group.
OFFSETS = 1000
#: Says of a queue that the group to compare with is behind all others.
_NOTHING_TO_CORRECT = (1 << 63) - 1


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    LookupProcessor(
        offsets=broker.tables.offsets,
        clients=broker.tables.clients,
        store=broker.store,
        address=broker.address,
        pacer=broker.pacer,
    ).routes(router)


class LookupProcessor:
    """
    Handles questions about topics and the groups that consume them.

    :param address: of the broker, for a list of topics.
    """

    def __init__(
        self,
        *,
        offsets: ConsumerOffsets,
        clients: ClientTable,
        store: IMessageStore,
        address: str,
        pacer: Pacer,
    ) -> None:
        self._offsets = offsets
        self._clients = clients
        self._store = store
        self._address = address
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(QueryGroupsOfTopic, self.groups)
        router.on(QueryTopicsOfGroup, self.topics)
        router.on(QuerySubscription, self.subscription)
        router.on(QueryCorrectionOffset, self.correction)

    def groups(self, request: QueryGroupsOfTopic, call: Call) -> Outcome:
        """Return the groups that have read a topic, or subscribe to it now."""
        return self._pacer.run(self._groups(request.topic), call.peer)

    def _groups(self, topic: str) -> Steps[Response]:
        """Look through groups that are online, and through all offsets."""
        found: dict[str, None] = {}
        for some in parts_of(self._clients.consumer_groups(), AT_ONCE):
            for group in some:
                if topic in group.subscriptions:
                    found[group.name] = None
            yield None
        for keys in parts_of(list(self._offsets.table), AT_ONCE):
            found.update((group, None) for at, group in keys if at == topic)
            yield None
        return Response(body=GroupList(tuple(found)).encode())

    def topics(self, request: QueryTopicsOfGroup, call: Call) -> Outcome:
        """Return the topics in which a group has offsets."""
        return self._pacer.run(self._topics(request.group), call.peer)

    def _topics(self, group: str) -> Steps[Response]:
        """Look through all offsets."""
        found: list[str] = []
        for keys in parts_of(list(self._offsets.table), AT_ONCE):
            found += [topic for topic, of in keys if of == group]
            yield None
        body = TopicList(tuple(found), self._address).encode()
        return Response(body=body)

    def subscription(self, request: QuerySubscription, call: Call) -> Response:
        """Return what the members of a group subscribe to in a topic."""
        group, topic = request.group, request.topic
        found = self._clients.subscription(group, topic or "")
        body = QuerySubscriptionResponseBody(group, topic, found)
        return Response(body=body.encode())

    def correction(self, request: QueryCorrectionOffset, call: Call) -> Outcome:
        """
        Return the least offset that any group has committed, for each queue.

        Offsets of messages that are deleted do not count. The groups that are left out
        keep their offsets: in Apache RocketMQ they lose them.
        """
        return self._pacer.run(self._correction(request), call.peer)

    def _correction(self, request: QueryCorrectionOffset) -> Steps[Response]:
        """Look through the offsets of all groups in the topic."""
        topic = request.topic
        left_out = frozenset((request.filter_groups or "").split(","))
        least: dict[int, int] = {}
        for keys in parts_of(list(self._offsets.table), AT_ONCE):
            for at, group in keys:
                if at == topic and group not in left_out:
                    yield from self._lower(least, topic, group)
            yield None
        compared = self._offsets.table.get((topic, request.compare_group), {})
        for queue_id, offset in compared.items():
            if least.get(queue_id, offset) > offset:
                least[queue_id] = _NOTHING_TO_CORRECT
        return Response(body=QueryCorrectionOffsetBody(least).encode())

    def _lower(self, least: dict[int, int], topic: str, group: str) -> Steps[None]:
        """Take over the offsets of a group that are less."""
        offsets = list(self._offsets.table.get((topic, group), {}).items())
        for some in parts_of(offsets, OFFSETS):
            for queue_id, offset in some:
                if offset >= self._store.min_offset(topic, queue_id):
                    least[queue_id] = min(offset, least.get(queue_id, offset))
            yield None
