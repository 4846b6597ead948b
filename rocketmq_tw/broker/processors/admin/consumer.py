"""
Inspects consumer groups: how far they have read.

Source: ``AdminBrokerProcessor.getConsumeStats`` and ``fetchAllConsumeStatsInBroker`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.slices import encode_in_slices
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import all_of, then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.stats import ConsumeStats, ConsumeStatsList, OffsetState
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fastjson import dumps
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import GetBrokerConsumeStats, GetConsumeStats

#: How many entries of the table of offsets are looked at in one step.
AT_ONCE = 10_000
#: Bytes of the tables of all groups.
LARGEST = 12 << 20
_NO_GROUPS = b'"consumeStatsList":[]'


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables = broker.tables
    ConsumerProcessor(
        topics=tables.topics,
        offsets=tables.offsets,
        clients=tables.clients,
        groups=tables.groups,
        store=broker.store,
        broker_name=broker.config.broker_name,
        address=broker.address,
        pacer=broker.pacer,
    ).routes(router)


class ConsumerProcessor:
    """
    Handles requests about consumers.

    :param broker_name: becomes part of the message queues in responses.
    :param address: of the broker, for the list of all groups.
    :param largest: bytes of the tables of all groups; a frame has 16 MiB at most.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        offsets: ConsumerOffsets,
        clients: ClientTable,
        groups: GroupTable,
        store: IMessageStore,
        broker_name: str,
        address: str,
        pacer: Pacer,
        largest: int = LARGEST,
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._clients = clients
        self._groups = groups
        self._store = store
        self._broker_name = broker_name
        self._address = address
        self._largest = largest
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetConsumeStats, self.stats)
        router.on(GetBrokerConsumeStats, self.all)

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
        """Encode the table of the topics that a request is about."""
        table, _ = yield from self._table(
            request.consumer_group, self._topics_of(request)
        )
        return Response(body=table)

    def _table(self, group: str, topics: Iterable[str]) -> Steps[tuple[bytes, int]]:
        """Encode the table of some topics; return the difference of all queues, too."""
        queues = (
            MessageQueue(topic, self._broker_name, queue_id)
            for topic in topics
            for queue_id in range(self._read_queues(topic))
        )
        behind = 0

        def encode(queues: list[MessageQueue]) -> bytes | Deferred[bytes]:
            nonlocal behind
            behind += sum(self._behind(group, each) for each in queues)
            return self._encode_stats(group, queues)

        table = yield from encode_in_slices(queues, encode)
        return table, behind

    def _behind(self, group: str, queue: MessageQueue) -> int:
        """Return how many messages of a queue a group has not read."""
        topic, queue_id = queue.topic, queue.queue_id
        read = self._offsets.query(group, topic, queue_id) or 0
        return self._store.max_offset(topic, queue_id) - read

    def all(self, request: GetBrokerConsumeStats, call: Call) -> Outcome:
        """
        Return the same for all groups and all topics in which they have offsets.

        :raises Refused: it is too large for a response.
        """
        return self._pacer.run(self._all(request.is_order), call.peer)

    def _all(self, is_order: bool) -> Steps[Response]:
        """Encode the tables of one group after another."""
        topics: dict[str, list[str]] = {}
        for keys in parts_of(list(self._offsets.table), AT_ONCE):
            for topic, group in keys:
                topics.setdefault(group, []).append(topic)
            yield None
        entries, size, behind = [], 0, 0
        for group in topics:
            known = self._listed(group, topics[group], is_order)
            if not known:
                continue
            tables: list[bytes] = []
            for topic in known:
                table, less = yield from self._table(group, [topic])
                tables.append(table)
                behind += less
                size += len(table)
                if size > self._largest:
                    raise _too_large(self._largest)
                yield None
            entries.append(b"{%b:[%b]}" % (dumps(group), b",".join(tables)))
        empty = ConsumeStatsList(broker_addr=self._address, total_diff=behind)
        return Response(body=fill(empty.encode(), _NO_GROUPS, entries))

    def _listed(self, group: str, topics: list[str], is_order: bool) -> list[str]:
        """Return those of a group's topics that are listed, if it is known."""
        if self._groups.get(group) is None:
            return []
        found = []
        for topic in self._subscribed(group, sorted(topics)):
            config = self._topics.get(topic)
            if config is not None and (config.order or not is_order):
                found.append(topic)
        return found

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
        return self._subscribed(request.consumer_group, topics)

    def _subscribed(self, group: str, topics: list[str]) -> list[str]:
        """Leave out topics to which the members of a group do not subscribe."""
        online = self._clients.consumer_group(group)
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


def _too_large(largest: int) -> Refused:
    """Return the refusal of more than a response may have."""
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"the statistics of all groups take more than {largest} bytes: ask for"
        " those of single groups (request 208)",
    )
