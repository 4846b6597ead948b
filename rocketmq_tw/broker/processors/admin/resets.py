"""
Resets the offsets of consumer groups, and copies them to other groups.

Source: ``AdminBrokerProcessor.resetOffset`` and ``cloneGroupOffset`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.errors import GroupNotExist
from rocketmq_tw.broker.processors.admin.slices import QUEUES, encode_in_slices
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import RETRY_PREFIX
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import all_of, then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.offsets import ResetOffsetBody
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import CloneGroupOffsets, ResetOffsets


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables = broker.tables
    ResetProcessor(
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        clients=tables.clients,
        store=broker.store,
        broker_name=broker.config.broker_name,
        is_slave=broker.config.is_slave,
        pacer=broker.pacer,
    ).routes(router)
    resets = tables.offsets.resets
    broker.stats.gauges["pendingOffsetResets"] = lambda: len(resets)


class ResetProcessor:
    """
    Handles requests that change the offsets of groups.

    :param broker_name: becomes part of the message queues in responses.
    :param is_slave: offsets come from the master, so they are not changed here.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        groups: GroupTable,
        offsets: ConsumerOffsets,
        clients: ClientTable,
        store: IMessageStore,
        broker_name: str,
        is_slave: bool,
        pacer: Pacer,
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._clients = clients
        self._store = store
        self._broker_name = broker_name
        self._is_slave = is_slave
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(ResetOffsets, self.reset)
        router.on(CloneGroupOffsets, self.clone)

    def reset(self, request: ResetOffsets, call: Call) -> Outcome:
        """
        Let a group continue at other offsets, from its next pulls on.

        Its members need not be online, nor know anything of resets.

        :raises TopicNotExist: there is no such topic.
        :raises GroupNotExist: there is no such group.
        :raises Refused: the broker is a slave, or the offset is not in the queue.
        """
        self._check_writeable()
        topic = self._topics.require(request.topic)
        self._check_group(request.group)
        queue_ids: Sequence[int] = range(topic.read_queue_nums)
        if request.queue_id >= 0:
            self._check_queue(request, queue_ids)
            queue_ids = (request.queue_id,)
        return self._pacer.run(self._resetting(request, queue_ids), call.peer)

    def _check_writeable(self) -> None:
        """Refuse at a slave."""
        if self._is_slave:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                "Can not reset offset in slave broker: it copies those of its master",
            )

    def _check_group(self, group: str) -> None:
        """Refuse for an unknown group, which is not created."""
        if self._groups.get(group) is None:
            raise GroupNotExist(group)

    def _check_queue(self, request: ResetOffsets, queue_ids: Sequence[int]) -> None:
        """Refuse a queue, or an offset in it, that there is not."""
        topic, queue_id, offset = request.topic, request.queue_id, request.offset
        if queue_id not in queue_ids:
            raise Refused(
                ResponseCode.INVALID_PARAMETER,
                f"queueId[{queue_id}] is illegal, topic:[{topic}] has"
                f" {len(queue_ids)} queues to read, numbered from 0",
            )
        low = self._store.min_offset(topic, queue_id)
        high = self._store.max_offset(topic, queue_id)
        if offset is not None and not low <= offset <= high:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"Target offset {offset} not in consume queue range [{low}-{high}]",
            )

    def _resetting(
        self, request: ResetOffsets, queue_ids: Sequence[int]
    ) -> Steps[Response]:
        """Reset the offsets of some queues, and encode them."""
        queues = (
            MessageQueue(request.topic, self._broker_name, queue_id)
            for queue_id in queue_ids
        )
        table = yield from encode_in_slices(
            queues, lambda some: self._reset_some(request, some)
        )
        return Response(body=table)

    def _reset_some(
        self, request: ResetOffsets, queues: list[MessageQueue]
    ) -> bytes | Deferred[bytes]:
        """Reset the offsets of some queues."""
        targets = all_of([self._target(request, each.queue_id) for each in queues])
        return then(targets, lambda offsets: self._apply(request, queues, offsets))

    def _target(self, request: ResetOffsets, queue_id: int) -> int | Deferred[int]:
        """Return from where to continue in a queue."""
        if request.offset is not None and request.queue_id >= 0:
            return request.offset
        if request.timestamp < 0:
            return self._store.max_offset(request.topic, queue_id)
        return self._store.offset_by_time(request.topic, queue_id, request.timestamp)

    def _apply(
        self, request: ResetOffsets, queues: list[MessageQueue], offsets: list[int]
    ) -> bytes:
        """Keep the offsets of some queues, and encode them."""
        table = dict(zip(queues, offsets, strict=True))
        for queue, offset in table.items():
            self._offsets.reset(request.group, request.topic, queue.queue_id, offset)
        return ResetOffsetBody(table).encode()

    def clone(self, request: CloneGroupOffsets, call: Call) -> Outcome:
        """
        Copy the offsets of a group, in one topic or in all, to another group.

        Topics to which the group's members do not subscribe are left out, unless the
        request says that the group is offline.

        :raises GroupNotExist: there is no such group to copy to.
        """
        self._check_writeable()
        self._check_group(request.dest_group)
        return self._pacer.run(self._cloning(request), call.peer)

    def _cloning(self, request: CloneGroupOffsets) -> Steps[Response]:
        """Copy the offsets of a group in steps."""
        known = self._offsets.of_group(request.src_group)
        left = iter(
            [
                (topic, queue_id, offset)
                for topic, offsets in known.items()
                if self._is_cloned(request, topic)
                for queue_id, offset in offsets.items()
            ]
        )
        while some := list(islice(left, QUEUES)):
            for topic, queue_id, offset in some:
                self._offsets.commit(request.dest_group, topic, queue_id, offset)
            yield None
        return Response()

    def _is_cloned(self, request: CloneGroupOffsets, topic: str) -> bool:
        """Return whether the offsets in a topic are to be copied."""
        # The retry topic of a group is its own.
        if topic.startswith(RETRY_PREFIX) or topic != (request.topic or topic):
            return False
        online = self._clients.consumer_group(request.src_group)
        return request.offline or online is None or topic in online.subscriptions
