"""
Offsets: how far groups have read, and the bounds of queues.

Source: ``ConsumerManageProcessor`` and ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, responding
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.store.queues.fetch import page_cache_size
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import (
    GetAllConsumerOffset,
    GetEarliestStoreTime,
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    QueryConsumerOffset,
    SearchOffset,
    TimestampResponse,
    UpdateConsumerOffset,
)


def install(broker: Broker, router: Router) -> None:
    """Register the handlers; write the consumer offsets periodically."""
    tables = broker.tables
    OffsetProcessor(
        store=broker.store,
        offsets=tables.offsets,
        topics=tables.topics,
        groups=tables.groups,
        pacer=broker.pacer,
    ).routes(router)
    gauges = broker.stats.gauges
    gauges["consumerOffsets"] = lambda: len(tables.offsets)
    gauges["consumerOffsetsRefused"] = lambda: tables.offsets.refused
    gauges["subscriptionGroups"] = lambda: len(tables.groups.table)
    gauges["subscriptionGroupsRefused"] = lambda: tables.groups.refused
    period_ms = broker.config.flush_consumer_offset_interval
    broker.periodic.every(period_ms, tables.offsets.save_in_steps)


class OffsetProcessor:
    """
    Handles requests about offsets.

    :param memory_size: records this close to the end of the commit log count as in
        memory; 40 % of the machine's memory if None.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        offsets: ConsumerOffsets,
        topics: TopicTable,
        groups: GroupTable,
        pacer: Pacer,
        memory_size: int | None = None,
    ) -> None:
        self._store = store
        self._offsets = offsets
        self._topics = topics
        self._groups = groups
        self._pacer = pacer
        self._memory_size = page_cache_size() if memory_size is None else memory_size

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(QueryConsumerOffset, self.query)
        router.on(UpdateConsumerOffset, self.update)
        router.on(SearchOffset, self.search)
        router.on(GetMaxOffset, self.max_offset)
        router.on(GetMinOffset, self.min_offset)
        router.on(GetEarliestStoreTime, self.earliest_store_time)
        router.on(GetAllConsumerOffset, self.all)

    def query(
        self, request: QueryConsumerOffset, call: Call
    ) -> OffsetResponse | Deferred[OffsetResponse]:
        """
        Return how far a group has read a queue.

        A group without an offset starts at 0 if the queue still has its first message
        and is small, whatever the consumer's settings say: otherwise it would miss
        messages sent to a new topic just before it started.

        Source: ``ConsumerManageProcessor.queryConsumerOffset``.
        """
        group, topic = request.consumer_group, request.topic
        offset = self._offsets.query(group, topic, request.queue_id)
        if offset is not None:
            return OffsetResponse(offset)
        if request.set_zero_if_not_found is False:
            raise _never_read()
        return then(self._is_young(topic, request.queue_id), _zero_if)

    def _is_young(self, topic: str, queue_id: int) -> bool | Deferred[bool]:
        """
        Return whether a queue still has its first message, and in memory.

        An empty queue counts as young, as in 4.9; in 5.x it does not.
        """

        def is_young(first: Fetched) -> bool:
            if first.min_offset > 0:
                return False
            if not first.count:
                return first.max_offset == 0
            behind = self._store.commit_log_max - first.last_commit_log_offset
            return bool(behind <= self._memory_size)

        return then(self._store.get(topic, queue_id, 0, 1, 1, None), is_young)

    def update(self, request: UpdateConsumerOffset, call: Call) -> Response:
        """
        Commit how far a group has read a queue, unless that was reset since.

        :raises GroupNotExist: the group does not exist and must not be created.
        :raises TopicNotExist: the topic does not exist.
        :raises Refused: the topic has no such queue. Apache RocketMQ keeps such offsets
            for ever.
        :raises TooManyOffsets: no more offsets are kept.
        """
        topic = self._topics.require(request.topic)
        queue_id = request.queue_id
        if not self._has_queue(topic, queue_id):
            raise Refused(
                ResponseCode.INVALID_PARAMETER,
                f"queueId[{queue_id}] is illegal, topic:[{topic.topic_name}] has no"
                " such queue",
            )
        group = self._groups.require(request.consumer_group).group_name
        if not self._offsets.resets.waits(group, topic.topic_name, queue_id):
            offset = request.commit_offset
            self._offsets.commit(group, topic.topic_name, queue_id, offset)
        return Response()

    def _has_queue(self, topic: TopicConfig, queue_id: int) -> bool:
        """
        Return whether a topic has a queue, or had it and has its messages still.

        Consumers of a topic that lost queues commit what they read before.
        """
        if 0 <= queue_id < max(topic.read_queue_nums, topic.write_queue_nums):
            return True
        return self._store.max_offset(topic.topic_name, queue_id) > 0

    def search(
        self, request: SearchOffset, call: Call
    ) -> OffsetResponse | Deferred[OffsetResponse]:
        """Return the queue offset of the message stored at a time."""
        upper = (request.boundary_type or "").upper() == "UPPER"
        topic, queue_id, time_ms = request.topic, request.queue_id, request.timestamp
        found = self._store.offset_by_time(topic, queue_id, time_ms, upper)
        return then(found, OffsetResponse)

    def max_offset(self, request: GetMaxOffset, call: Call) -> OffsetResponse:
        """Return the queue offset that the next message gets."""
        return OffsetResponse(self._store.max_offset(request.topic, request.queue_id))

    def min_offset(self, request: GetMinOffset, call: Call) -> OffsetResponse:
        """Return the queue offset of the oldest message."""
        return OffsetResponse(self._store.min_offset(request.topic, request.queue_id))

    def earliest_store_time(
        self, request: GetEarliestStoreTime, call: Call
    ) -> TimestampResponse | Deferred[TimestampResponse]:
        """
        Return when the oldest message of a queue was stored, in ms; -1 if there is
        none.
        """
        topic, queue_id = request.topic, request.queue_id
        first = self._store.min_offset(topic, queue_id)
        return then(self._store.store_time(topic, queue_id, first), TimestampResponse)

    def all(
        self, request: GetAllConsumerOffset, call: Call
    ) -> Response | Deferred[Response | None]:
        """Return all offsets of all groups."""
        steps = responding(self._offsets.encode_in_steps())
        return self._pacer.run(steps, call.peer)


def _zero_if(is_young: bool) -> OffsetResponse:
    """Return offset 0 for a young queue. :raises Refused: it is not young."""
    if not is_young:
        raise _never_read()
    return OffsetResponse(0)


def _never_read() -> Refused:
    """Return the error for a group without an offset."""
    return Refused(
        ResponseCode.QUERY_NOT_FOUND,
        "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first",
    )
