"""
Shows the entries of a queue, and the subscription that chooses among them.

Source: ``AdminBrokerProcessor.queryConsumeQueue`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore, QueueEntry
from rocketmq_tw.wire.bodies.stats import (
    ConsumeQueueData,
    QueryConsumeQueueResponseBody,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.message import QueryQueueEntries

#: The most entries in a response: some 2 ms.
MOST = 1000


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    tables = broker.tables
    QueueEntriesProcessor(
        topics=tables.topics, clients=tables.clients, store=broker.store
    ).routes(router)


class QueueEntriesProcessor:
    """Handles requests for entries of queues."""

    def __init__(
        self, *, topics: TopicTable, clients: ClientTable, store: IMessageStore
    ) -> None:
        self._topics = topics
        self._clients = clients
        self._store = store

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(QueryQueueEntries, self.entries)

    def entries(self, request: QueryQueueEntries, call: Call) -> Outcome:
        """
        Return entries of a queue, and its bounds.

        :raises Refused: there is no such queue.
        """
        topic, queue_id = request.topic, request.queue_id
        config = self._topics.get(topic)
        known = config.read_queue_nums if config is not None else 0
        if not 0 <= queue_id < known and not self._store.max_offset(topic, queue_id):
            raise Refused(
                ResponseCode.SYSTEM_ERROR, f"{queue_id}@{topic} is not exist!"
            )
        count = min(request.count, MOST)
        found = self._store.entries(topic, queue_id, request.index, count)
        return then(found, lambda entries: self._response(request, entries))

    def _response(
        self, request: QueryQueueEntries, entries: list[QueueEntry]
    ) -> Response:
        """Encode entries; a remark says why there are none."""
        topic, queue_id = request.topic, request.queue_id
        subscription, filter_data = None, None
        if request.consumer_group is not None:
            group = request.consumer_group
            subscription = self._clients.subscription(group, topic)
            filter_data = "null"  # as Apache RocketMQ writes that there is none
            if subscription is None:
                filter_data = f"{group}@{topic} is not online!"
        body = QueryConsumeQueueResponseBody(
            subscription_data=subscription,
            filter_data=filter_data,
            queue_data=tuple(
                ConsumeQueueData(each.commit_log_offset, each.size, each.tags_code)
                for each in entries
            ),
            max_queue_index=self._store.max_offset(topic, queue_id),
            min_queue_index=self._store.min_offset(topic, queue_id),
        )
        missing = f"Index {request.index} of {queue_id}@{topic} is not exist!"
        return Response(remark=None if entries else missing, body=body.encode())
