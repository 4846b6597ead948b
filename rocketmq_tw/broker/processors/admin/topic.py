"""
Handlers that create, change, delete and list topics.

Source: ``AdminBrokerProcessor`` and ``TopicConfigManager.updateTopicConfig`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.processors.admin.slices import encode_in_slices
from rocketmq_tw.broker.processors.admin.topic_pages import TopicPages
from rocketmq_tw.broker.tables.checks import (
    ALL_PERMISSIONS,
    MAX_QUEUES,
    check_range,
)
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topic_attributes import altered
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import (
    TopicConfig,
    TopicFilterType,
    check_topic_name,
    pop_retry_topic,
    pop_retry_topic_v2,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import all_of, then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.stats import TopicOffset, TopicStatsTable
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.topic import (
    CreateTopic,
    DeleteTopic,
    DeleteTopics,
    GetAllTopicConfig,
    GetBrokerSystemTopics,
    GetTopicConfig,
    GetTopicStats,
)

#: How many entries of the table of offsets are looked at in one step.
AT_ONCE = 10_000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables, gauges = broker.tables, broker.stats.gauges
    gauges["topics"] = lambda: len(tables.topics.table)
    gauges["topicsRefused"] = lambda: tables.topics.refused
    gauges["queues"] = lambda: tables.topics.queues.total
    gauges["queuesRefused"] = lambda: tables.topics.queues.refused
    TopicProcessor(
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        store=broker.store,
        broker_name=broker.config.broker_name,
        pacer=broker.pacer,
        new_topics=broker.new_topics,
        put_rate=broker.statistics.put_rate,
    ).routes(router)


class TopicProcessor:
    """
    Handles administration of topics.

    :param broker_name: becomes part of the message queues in responses.
    :param put_rate: returns how many messages a topic gets each second.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        groups: GroupTable,
        offsets: ConsumerOffsets,
        store: IMessageStore,
        broker_name: str,
        pacer: Pacer,
        new_topics: NewTopics,
        put_rate: Callable[[str], float],
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._store = store
        self._broker_name = broker_name
        self._pacer = pacer
        self._new_topics = new_topics
        self._put_rate = put_rate
        self._pages = TopicPages(topics, pacer)

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(CreateTopic, self._new_topics.holding(self.create))
        router.on(DeleteTopic, self.delete)
        router.on(DeleteTopics, self.delete_all)
        router.on(GetAllTopicConfig, self._pages.all)
        router.on(GetTopicConfig, self.get)
        router.on(GetTopicStats, self.stats)
        router.on(GetBrokerSystemTopics, self.system_topics)

    def create(self, request: CreateTopic, call: Call) -> Response | Deferred[Response]:
        """
        Create or change a topic; repeating the request changes nothing.

        :returns: the response, once a kill of the broker does not lose the topic.
        :raises IllegalTopic: the name is not legal.
        :raises SystemTopic: it is one of the broker's own.
        :raises Refused: a setting is invalid.
        """
        name = request.topic
        check_topic_name(name)
        self._topics.refuse_system(name)
        try:
            wanted = self._wanted(request)
        except BadField as error:
            raise Refused(ResponseCode.INVALID_PARAMETER, str(error)) from None
        self._topics.put(wanted)
        kept = self._topics.when_kept()
        return Response() if kept is None else kept.addCallback(lambda _: Response())

    def _wanted(self, request: CreateTopic) -> TopicConfig:
        """Return the requested settings. :raises BadField: one is invalid."""
        check_range("readQueueNums", request.read_queue_nums, MAX_QUEUES)
        check_range("writeQueueNums", request.write_queue_nums, MAX_QUEUES)
        check_range("perm", request.perm, ALL_PERMISSIONS)
        current = self._topics.get(request.topic)
        return TopicConfig(
            request.topic,
            request.read_queue_nums,
            request.write_queue_nums,
            request.perm,
            _filter_type(request.topic_filter_type),
            request.topic_sys_flag or 0,
            bool(request.order),
            altered(
                None if current is None else current.attributes, request.attributes
            ),
        )

    def delete(
        self, request: DeleteTopic, call: Call
    ) -> Response | Deferred[Response | None]:
        """
        Delete a topic, its queues and all groups' offsets in it; and the topics from
        which groups pop its messages again.

        The files of its queues are removed after the response.

        An unknown topic is not an error: remaining queues and offsets are removed.

        :raises IllegalTopic: the name is not legal.
        :raises SystemTopic: it is one of the broker's own.
        """
        name = request.topic
        check_topic_name(name)
        self._topics.refuse_system(name)
        return self._pacer.run(self._delete((name,)), call.peer)

    def delete_all(self, request: DeleteTopics, call: Call) -> Outcome:
        """
        Delete topics as :meth:`delete` does, or none if one may not be.

        :raises IllegalTopic: a name is not legal.
        :raises SystemTopic: one is the broker's own.
        :raises Refused: none is named.
        """
        body = request.body
        return self._pacer.run_for(body, self._delete_all(body), call.peer)

    def _delete_all(self, body: bytes) -> Steps[Response]:
        """Check the names in steps, then delete."""
        names = dict.fromkeys(TopicList.decode_request(body).topic_list)
        if not names:
            why = "The specified topic list is blank."
            raise Refused(ResponseCode.INVALID_PARAMETER, why)
        for some in parts_of(list(names), AT_ONCE):
            yield None
            for name in some:
                check_topic_name(name)
                self._topics.refuse_system(name)
        return (yield from self._delete(tuple(names)))

    def _delete(self, names: tuple[str, ...]) -> Steps[Response]:
        for name in names:
            retries = yield from self._retries(name)
            for each in (name, *retries):
                self._topics.delete(each)
                self._offsets.remove_topic(each)
                yield self._store.delete_topic(each)
        return Response()

    def _retries(self, topic: str) -> Steps[list[str]]:
        """Return the topics of messages of a topic that are popped again."""
        found: list[str] = []
        for at, keys in enumerate(parts_of(list(self._offsets.table), AT_ONCE)):
            if at:
                yield None
            for group in (group for known, group in keys if known == topic):
                found.append(pop_retry_topic_v2(group, topic))
                # In the older form it may be the retry topic of another group.
                if self._groups.get(f"{group}_{topic}") is None:
                    found.append(pop_retry_topic(group, topic))
        return [name for name in found if self._topics.get(name) is not None]

    def get(self, request: GetTopicConfig, call: Call) -> Response:
        """Return the settings of one topic."""
        config = self._topics.get(request.topic)
        if config is None:
            raise Refused(
                ResponseCode.TOPIC_NOT_EXIST,
                f"No topic in this broker. topic: {request.topic}",
            )
        return Response(body=fastjson.dumps(config))

    def stats(
        self, request: GetTopicStats, call: Call
    ) -> Response | Deferred[Response | None]:
        """Return the minimum and maximum offset of each readable or writeable queue."""
        return self._pacer.run(self._stats(request.topic), call.peer)

    def _stats(self, topic: str) -> Steps[Response]:
        """Encode the table."""
        config = self._topics.get(topic)
        if config is None:
            raise Refused(ResponseCode.TOPIC_NOT_EXIST, f"topic[{topic}] not exist")
        count = max(config.read_queue_nums, config.write_queue_nums)
        queues = (
            MessageQueue(topic, self._broker_name, queue_id)
            for queue_id in range(count)
        )
        rate = self._put_rate(topic)  # the same in all slices
        table = yield from encode_in_slices(
            queues, lambda some: self._encode_stats(some, rate)
        )
        return Response(body=table)

    def system_topics(self, request: GetBrokerSystemTopics, call: Call) -> Response:
        """Return the names of the system topics."""
        return Response(body=TopicList(tuple(sorted(self._topics.system))).encode())

    def _encode_stats(
        self, queues: list[MessageQueue], rate: float
    ) -> bytes | Deferred[bytes]:
        """Encode where some queues begin and end, and when they ended there."""
        times = all_of([self._last_time(queue) for queue in queues])
        return then(times, lambda times: self._stats_table(queues, times, rate))

    def _last_time(self, queue: MessageQueue) -> int | Deferred[int]:
        """
        Return when a queue's newest message was stored, in ms; 0 if there is none.
        """
        end = self._store.max_offset(queue.topic, queue.queue_id)
        if not end:
            return 0
        return self._store.store_time(queue.topic, queue.queue_id, end - 1)

    def _stats_table(
        self, queues: list[MessageQueue], times: list[int], rate: float
    ) -> bytes:
        """Encode the table; ``times`` are those of the queues' newest messages."""
        store, table = self._store, {}
        for queue, time_ms in zip(queues, times, strict=True):
            first = store.min_offset(queue.topic, queue.queue_id)
            end = store.max_offset(queue.topic, queue.queue_id)
            table[queue] = TopicOffset(first, end, max(0, time_ms))
        return TopicStatsTable(table, rate).encode()


def _filter_type(text: str | None) -> TopicFilterType:
    """Parse a filter type; the default is single tag."""
    try:
        return TopicFilterType(text or "SINGLE_TAG")
    except ValueError:
        expected = "SINGLE_TAG or MULTI_TAG"
        raise BadField("topicFilterType", str(text), expected) from None
