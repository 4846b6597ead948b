"""
Inspects consumer groups: how far they have read.

Source: ``AdminBrokerProcessor.getConsumeStats`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.slices import encode_in_slices
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import all_of, then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import GetConsumeStats


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables = broker.tables
    ConsumerProcessor(
        topics=tables.topics,
        offsets=tables.offsets,
        clients=tables.clients,
        store=broker.store,
        broker_name=broker.config.broker_name,
        pacer=broker.pacer,
    ).routes(router)


class ConsumerProcessor:
    """
    Handles requests about consumers.

    :param broker_name: becomes part of the message queues in responses.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        offsets: ConsumerOffsets,
        clients: ClientTable,
        store: IMessageStore,
        broker_name: str,
        pacer: Pacer,
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._clients = clients
        self._store = store
        self._broker_name = broker_name
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetConsumeStats, self.stats)

    def stats(
        self, request: GetConsumeStats, call: Call
    ) -> Response | Deferred[Response | None]:
        """
        Return, for each readable queue, its end and the group's offset.

        An unknown group has read nothing, so its table is empty. Messages that members
        have pulled but not committed are not known, nor is the group's rate.
        """
        return self._pacer.run(self._stats(request), call.peer)

    def _stats(self, request: GetConsumeStats) -> Steps[Response]:
        """Encode the table."""
        group = request.consumer_group
        queues = (
            MessageQueue(topic, self._broker_name, queue_id)
            for topic in self._topics_of(request)
            for queue_id in range(self._read_queues(topic))
        )
        table = yield from encode_in_slices(
            queues, lambda queues: self._encode_stats(group, queues)
        )
        return Response(body=table)

    def _encode_stats(
        self, group: str, queues: list[MessageQueue]
    ) -> bytes | Deferred[bytes]:
        """Encode how far a group has read some queues."""
        read = [
            self._offsets.query(group, queue.topic, queue.queue_id) or 0
            for queue in queues
        ]
        times = all_of(
            [
                self._time_of_last(queue, offset)
                for queue, offset in zip(queues, read, strict=True)
            ]
        )
        return then(times, lambda times: self._stats_table(queues, read, times))

    def _topics_of(self, request: GetConsumeStats) -> list[str]:
        """
        Return the topics asked for, otherwise those in which the group has offsets.
        """
        if request.topic_list:
            wanted = dict.fromkeys(request.topic_list.split(";"))
            return [topic for topic in wanted if topic]
        topics = [request.topic] if request.topic else []
        topics = topics or sorted(self._offsets.of_group(request.consumer_group))
        online = self._clients.consumer_group(request.consumer_group)
        if online is None or not online.subscriptions:
            return topics
        return [topic for topic in topics if topic in online.subscriptions]

    def _read_queues(self, topic: str) -> int:
        """Return the number of readable queues; 0 for an unknown topic."""
        config = self._topics.get(topic)
        return 0 if config is None else config.read_queue_nums

    def _time_of_last(self, queue: MessageQueue, offset: int) -> int | Deferred[int]:
        """
        Return when the last message before an offset was stored, in ms; 0 if none.
        """
        if offset <= 0:
            return 0
        return self._store.store_time(queue.topic, queue.queue_id, offset - 1)

    def _stats_table(
        self, queues: list[MessageQueue], read: list[int], times: list[int]
    ) -> bytes:
        """Encode the table of these queues, offsets and times."""
        table = {}
        for queue, offset, time_ms in zip(queues, read, times, strict=True):
            end = self._store.max_offset(queue.topic, queue.queue_id)
            table[queue] = OffsetState(end, offset, offset, max(0, time_ms))
        return ConsumeStats(table).encode()
