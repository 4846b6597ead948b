"""
How far groups have read.

Source: ``DefaultMQAdminExtImpl.examineConsumeStats`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.admin.clients import running_info
from rocketmq_tw.admin.errors import AdminError, NotFound
from rocketmq_tw.admin.groups import UNKNOWN_GROUP, Groups
from rocketmq_tw.admin.members import members_in_steps
from rocketmq_tw.admin.results.groups import GroupLag, GroupLags, Member, QueueLag
from rocketmq_tw.admin.texts import at
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import GetConsumeStats

#: Seconds in which the members of a group say which queues they read, all together: a
#: table must not wait for one that is hung.
OWNERS_WAIT = 1.0
#: How many members are asked at the same time.
_OWNERS_PARALLEL = 64


class Lags:
    """Asks brokers how far groups have read."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._groups = Groups(calls)

    async def of(
        self, group: str, topic: str | None = None, *, owners: bool = False
    ) -> GroupLag:
        """Return the lag of a group; see ``groups.lag``."""
        found = await self.look(group, topic, owners=owners)
        if not found.queues:
            targets = (await self._calls.registered()).readers()
            await self._groups.settings(group, targets)
            if topic is not None and not found.failed:
                raise NotFound("topic", topic, f'"{group}" has not read it')
        return found

    async def look(
        self, group: str, topic: str | None = None, *, owners: bool = False
    ) -> GroupLag:
        """Return the lag of a group that exists; without queues if it has read none."""
        targets = (await self._calls.registered()).readers()
        stats = await self._stats(group, targets, topic)
        connections = await self._groups.connections(group, targets)
        tables = list(stats.ok.values())
        if topic is None:
            tables += await self._uncommitted(group, targets, tables, connections)
        queues = _queues(tables, topic)
        if stats.errors:
            stats.need_one(f'the offsets of "{group}" cannot be read')
        members = await self._calls.in_steps(members_in_steps(connections.ok))
        unresponsive: dict[str, str] = {}
        if owners:
            readers = [each for each in members if each.model != "broadcasting"]
            owned = await self._owned(group, targets, readers)
            queues = _with_owners(queues, owned.ok, is_complete=not owned.errors)
            unresponsive = owned.failed
        return GroupLag(
            group,
            queues,
            sum(queue.lag for queue in queues),
            sum(queue.in_flight for queue in queues),
            sum(each.consume_tps for each in stats.ok.values()),
            len(members),
            {**connections.failed, **stats.failed},
            unresponsive,
        )

    async def of_all(self) -> GroupLags:
        """Return the lag of all groups; see ``groups.lags``."""
        listed = await self._groups.list()
        names = [group.name for group in listed]

        async def one(group: str) -> GroupLag:
            found = await self.look(group)
            return msgspec.structs.replace(found, queues=())

        asked = await self._calls.each({name: name for name in names}, one)
        failed = {**listed.failed, **asked.failed}
        for group, each in asked.ok.items():
            failed.update({f"{group} at {w}": why for w, why in each.failed.items()})
        groups = sorted(asked.ok.values(), key=lambda each: (-each.total, each.group))
        return GroupLags(tuple(groups), failed)

    async def _owned(
        self, group: str, targets: Mapping[str, str], members: Iterable[Member]
    ) -> Outcomes[set[MessageQueue]]:
        """Ask members which queues they read, each through one of its brokers."""
        addresses = {each.client_id: targets[each.brokers[0]] for each in members}
        clock = self._calls.session.clock
        limit = min(OWNERS_WAIT, self._calls.timeout)
        end = clock.seconds() + limit

        async def read(client_id: str) -> set[MessageQueue]:
            left = end - clock.seconds()
            if left <= 0:
                raise AdminError("it was not asked: others took too long")
            address = addresses[client_id]
            try:
                info = await running_info(
                    self._calls, address, group, client_id, timeout=left
                )
            except RequestTimeout:
                raise AdminError(f"no response within {limit:g} s") from None
            return {
                queue for queue, state in info.mq_table.items() if not state.dropped
            }

        names = {each: each for each in addresses}
        return await self._calls.each(names, read, _OWNERS_PARALLEL)

    async def _stats(
        self, group: str, targets: Mapping[str, str], topic: str | None
    ) -> Outcomes[ConsumeStats]:
        """Ask brokers how far a group has read."""

        async def read(address: str) -> ConsumeStats:
            request = GetConsumeStats(consumer_group=group, topic=topic)
            response = await self._calls.broker(address, request)
            return ConsumeStats.decode(response.body)

        asked = await self._calls.each(targets, read)
        return asked.without(*UNKNOWN_GROUP, ResponseCode.TOPIC_NOT_EXIST)

    async def _uncommitted(
        self,
        group: str,
        targets: Mapping[str, str],
        known: Iterable[ConsumeStats],
        connections: Outcomes[ConsumerConnection],
    ) -> list[ConsumeStats]:
        """
        Ask about topics to which a group subscribes, and where it has no offset yet.

        Brokers leave them out; so a handler that hangs at the first message would
        have no lag.
        """
        seen = {queue.topic for each in known for queue in each.offset_table}
        subscribed = {
            topic
            for each in connections.ok.values()
            for topic in each.subscription_table
            if topic not in seen and not is_retry(topic)
        }
        found: list[ConsumeStats] = []
        for topic in sorted(subscribed):
            asked = await self._stats(group, targets, topic)
            found += asked.ok.values()
        return found


def _queues(stats: Iterable[ConsumeStats], topic: str | None) -> tuple[QueueLag, ...]:
    """Return the queues of all brokers, sorted."""
    found = {
        queue: state
        for each in stats
        for queue, state in each.offset_table.items()
        if topic in (None, queue.topic)
    }
    return tuple(_lag(queue, state) for queue, state in sorted(found.items()))


def _with_owners(
    queues: Iterable[QueueLag],
    owned: Mapping[str, set[MessageQueue]],
    *,
    is_complete: bool,
) -> tuple[QueueLag, ...]:
    """
    Return queues with the clients that read them: two, if one takes it over now.

    :param is_complete: whether all members have said what they read.
    """
    owners: dict[MessageQueue, list[str]] = {}
    for client_id, read in owned.items():
        for queue in read:
            owners.setdefault(queue, []).append(client_id)
    return tuple(
        msgspec.structs.replace(each, owner=", ".join(sorted(found)))
        if (found := owners.get(MessageQueue(each.topic, each.broker, each.queue_id)))
        else msgspec.structs.replace(each, owner_unknown=not is_complete)
        for each in queues
    )


def _lag(queue: MessageQueue, state: OffsetState) -> QueueLag:
    """Return the lag of one queue."""
    return QueueLag(
        topic=queue.topic,
        broker=queue.broker_name,
        queue_id=queue.queue_id,
        max=state.broker_offset,
        committed=state.consumer_offset,
        lag=max(state.broker_offset - state.consumer_offset, 0),
        in_flight=max(state.pull_offset - state.consumer_offset, 0),
        last_consumed=at(state.last_timestamp),
    )
