"""
Resets the offsets of consumer groups, and copies them to other groups.

A reset takes effect in the broker, whatever the group's members do; or, with
``useServerSideResetOffset=false``, in the members that are connected.

Source: ``AdminBrokerProcessor.resetOffset`` and ``cloneGroupOffset`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.processors.admin.pushed_resets import PushedResets
from rocketmq_tw.broker.processors.admin.slices import QUEUES, encode_in_slices
from rocketmq_tw.broker.tables.clients import Client, ClientTable
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
        pushed=None
        if broker.config.use_server_side_reset_offset
        else PushedResets(tables.clients),
        pacer=broker.pacer,
    ).routes(router)
    resets = tables.offsets.resets
    broker.stats.gauges["pendingOffsetResets"] = lambda: len(resets)


class ResetProcessor:
    """
    Handles requests that change the offsets of groups.

    :param broker_name: becomes part of the message queues in responses.
    :param is_slave: offsets come from the master, so they are not changed here.
    :param pushed: has the members of groups reset their offsets; None if the broker
        resets them.
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
        pushed: PushedResets | None,
        pacer: Pacer,
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._clients = clients
        self._store = store
        self._broker_name = broker_name
        self._is_slave = is_slave
        self._pushed = pushed
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(ResetOffsets, self.reset)
        router.on(CloneGroupOffsets, self.clone)

    def reset(self, request: ResetOffsets, call: Call) -> Outcome:
        """
        Let a group continue at other offsets, from its next pulls on.

        Its members need not be online, nor know anything of resets, unless they are to
        reset their offsets themselves.

        :raises TopicNotExist: there is no such topic.
        :raises Refused: there is no such group, the broker is a slave, or the offset is
            not in the queue, or no member is there to reset its offsets.
        """
        self._check_writeable()
        topic = self._topics.require(request.topic)
        self._check_group(request.group)
        queue_ids: Sequence[int] = range(topic.read_queue_nums)
        if request.queue_id >= 0:
            self._check_queue(request, queue_ids)
            queue_ids = (request.queue_id,)
        queues = (
            MessageQueue(request.topic, self._broker_name, queue_id)
            for queue_id in queue_ids
        )
        if self._pushed is None:
            return self._pacer.run(self._resetting(request, queues), call.peer)
        members = self._pushed.members(request)
        steps = self._pushing(request, queues, self._pushed, members)
        return self._pacer.run(steps, call.peer)

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
            raise Refused(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"Group {group} does not exist",
            )

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
        self, request: ResetOffsets, queues: Iterable[MessageQueue]
    ) -> Steps[Response]:
        """Reset the offsets of some queues, and encode them."""

        def apply(queue: MessageQueue, offset: int) -> int:
            self._offsets.reset(request.group, request.topic, queue.queue_id, offset)
            return offset

        body = yield from self._encode(request, queues, apply)
        return Response(body=body)

    def _pushing(
        self,
        request: ResetOffsets,
        queues: Iterable[MessageQueue],
        pushed: PushedResets,
        members: list[Client],
    ) -> Steps[Response]:
        """Have members reset the offsets of some queues, and encode them."""
        table: dict[MessageQueue, int] = {}

        def apply(queue: MessageQueue, offset: int) -> int:
            table[queue] = self._not_ahead(request, queue, offset)
            return table[queue]

        body = yield from self._encode(request, queues, apply)
        yield from pushed.push(request, members, table, body)
        return Response(body=body)

    def _not_ahead(
        self, request: ResetOffsets, queue: MessageQueue, offset: int
    ) -> int:
        """
        Return an offset, or how far the group is if that is less.

        :raises Refused: it has not committed one, so it is not known.
        """
        known = self._offsets.query(request.group, request.topic, queue.queue_id)
        if known is None:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"The consumer group <{request.group}> not exist: it has committed no"
                f" offset of queue {queue.queue_id} of {request.topic}",
            )
        return offset if request.is_force else min(offset, known)

    def _encode(
        self,
        request: ResetOffsets,
        queues: Iterable[MessageQueue],
        apply: Callable[[MessageQueue, int], int],
    ) -> Steps[bytes]:
        """
        Find from where to continue in some queues, apply that, and encode it.

        :param apply: takes a queue and its offset, and returns the offset to encode.
        """

        def encode(some: list[MessageQueue]) -> bytes | Deferred[bytes]:
            targets = all_of([self._target(request, each.queue_id) for each in some])

            def applied(offsets: list[int]) -> bytes:
                table = dict(zip(some, map(apply, some, offsets), strict=True))
                return ResetOffsetBody(table).encode()

            return then(targets, applied)

        return (yield from encode_in_slices(queues, encode))

    def _target(self, request: ResetOffsets, queue_id: int) -> int | Deferred[int]:
        """Return from where to continue in a queue."""
        if request.offset is not None and request.queue_id >= 0:
            return request.offset
        if request.timestamp < 0:
            return self._store.max_offset(request.topic, queue_id)
        return self._store.offset_by_time(request.topic, queue_id, request.timestamp)

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
