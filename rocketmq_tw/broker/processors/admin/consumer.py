"""
Inspects consumer groups: how far they have read.

Source: ``AdminBrokerProcessor.getConsumeStats`` and ``fetchAllConsumeStatsInBroker`` of
RocketMQ 5.
"""

from __future__ import annotations

import re
from re import Match

import msgspec
from msgspec.structs import replace
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.slices import encode_in_slices
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.progress import SAMPLE_PERIOD, ConsumeProgress
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
#: How many names of topics are looked up in one step: a header has room for 130,000.
NAMES = 2_000
#: Bytes of the tables of all groups.
LARGEST = 12 << 20
_NAME = re.compile("[^;]+")
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
        progress=tables.progress,
        broker_name=broker.config.broker_name,
        address=broker.address,
        pacer=broker.pacer,
    ).routes(router)
    progress, gauges, pacer = tables.progress, broker.stats.gauges, broker.pacer
    gauges["pullOffsets"] = lambda: progress.queues
    gauges["pullOffsetsRefused"] = lambda: progress.refused
    broker.periodic.every(
        SAMPLE_PERIOD * 1000, lambda: pacer.run(progress.sample(), None, key=progress)
    )


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
        progress: ConsumeProgress,
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
        self._progress = progress
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

        An unknown group has read nothing, so its table is empty.
        """
        return self._pacer.run(self._stats(request), call.peer)

    def _stats(self, request: GetConsumeStats) -> Steps[Response]:
        """Encode the table of the topics that a request is about."""
        topics = yield from self._topics_of(request)
        table = yield from self._table(request.consumer_group, topics, _Totals())
        return Response(body=table)

    def _table(self, group: str, topics: list[str], totals: _Totals) -> Steps[bytes]:
        """Encode the table of some topics, and add what it has to the totals."""
        queues = (
            MessageQueue(topic, self._broker_name, queue_id)
            for topic in topics
            for queue_id in range(self._read_queues(topic))
        )
        rate = yield from self._rate(group, topics)

        def encode(queues: list[MessageQueue]) -> bytes | Deferred[bytes]:
            states = [self._state(group, each) for each in queues]
            for state in states:
                totals.behind += state.broker_offset - state.consumer_offset
                totals.in_flight += state.pull_offset - state.consumer_offset
            return self._encode_stats(queues, states, rate)

        return (yield from encode_in_slices(queues, encode))

    def _rate(self, group: str, topics: list[str]) -> Steps[float]:
        """Add up how many messages of some topics a group reads in a second."""
        rate = 0.0
        for at, some in enumerate(parts_of(topics, NAMES)):
            if at:
                yield None
            rate += sum(self._progress.rate(topic, group) for topic in some)
        return rate

    def _state(self, group: str, queue: MessageQueue) -> OffsetState:
        """Return how far a group is, without the time."""
        topic, queue_id = queue.topic, queue.queue_id
        read = self._offsets.query(group, topic, queue_id) or 0
        pulled = self._progress.pulled(topic, group, queue_id)
        end = self._store.max_offset(topic, queue_id)
        # What was pulled before the topic was created again is beyond its end.
        return OffsetState(end, read, max(read, min(pulled, end)))

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
        entries, size, totals = [], 0, _Totals()
        looked_at = 0
        for group in topics:
            looked_at += len(topics[group])
            if looked_at > AT_ONCE:
                looked_at = 0
                yield None
            known = self._listed(group, topics[group], is_order)
            if not known:
                continue
            tables: list[bytes] = []
            for topic in known:
                table = yield from self._table(group, [topic], totals)
                tables.append(table)
                size += len(table)
                if size > self._largest:
                    raise _too_large(self._largest)
                yield None
            entries.append(b"{%b:[%b]}" % (dumps(group), b",".join(tables)))
        empty = ConsumeStatsList(
            broker_addr=self._address,
            total_diff=totals.behind,
            total_inflight_diff=totals.in_flight,
        )
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
        self, queues: list[MessageQueue], states: list[OffsetState], rate: float
    ) -> bytes | Deferred[bytes]:
        """Encode how far a group has read some queues, with the times of messages."""
        times = all_of(
            [
                self._time_of_last(queue, state.consumer_offset)
                for queue, state in zip(queues, states, strict=True)
            ]
        )
        return then(times, lambda times: _stats_table(queues, states, times, rate))

    def _topics_of(self, request: GetConsumeStats) -> Steps[list[str]]:
        """
        Return the topics asked for, otherwise those in which the group has offsets.
        """
        if request.topic_list:
            return (yield from self._listed_in(request.topic_list))
        topics = [request.topic] if request.topic else []
        topics = topics or sorted(self._offsets.of_group(request.consumer_group))
        return self._subscribed(request.consumer_group, topics)

    def _listed_in(self, names: str) -> Steps[list[str]]:
        """Return the topics of a list, once each, without those that do not exist."""
        found: dict[str, None] = {}
        # The matches must not be kept: the garbage collector would look at each.
        each = map(Match.group, _NAME.finditer(names))
        for at, some in enumerate(parts_of(each, NAMES)):
            if at:
                yield None
            for name in some:
                if self._topics.get(name) is not None:
                    found[name] = None
        return list(found)

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


class _Totals(msgspec.Struct):
    """
    Sums over queues.

    :ivar behind: messages that are not consumed.
    :ivar in_flight: those of them that were sent to members.
    """

    behind: int = 0
    in_flight: int = 0


def _stats_table(
    queues: list[MessageQueue],
    states: list[OffsetState],
    times: list[int],
    rate: float,
) -> bytes:
    """Encode the table of these queues."""
    table = {
        queue: replace(state, last_timestamp=max(0, time_ms))
        for queue, state, time_ms in zip(queues, states, times, strict=True)
    }
    return ConsumeStats(table, rate).encode()


def _too_large(largest: int) -> Refused:
    """Return the refusal of more than a response may have."""
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"the statistics of all groups take more than {largest} bytes: ask for"
        " those of single groups (request 208)",
    )
