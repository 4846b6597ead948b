"""
Lets a group continue elsewhere: first a plan, then the change.

A plan says for each queue where the group is, where it will be, and how many messages
it skips or reads again. Brokers of 5.x reset offsets themselves, whatever consumers do
meanwhile; where a broker does not, and nobody of the group is connected, the offset is
committed as a consumer would. Brokers before 5.0 can only ask connected consumers to go
to a time, each in all of its queues; a number of an offset is refused there.

Source: ``AdminBrokerProcessor.resetOffset`` of RocketMQ 5 and 4.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.errors import AdminError, InvalidArgument
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.reading import QueuesReader, Spot
from rocketmq_tw.admin.results.groups import QueueReset, ResetDone, ResetPlan
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.offsets import ResetOffsetBody
from rocketmq_tw.wire.bodies.stats import ConsumeStats, TopicStatsTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.consumer import GetConsumeStats, ResetOffsets
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.topic import GetTopicStats

#: Where a group continues: a time, so long ago, ``earliest``, ``latest``, or an offset.
To = datetime | timedelta | str | int
#: The time in a request that a broker does not use.
_NO_TIME = -1
#: What brokers before 5.0 take for the ends of a queue.
_TIMES = {"earliest": 0, "latest": -1}


class Resets:
    """Plans and makes resets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._reader = QueuesReader(calls)

    async def plan(self, group: str, topic: str, to: To) -> ResetPlan:
        """
        Return what a reset would do.

        :raises NotFound: there is no such group or topic.
        :raises InvalidArgument: ``to`` is none of what it may be.
        """
        when = self._when(to)
        route = await Topics(self._calls).route(topic)
        members = await Groups(self._calls).members(group)
        brokers = self._calls.in_route(route)

        async def read(address: str) -> list[QueueReset]:
            return await self._of_broker(group, topic, when, address)

        asked = await self._calls.each(brokers.masters(), read)
        asked.need_one("no broker can be asked about the queues")
        queues = tuple(queue for each in asked.ok.values() for queue in each)
        return ResetPlan(
            group=group,
            topic=topic,
            to=when.isoformat() if isinstance(when, datetime) else str(when),
            queues=queues,
            skipped=sum(queue.skipped for queue in queues),
            again=sum(queue.again for queue in queues),
            online=len(members),
            failed={**brokers.without_master(), **asked.failed},
        )

    def _when(self, to: To) -> datetime | str | int:
        """Return a time, a word or an offset. :raises InvalidArgument: it is none."""
        if isinstance(to, timedelta):
            now = wall_time(self._calls.session.clock)()
            try:
                return datetime.fromtimestamp(now).astimezone() - to
            except OverflowError:
                raise InvalidArgument(f"{to.days} days ago is no time") from None
        if isinstance(to, str) and to not in ("earliest", "latest"):
            raise InvalidArgument(f'"{to}" is neither earliest nor latest')
        if isinstance(to, int) and to < 0:
            raise InvalidArgument(f"{to} is no queue offset")
        return to

    async def _of_broker(
        self, group: str, topic: str, when: datetime | str | int, address: str
    ) -> list[QueueReset]:
        """Plan the queues of one broker."""
        response = await self._calls.broker(address, GetTopicStats(topic=topic))
        bounds = TopicStatsTable.decode(response.body).offset_table
        response = await self._calls.broker(
            address, GetConsumeStats(consumer_group=group, topic=topic)
        )
        states = ConsumeStats.decode(response.body).offset_table
        planned = []
        for queue, ends in sorted(bounds.items()):
            spot = Spot(queue, address)
            target = await self._target(spot, when, ends.min_offset, ends.max_offset)
            state = states.get(queue)
            now = None if state is None else state.consumer_offset
            done = max(now or 0, ends.min_offset)
            planned.append(
                QueueReset(
                    topic=topic,
                    broker=queue.broker_name,
                    address=address,
                    queue_id=queue.queue_id,
                    now=now,
                    target=target,
                    skipped=max(target - done, 0),
                    again=max(done - target, 0),
                )
            )
        return planned

    async def _target(
        self, spot: Spot, when: datetime | str | int, low: int, high: int
    ) -> int:
        """Return where a group continues in a queue; always within the queue."""
        if when == "earliest":
            return low
        if when == "latest":
            return high
        if isinstance(when, datetime):
            return min(max(await self._reader.search(spot, when), low), high)
        assert isinstance(when, int)
        return min(max(when, low), high)

    # -- the change

    async def apply(self, plan: ResetPlan) -> ResetDone:
        """Make the resets of a plan; one that fails does not stop the others."""
        plan = await self._at_masters(plan)
        old = await self._before_5(plan) if plan.online else {}
        queues = {_name(queue): queue for queue in plan.queues}
        single = {name: name for name, q in queues.items() if q.broker not in old}
        moving = {q.broker: q.address for q in plan.queues if q.broker in old}

        async def reset(name: str) -> QueueReset:
            return await self._reset(plan.group, queues[name])

        async def move(address: str) -> list[QueueReset]:
            return await self._move(plan, address)

        done = await self._calls.each(single, reset)
        moved = await self._calls.each(moving, move)
        failed = {**plan.failed, **done.failed}
        for broker, why in moved.failed.items():
            failed.update({n: why for n, q in queues.items() if q.broker == broker})
        together = (queue for each in moved.ok.values() for queue in each)
        return ResetDone(plan.group, plan.topic, (*done.ok.values(), *together), failed)

    async def _at_masters(self, plan: ResetPlan) -> ResetPlan:
        """
        Return a plan without queues that are elsewhere.

        It may come from a browser, and be old: only masters of the topic are asked.
        """
        route = await Topics(self._calls).route(plan.topic)
        masters = self._calls.in_route(route).masters()
        here = tuple(q for q in plan.queues if masters.get(q.broker) == q.address)
        failed = {
            _name(queue): f"no master {queue.broker} of the topic is at"
            f" {queue.address} now; plan the reset again"
            for queue in plan.queues
            if masters.get(queue.broker) != queue.address
        }
        return msgspec.structs.replace(
            plan, queues=here, failed={**plan.failed, **failed}
        )

    async def _move(self, plan: ResetPlan, address: str) -> list[QueueReset]:
        """Let a broker before 5.0 ask the consumers to go to a time."""
        queues = [queue for queue in plan.queues if queue.address == address]
        request = ResetOffsets(
            topic=plan.topic, group=plan.group, timestamp=_time_of(plan.to)
        )
        try:
            response = await self._calls.broker(address, request)
        except BrokerError as error:
            if error.code != ResponseCode.CONSUMER_NOT_ONLINE:
                raise
            # Those who are connected to other brokers do not read these queues.
            for queue in queues:
                await self._commit(plan.group, queue)
            return queues
        table = ResetOffsetBody.decode(response.body).offset_table
        return [
            msgspec.structs.replace(queue, target=table.get(key, queue.target))
            for queue in queues
            for key in [MessageQueue(queue.topic, queue.broker, queue.queue_id)]
        ]

    async def _before_5(self, plan: ResetPlan) -> Mapping[str, str]:
        """Return the brokers before 5.0, with their versions."""

        async def version(address: str) -> str:
            response = await self._calls.broker(address, GetRuntimeInfo())
            table = KVTable.decode(response.body).table
            return table.get("brokerVersionDesc", "")

        targets = {queue.broker: queue.address for queue in plan.queues}
        asked = await self._calls.each(targets, version)
        return {
            broker: name
            for broker, name in asked.ok.items()
            if name.startswith(("V3", "V4"))
        }

    async def _reset(self, group: str, queue: QueueReset) -> QueueReset:
        """Reset one queue."""
        request = ResetOffsets(
            topic=queue.topic,
            group=group,
            timestamp=_NO_TIME,
            queue_id=queue.queue_id,
            offset=queue.target,
        )
        try:
            response = await self._calls.broker(queue.address, request)
        except BrokerError as error:
            if error.code != ResponseCode.CONSUMER_NOT_ONLINE:
                raise
            await self._commit(group, queue)
            return queue
        key = MessageQueue(queue.topic, queue.broker, queue.queue_id)
        table = ResetOffsetBody.decode(response.body).offset_table
        if table.get(key, queue.target) != queue.target:
            raise AdminError(f"the broker has set {table[key]} instead")
        return queue

    async def _commit(self, group: str, queue: QueueReset) -> None:
        """Commit an offset as a consumer of the group would."""
        request = UpdateConsumerOffset(
            consumer_group=group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            commit_offset=queue.target,
        )
        await self._calls.broker(queue.address, request)


def _name(queue: QueueReset) -> str:
    """Return how a queue is named in results."""
    return f"{queue.broker}/{queue.queue_id}"


def _time_of(to: str) -> int:
    """
    Return the time of a plan, in ms.

    :raises AdminError: it is a number of an offset.
    """
    if to in _TIMES:
        return _TIMES[to]
    try:
        return to_ms(datetime.fromisoformat(to))
    except ValueError:
        raise AdminError(
            "a broker before 5.0 can only let a group with connected consumers"
            " continue at a time; stop them first"
        ) from None
