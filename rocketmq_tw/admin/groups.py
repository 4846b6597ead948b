"""
Consumer groups: their list, settings, members and how far they have read.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5. It asks the brokers in the route of the
group's retry topic; here all brokers are asked, for a group without consumers has no
such topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NothingResponded
from rocketmq_tw.admin.members import decode_members, members_in_steps
from rocketmq_tw.admin.results.groups import (
    GroupDetails,
    GroupLag,
    GroupLags,
    GroupOnBroker,
    GroupSummary,
    Member,
    ResetDone,
    ResetPlan,
)
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.tables import decode_table
from rocketmq_tw.model.group import (
    PREDEFINED_GROUPS,
    SYSTEM_GROUP_PREFIX,
    SubscriptionGroup,
)
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.stats import ConsumeStats
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import GetConsumeStats
from rocketmq_tw.wire.requests.group import GetAllGroups, QueryTopicsOfGroup
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections

if TYPE_CHECKING:
    from rocketmq_tw.admin.group_changes import GroupSettings
    from rocketmq_tw.admin.resets import To

#: Brokers say so of a group that they do not know.
UNKNOWN_GROUP = (
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
    ResponseCode.QUERY_NOT_FOUND,
)
#: Groups of a list that are put together in one step, of some 2 ms.
_AT_A_STRETCH = 400
#: Brokers say so of a group without a connected consumer.
_OFFLINE = ResponseCode.CONSUMER_NOT_ONLINE


class Groups:
    """What an administrator does with consumer groups."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def list(self, with_system: bool = False) -> Listing[GroupSummary]:
        """
        Return the groups that brokers know, sorted by name.

        :param with_system: also those that brokers have for themselves.
        :raises NothingResponded: no broker has responded.
        """
        brokers = await self._calls.registered()
        tables = await group_tables(self._calls, brokers.readers())
        tables.need_one("the groups cannot be listed")
        listed = await self._calls.in_steps(_summaries(tables.ok, with_system))
        return Listing(listed, tables.failed)

    @returning_deferred
    async def get(self, group: str) -> GroupDetails:
        """
        Return the settings of a group at each broker, and the topics it has read.

        :raises NotFound: no broker knows it.
        """
        targets = (await self._calls.registered()).readers()
        settings = await self.settings(group, targets)

        async def topics(address: str) -> Iterable[str]:
            return await self._topics(group, address)

        known = {who: targets[who] for who in settings.ok}
        read = await self._calls.each(known, topics)
        names = {topic for each in read.ok.values() for topic in each}
        return GroupDetails(
            group,
            tuple(
                _on_broker(who, targets[who], each) for who, each in settings.ok.items()
            ),
            tuple(sorted(names)),
            {**settings.failed, **read.without(*UNKNOWN_GROUP).failed},
        )

    async def _topics(self, group: str, address: str) -> Iterable[str]:
        """
        Ask a broker in which topics a group has offsets.

        Brokers of 4.x do not say that, but what these offsets are.
        """
        try:
            response = await self._calls.broker(
                address, QueryTopicsOfGroup(group=group)
            )
        except BrokerError as error:
            if error.code != ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
                raise
            request = GetConsumeStats(consumer_group=group)
            response = await self._calls.broker(address, request)
            queues = ConsumeStats.decode(response.body).offset_table
            return {queue.topic for queue in queues}
        return TopicList.decode(response.body).topic_list

    async def settings(
        self, group: str, targets: Mapping[str, str]
    ) -> Outcomes[SubscriptionGroup]:
        """
        Ask brokers for their settings of a group.

        :raises NotFound: none knows it.
        :raises NothingResponded: there is none, or some that cannot say.
        """
        what = f'the group "{group}" cannot be read'
        if not targets:
            raise NothingResponded(what, {})
        found = await find_group(self._calls, group, targets)
        found.need_known(what, "group", group)
        return found

    # -- members and offsets

    @returning_deferred
    async def members(self, group: str) -> Listing[Member]:
        """
        Return the connected consumers of a group, sorted by client id; none if it is
        offline.

        :raises NotFound: no broker knows the group.
        """
        targets = (await self._calls.registered()).readers()
        found = await self.connections(group, targets)
        if not found.ok:
            await self.settings(group, targets)
            if found.errors:
                found.need_one(f'the members of "{group}" cannot be listed')
        members = await self._calls.in_steps(members_in_steps(found.ok))
        return Listing(members, found.failed)

    async def connections(
        self, group: str, targets: Mapping[str, str]
    ) -> Outcomes[ConsumerConnection]:
        """Ask brokers who is connected."""

        async def read(address: str) -> ConsumerConnection:
            request = GetConsumerConnections(consumer_group=group)
            response = await self._calls.broker(address, request)
            return await self._calls.in_steps(decode_members(response.body))

        asked = await self._calls.each(targets, read)
        return asked.without(_OFFLINE, *UNKNOWN_GROUP)

    @returning_deferred
    async def lag(
        self,
        group: str,
        topic: str | None = None,
        *,
        owners: bool = False,
        exists: bool = False,
    ) -> GroupLag:
        """
        Return how far a group has read, queue by queue.

        :param topic: only of this topic.
        :param exists: it is known that the group exists, as it was just listed. Brokers
            are asked for all their groups otherwise, if it has read nothing.
        :param owners: also ask each member which queues it reads; those that have not
            responded after a second are named in ``unresponsive``.
        :raises NotFound: no broker knows the group, or it has not read the topic.
        """
        from rocketmq_tw.admin.lags import Lags

        lags = Lags(self._calls)
        if exists:
            return await lags.look(group, topic, owners=owners)
        return await lags.of(group, topic, owners=owners)

    @returning_deferred
    async def lags(self) -> GroupLags:
        """
        Return how far all groups have read, the one with the largest lag first.

        It takes two requests for each group and broker.
        """
        from rocketmq_tw.admin.lags import Lags

        return await Lags(self._calls).of_all()

    # -- changes

    @returning_deferred
    async def create(
        self,
        group: str,
        settings: GroupSettings | None = None,
        *,
        cluster: str | None = None,
    ) -> Changed:
        """
        Create a group at the masters of a cluster, or at all.

        :raises IllegalGroup: the name is not legal.
        :raises AlreadyExists: one of the brokers has it.
        :raises NotFound: there is no such cluster.
        """
        from rocketmq_tw.admin.group_changes import GroupChanges, GroupSettings

        given = settings or GroupSettings()
        return await GroupChanges(self._calls).create(group, given, cluster)

    @returning_deferred
    async def update(self, group: str, settings: GroupSettings) -> Changed:
        """
        Change a group at all brokers that have it; the rest of it stays as it is.

        :raises NotFound: none has it.
        """
        from rocketmq_tw.admin.group_changes import GroupChanges

        return await GroupChanges(self._calls).update(group, settings)

    @returning_deferred
    async def delete(self, group: str, *, while_online: bool = False) -> Changed:
        """
        Delete a group, its offsets, and its topics of retries and dead letters.

        :param while_online: even if consumers are connected, which may create it again.
        :raises NotFound: no broker has it.
        :raises AdminError: consumers are connected.
        """
        from rocketmq_tw.admin.group_changes import GroupChanges

        changes = GroupChanges(self._calls)
        return await changes.delete(group, while_online=while_online)

    @returning_deferred
    async def clone(
        self, source: str, target: str, topic: str | None = None
    ) -> Changed:
        """
        Copy the offsets of a group to another one, in one topic or in all.

        :returns: the topics that were copied.
        :raises NotFound: one of the groups does not exist, or has not read the topic.
        """
        from rocketmq_tw.admin.group_changes import GroupChanges

        return await GroupChanges(self._calls).clone(source, target, topic)

    @returning_deferred
    async def plan_reset(self, group: str, topic: str, to: To) -> ResetPlan:
        """
        Return what a reset would do, queue by queue.

        :param to: where the group continues: a ``datetime``, a ``timedelta`` ago,
            ``earliest``, ``latest``, or a queue offset.
        :raises NotFound: there is no such group or topic.
        """
        from rocketmq_tw.admin.resets import Resets

        return await Resets(self._calls).plan(group, topic, to)

    @returning_deferred
    async def reset(self, plan: ResetPlan) -> ResetDone:
        """Make the resets of a plan; one that fails does not stop the others."""
        from rocketmq_tw.admin.resets import Resets

        return await Resets(self._calls).apply(plan)


async def group_tables(
    calls: Calls, targets: Mapping[str, str]
) -> Outcomes[dict[str, SubscriptionGroup]]:
    """Ask brokers for all their groups."""

    async def read(address: str) -> dict[str, SubscriptionGroup]:
        response = await calls.broker(address, GetAllGroups())
        member, kind = "subscriptionGroupTable", SubscriptionGroupTable
        steps = decode_table(response.body, member, SubscriptionGroup, kind)
        return await calls.in_steps(steps)

    return await calls.each(targets, read)


async def find_group(
    calls: Calls, group: str, targets: Mapping[str, str]
) -> Outcomes[SubscriptionGroup]:
    """
    Return the settings of a group at the brokers that know it.

    They are asked for all their groups: a broker of Apache RocketMQ that is asked for
    one creates it.
    """
    tables = await group_tables(calls, targets)
    known = {who: table[group] for who, table in tables.ok.items() if group in table}
    return Outcomes(known, tables.errors)


def is_system(group: str) -> bool:
    """Return whether it is a group that brokers have for themselves."""
    return group in PREDEFINED_GROUPS or group.startswith(SYSTEM_GROUP_PREFIX)


def _summaries(
    tables: Mapping[str, Mapping[str, SubscriptionGroup]], with_system: bool
) -> Steps[list[GroupSummary]]:
    """Return the groups of all brokers for the list, sorted by name."""
    names: set[str] = set()
    for table in tables.values():
        names.update(table)
        yield None
    listed = []
    for some in parts_of(sorted(names), _AT_A_STRETCH):
        for name in some:
            if with_system or not is_system(name):
                known = {
                    who: tables[who][name] for who in tables if name in tables[who]
                }
                listed.append(_summary(name, known))
        yield None
    return listed


def _summary(name: str, brokers: Mapping[str, SubscriptionGroup]) -> GroupSummary:
    """Return a group for the list."""
    groups = list(brokers.values())
    return GroupSummary(
        name,
        is_system(name),
        tuple(brokers),
        all(group.consume_enable for group in groups),
        any(group.consume_message_orderly for group in groups),
        max(group.retry_max_times for group in groups),
    )


def _on_broker(broker: str, address: str, group: SubscriptionGroup) -> GroupOnBroker:
    """Return the settings of a group at a broker."""
    return GroupOnBroker(
        broker=broker,
        address=address,
        may_consume=group.consume_enable,
        may_broadcast=group.consume_broadcast_enable,
        may_consume_from_min=group.consume_from_min_enable,
        ordered=group.consume_message_orderly,
        retry_queues=group.retry_queue_nums,
        max_retries=group.retry_max_times,
        consume_timeout_minutes=group.consume_timeout_minute,
        attributes=group.attributes,
    )
