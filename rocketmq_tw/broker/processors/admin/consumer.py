"""
Looking at consumer groups: how far they have read, and what their members report.

Source: ``AdminBrokerProcessor.getConsumeStats`` and ``getConsumerRunningInfo`` of
RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import BrokerError, Refused, TransportError
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import all_of, then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import GetConsumerRunningInfo, GetConsumeStats

#: Seconds that a client has to report, as in Apache RocketMQ.
REPORT_TIMEOUT = 10.0
#: ``V3_1_8``: older clients do not report.
FIRST_VERSION_THAT_REPORTS = 62


def install(broker: Broker, router: Router) -> None:
    """Handle these requests."""
    tables = broker.tables
    ConsumerProcessor(
        topics=tables.topics,
        offsets=tables.offsets,
        clients=tables.clients,
        store=broker.store,
        broker_name=broker.config.broker_name,
    ).routes(router)


class ConsumerProcessor:
    """
    Handles what administrators ask about consumers.

    :param broker_name: what this broker calls itself in names of queues.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        offsets: ConsumerOffsets,
        clients: ClientTable,
        store: IMessageStore,
        broker_name: str,
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._clients = clients
        self._store = store
        self._broker_name = broker_name

    def routes(self, router: Router) -> None:
        """Take these requests."""
        router.on(GetConsumeStats, self.stats)
        router.on(GetConsumerRunningInfo, self.running_info)

    def stats(
        self, request: GetConsumeStats, call: Call
    ) -> Response | Deferred[Response]:
        """
        Report for each queue to read where it ends and how far the group has read.

        A group that is unknown here has read nothing: its table is empty. What members
        have pulled and not yet committed is not known, nor is the group's rate.
        """
        group = request.consumer_group
        queues = [
            MessageQueue(topic, self._broker_name, queue_id)
            for topic in self._topics_of(request)
            for queue_id in range(self._read_queues(topic))
        ]
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
        return then(times, lambda times: self._stats_response(queues, read, times))

    def _topics_of(self, request: GetConsumeStats) -> list[str]:
        """List the topics asked for, else those that the group has offsets in."""
        if request.topic_list:
            return [topic for topic in request.topic_list.split(";") if topic]
        topics = [request.topic] if request.topic else []
        topics = topics or sorted(self._offsets.of_group(request.consumer_group))
        online = self._clients.consumer_group(request.consumer_group)
        if online is None or not online.subscriptions:
            return topics
        return [topic for topic in topics if topic in online.subscriptions]

    def _read_queues(self, topic: str) -> int:
        """Count the queues to read; a topic that is not here has none."""
        config = self._topics.get(topic)
        return 0 if config is None else config.read_queue_nums

    def _time_of_last(self, queue: MessageQueue, offset: int) -> int | Deferred[int]:
        """Find when the last message before an offset was stored, in ms; 0 if none."""
        if offset <= 0:
            return 0
        return self._store.store_time(queue.topic, queue.queue_id, offset - 1)

    def _stats_response(
        self, queues: list[MessageQueue], read: list[int], times: list[int]
    ) -> Response:
        """Describe how far a group is in some queues."""
        table = {}
        for queue, offset, time_ms in zip(queues, read, times, strict=True):
            end = self._store.max_offset(queue.topic, queue.queue_id)
            table[queue] = OffsetState(end, offset, offset, max(0, time_ms))
        return Response(body=ConsumeStats(table).encode())

    def running_info(
        self, request: GetConsumerRunningInfo, call: Call
    ) -> Deferred[Response]:
        """
        Ask a member for its report, and pass on what it responds.

        :raises Refused: it is not here, or too old to report.
        """
        member = self._member(request.consumer_group, request.client_id)
        report: Deferred[Response] = member.peer.call(request, REPORT_TIMEOUT)
        return report.addErrback(_passed_on, request)

    def _member(self, group: str, client_id: str) -> Client:
        """Find a member of a group."""
        online = self._clients.consumer_group(group)
        members = [] if online is None else list(online.members.values())
        member = next((each for each in members if each.client_id == client_id), None)
        if member is None:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{group}> <{client_id}> not online",
            )
        if member.version < FIRST_VERSION_THAT_REPORTS:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{client_id}> is too old to report what it does",
            )
        return member


def _passed_on(failure: Failure, request: GetConsumerRunningInfo) -> Any:
    """Pass on an error that a client responded with, or that it did not respond."""
    error = failure.value
    if isinstance(error, BrokerError):
        return Response(status=error.code, remark=error.remark)
    failure.trap(TransportError)
    raise Refused(
        ResponseCode.CONSUME_MSG_TIMEOUT,
        f"consumer <{request.consumer_group}> <{request.client_id}> did not report: "
        f"{error}",
    )
