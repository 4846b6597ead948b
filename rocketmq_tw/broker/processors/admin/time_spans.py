"""
Shows of which times the messages in a topic's queues are, and how late a group is.

Source: ``AdminBrokerProcessor.queryConsumeTimeSpan`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.slices import QUEUES
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of, result_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import all_of
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.stats import QueryConsumeTimeSpanBody, QueueTimeSpan
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import QueryConsumeTimeSpan

#: How many queues are looked at in one step; each needs four times.
AT_ONCE = QUEUES // 4
_NO_SPANS = b'"consumeTimeSpanSet":[]'


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    tables = broker.tables
    TimeSpanProcessor(
        topics=tables.topics,
        offsets=tables.offsets,
        store=broker.store,
        broker_name=broker.config.broker_name,
        pacer=broker.pacer,
    ).routes(router)


class TimeSpanProcessor:
    """
    Handles requests for the times of messages.

    :param broker_name: becomes part of the message queues in responses.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        offsets: ConsumerOffsets,
        store: IMessageStore,
        broker_name: str,
        pacer: Pacer,
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._store = store
        self._broker_name = broker_name
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(QueryConsumeTimeSpan, self.spans)

    def spans(self, request: QueryConsumeTimeSpan, call: Call) -> Outcome:
        """
        Return the times of each queue's first, last and last consumed message.

        :raises TopicNotExist: there is no such topic.
        """
        count = self._topics.require(request.topic).write_queue_nums
        now_ms = int(call.received_at * 1000)
        return self._pacer.run(self._spans(request, count, now_ms), call.peer)

    def _spans(
        self, request: QueryConsumeTimeSpan, count: int, now_ms: int
    ) -> Steps[Response]:
        """Look up the times of some queues after others, and encode them."""
        pieces: list[bytes] = []
        for some in parts_of(range(count), AT_ONCE):
            found = [self._times(request, queue_id) for queue_id in some]
            times = yield from result_of(
                all_of([each for four in found for each in four])
            )
            for number, queue_id in enumerate(some):
                span = self._span(request, queue_id, now_ms, times[number * 4 :])
                pieces.append(fastjson.dumps(span))
            yield None
        body = fill(QueryConsumeTimeSpanBody().encode(), _NO_SPANS, pieces)
        return Response(body=body)

    def _times(
        self, request: QueryConsumeTimeSpan, queue_id: int
    ) -> list[int | Deferred[int]]:
        """Look up when the first, last, last consumed and next message were stored."""
        store, topic = self._store, request.topic
        read = self._offsets.query(request.group, topic, queue_id) or 0
        offsets = (
            store.min_offset(topic, queue_id),
            store.max_offset(topic, queue_id) - 1,
            read - 1,
            read,
        )
        return [store.store_time(topic, queue_id, each) for each in offsets]

    def _span(
        self,
        request: QueryConsumeTimeSpan,
        queue_id: int,
        now_ms: int,
        times: list[int],
    ) -> QueueTimeSpan:
        """Return what is said of a queue; a group that read nothing is at its start."""
        first, last, consumed, following = times[:4]
        return QueueTimeSpan(
            message_queue=MessageQueue(request.topic, self._broker_name, queue_id),
            min_time_stamp=first,
            max_time_stamp=last,
            consume_time_stamp=first if consumed < 0 else consumed,
            delay_time=0 if following < 0 else max(0, now_ms - following),
        )
