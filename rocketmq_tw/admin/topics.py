"""
Topics: their list, settings, queues, consumers and producers.

Source: ``DefaultMQAdminExtImpl`` of RocketMQ 5 for which server is asked for what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.results.clients import ClientSummary
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import (
    Changed,
    Kind,
    QueueStats,
    TopicDetails,
    TopicOnBroker,
    TopicStats,
    TopicSummary,
)
from rocketmq_tw.admin.tables import decode_table
from rocketmq_tw.admin.texts import at
from rocketmq_tw.model.topic import (
    PERM_READ,
    PERM_WRITE,
    SYSTEM_PREFIX,
    SYSTEM_TOPICS,
    TopicConfig,
    is_dlq,
    is_retry,
    reply_topic,
)
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.wire.bodies.groups import GroupList
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.bodies.stats import TopicStatsTable
from rocketmq_tw.wire.bodies.topics import TopicConfigTable, TopicList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.group import QueryGroupsOfTopic
from rocketmq_tw.wire.requests.route import GetAllTopics, GetRoute, GetSystemTopics
from rocketmq_tw.wire.requests.topic import (
    GetAllTopicConfig,
    GetTopicStats,
)

if TYPE_CHECKING:
    from rocketmq_tw.admin.topic_changes import TopicSettings
    from rocketmq_tw.model.route import TopicRoute

#: The attribute with the type of a topic's messages.
MESSAGE_TYPE = "message.type"
#: The type of a topic without that attribute.
DEFAULT_TYPE = "NORMAL"

#: Topics of a list that are put together in one step, of some 2 ms.
_AT_A_STRETCH = 400


class Topics:
    """What an administrator does with topics."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @returning_deferred
    async def list(
        self, with_system: bool = False, with_settings: bool = False
    ) -> Listing[TopicSummary]:
        """
        Return the topics that the name servers know, sorted by name.

        :param with_system: also those of brokers, and those of groups: for messages to
            retry, and for dead letters.
        :param with_settings: ask a broker of each name for its topics, too.
        """
        names = TopicList.decode((await self._calls.name_server(GetAllTopics())).body)
        system = TopicList.decode(
            (await self._calls.name_server(GetSystemTopics())).body
        )
        brokers = await self._calls.registered()
        reserved = reserved_by((*system.topic_list, *brokers.clusters))
        targets = brokers.readers() if with_settings else {}
        tables = await self._tables(targets)
        steps = _summaries(set(names.topic_list), reserved, tables.ok, with_system)
        return Listing(await self._calls.in_steps(steps), tables.failed)

    async def _tables(
        self, targets: Mapping[str, str]
    ) -> Outcomes[dict[str, TopicConfig]]:
        """Return the settings of all topics by broker, where they may be read."""

        async def read(address: str) -> dict[str, TopicConfig]:
            response = await self._calls.broker(address, GetAllTopicConfig())
            member, kind = "topicConfigTable", TopicConfigTable
            steps = decode_table(response.body, member, TopicConfig, kind)
            return await self._calls.in_steps(steps)

        return await self._calls.each(targets, read)

    @returning_deferred
    async def get(self, topic: str) -> TopicDetails:
        """
        Return the route of a topic, and its settings at each broker.

        :raises NotFound: the name servers do not know it.
        """
        from rocketmq_tw.admin.topic_configs import topic_configs

        route = await self.route(topic)
        brokers = self._calls.in_route(route)
        targets = brokers.readers()
        configs = await topic_configs(self._calls, topic, targets)
        settings = tuple(
            _on_broker(name, targets[name], config)
            for name, config in configs.ok.items()
        )
        types = {each.attributes.get(MESSAGE_TYPE, DEFAULT_TYPE) for each in settings}
        return TopicDetails(
            name=topic,
            kind=kind_of(topic),
            type=",".join(sorted(types)) or DEFAULT_TYPE,
            route=brokers.brokers,
            order_configuration=route.order_topic_conf or None,
            settings=settings,
            failed=configs.failed,
        )

    @returning_deferred
    async def stats(self, topic: str) -> TopicStats:
        """
        Return the offsets of a topic's queues.

        :raises NotFound: the name servers do not know it.
        """
        route = await self.route(topic)
        targets = self._calls.in_route(route).readers()

        async def read(address: str) -> TopicStatsTable:
            response = await self._calls.broker(address, GetTopicStats(topic=topic))
            return TopicStatsTable.decode(response.body)

        tables = await self._calls.each(targets, read)
        queues = sorted(
            (
                QueueStats(
                    queue.broker_name,
                    queue.queue_id,
                    offsets.min_offset,
                    offsets.max_offset,
                    at(offsets.last_update_timestamp),
                )
                for table in tables.ok.values()
                for queue, offsets in table.offset_table.items()
            ),
            key=lambda queue: (queue.broker, queue.queue_id),
        )
        return TopicStats(
            topic,
            tuple(queues),
            sum(max(queue.max - queue.min, 0) for queue in queues),
            sum(table.topic_put_tps for table in tables.ok.values()),
            tables.failed,
        )

    @returning_deferred
    async def create(
        self,
        topic: str,
        *,
        queues: int = 8,
        permission: str = "rw",
        ordered: bool = False,
        type: str = DEFAULT_TYPE,
        attributes: Mapping[str, str] | None = None,
        cluster: str | None = None,
        brokers: Iterable[str] | None = None,
    ) -> Changed:
        """
        Create a topic at the masters of a cluster, of all, or of the named brokers.

        :param queues: at each broker.
        :param type: ``NORMAL``, ``FIFO``, ``DELAY``, ``TRANSACTION``...; brokers
            before 5.0 ignore it.
        :raises IllegalTopic: the name is not legal.
        :raises AlreadyExists: one of the brokers has it.
        :raises NotFound: there is no such cluster or broker.
        """
        from rocketmq_tw.admin.topic_changes import TopicChanges, TopicSettings

        given = dict(attributes or {})
        if type != DEFAULT_TYPE:
            given[MESSAGE_TYPE] = type
        settings = TopicSettings(
            queues=queues, permission=permission, ordered=ordered, attributes=given
        )
        chosen = None if brokers is None else tuple(brokers)
        return await TopicChanges(self._calls).create(topic, settings, cluster, chosen)

    @returning_deferred
    async def update(self, topic: str, settings: TopicSettings) -> Changed:
        """
        Change a topic at all brokers that have it; the rest of it stays as it is.

        :raises NotFound: none has it.
        """
        from rocketmq_tw.admin.topic_changes import TopicChanges

        return await TopicChanges(self._calls).update(topic, settings)

    @returning_deferred
    async def unread(self, topic: str, settings: TopicSettings) -> dict[str, int]:
        """
        Return how many queues nobody will read any more after a change, by broker; a
        broker where there are none is left out.

        :raises NotFound: no broker has the topic.
        """
        from rocketmq_tw.admin.topic_changes import TopicChanges

        return await TopicChanges(self._calls).unread(topic, settings)

    @returning_deferred
    async def delete(self, topic: str) -> Changed:
        """
        Delete a topic with its messages, at all brokers and name servers.

        :raises NotFound: no broker has it.
        """
        from rocketmq_tw.admin.topic_changes import TopicChanges

        return await TopicChanges(self._calls).delete(topic)

    @returning_deferred
    async def groups(self, topic: str) -> Listing[str]:
        """
        Return the groups that read a topic, or have read it, sorted.

        :raises NotFound: the name servers do not know it.
        """
        targets = self._calls.in_route(await self.route(topic)).readers()
        asked = await self._calls.each_broker(
            targets, lambda _: QueryGroupsOfTopic(topic=topic)
        )
        asked.need_one(f'the groups of "{topic}" cannot be listed')
        found = (GroupList.decode(each.body).group_list for each in asked.ok.values())
        names = sorted({group for groups in found for group in groups})
        return Listing(names, asked.failed)

    @returning_deferred
    async def producers(self, topic: str, group: str) -> Listing[ClientSummary]:
        """
        Return the connected producers of a group, sorted by client id.

        :raises NotFound: the name servers do not know the topic, or no producer of the
            group is connected.
        """
        from rocketmq_tw.admin.clients import Clients

        targets = self._calls.in_route(await self.route(topic)).readers()
        return await Clients(self._calls).producers(group, targets)

    async def route(self, topic: str) -> TopicRoute:
        """
        Ask a name server for a route.

        :raises NotFound: it does not know the topic.
        """
        request = GetRoute(topic=topic, accept_standard_json_only=True)
        try:
            response = await self._calls.name_server(request)
        except BrokerError as error:
            if error.code != ResponseCode.TOPIC_NOT_EXIST:
                raise
            raise NotFound("topic", topic) from None
        return decode_route(response.body)


def reserved_by(names: Iterable[str]) -> frozenset[str]:
    """Return the topics of clusters and brokers of these names, for :func:`kind_of`."""
    found = frozenset(names)
    return found | {reply_topic(each) for each in found}


def kind_of(name: str, reserved: Collection[str] = frozenset()) -> Kind:
    """
    Return whose topic it is.

    :param reserved: the topics of clusters and brokers; see :func:`reserved_by`.
    """
    if is_retry(name):
        return Kind.RETRY
    if is_dlq(name):
        return Kind.DEAD_LETTERS
    if name in SYSTEM_TOPICS or name.startswith(SYSTEM_PREFIX) or name in reserved:
        return Kind.SYSTEM
    return Kind.NORMAL


def permission_text(perm: int) -> str:
    """Return permission bits as ``rw``, ``r``, ``w`` or ``-``."""
    text = "r" if perm & PERM_READ else ""
    return (text + "w" if perm & PERM_WRITE else text) or "-"


def _summaries(
    names: Iterable[str],
    reserved: Collection[str],
    tables: Mapping[str, Mapping[str, TopicConfig]],
    with_system: bool,
) -> Steps[list[TopicSummary]]:
    """Return topics for the list, sorted by name."""
    found = []
    for some in parts_of(sorted(names), _AT_A_STRETCH):
        for name in some:
            kind = kind_of(name, reserved)
            if with_system or kind is Kind.NORMAL:
                found.append(_summary(name, kind, tables))
        yield None
    return found


def _summary(
    name: str, kind: Kind, tables: Mapping[str, Mapping[str, TopicConfig]]
) -> TopicSummary:
    """Return a topic for the list."""
    configs = {who: table[name] for who, table in tables.items() if name in table}
    if not configs:
        return TopicSummary(name, kind)
    each = configs.values()
    types = {one.attributes.get(MESSAGE_TYPE, DEFAULT_TYPE) for one in each}
    permissions = {permission_text(one.perm) for one in each}
    return TopicSummary(
        name,
        kind,
        ",".join(sorted(types)),
        sum(one.write_queue_nums for one in each),
        ",".join(sorted(permissions)),
        tuple(configs),
    )


def _on_broker(broker: str, address: str, config: TopicConfig) -> TopicOnBroker:
    """Return the settings of a topic at a broker."""
    return TopicOnBroker(
        broker,
        address,
        config.read_queue_nums,
        config.write_queue_nums,
        permission_text(config.perm),
        config.order,
        config.attributes,
    )
