"""
The tables that a slave copies from its master: topics, groups and consumer offsets.

What comes from the master is checked like what is read from files: an entry that no
request could have made is left out and named in the log. The tables of a slave become
those of its master, with the same version, so that the next copy finds nothing changed.
Consumer offsets are the exception: an entry that only the slave has stays.

Topics and groups come page by page (:mod:`rocketmq_tw.broker.slave.pages`). Large
tables are decoded, checked and compared in steps, each in its own reactor iteration.

Source: ``SlaveSynchronize`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.slave.pages import PAGE, Page, all_pages
from rocketmq_tw.broker.slave.replicated import Ask, Replicated
from rocketmq_tw.broker.tables.checks import check_group, check_offsets, usable_in_steps
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topic_file import SLICE
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.cut import decode_in_steps
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable
from rocketmq_tw.wire.bodies.topics import TopicConfigTable
from rocketmq_tw.wire.requests.group import GetAllGroups
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig

T = TypeVar("T")
V = TypeVar("V")
B = TypeVar("B", bound=Body)
#: The names of the tables in their bodies.
_MEMBERS: dict[type[Body], str] = {
    TopicConfigTable: "topicConfigTable",
    ConsumerOffsetTable: "offsetTable",
    SubscriptionGroupTable: "subscriptionGroupTable",
}


async def in_steps(steps: Generator[None, None, T], clock: IReactorTime) -> T:
    """Take each step in its own reactor iteration; return the generator's result."""
    results: list[T] = []

    def collect() -> Generator[None, None, None]:
        results.append((yield from steps))

    await in_slices(collect(), clock)
    return results[0]


class TableCopies:
    """Copies the tables of a broker's master."""

    def __init__(
        self,
        *,
        topics: TopicTable,
        groups: GroupTable,
        offsets: ConsumerOffsets,
        clock: IReactorTime,
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._clock = clock

    def all(self) -> list[Replicated]:
        """Return the documents, in Apache RocketMQ's order."""
        return [
            Replicated("the topics", self.copy_topics),
            Replicated(
                "the consumer offsets", self.copy_offsets, self.take_back_offsets
            ),
            Replicated("the consumer groups", self.copy_groups),
        ]

    async def copy_topics(self, ask: Ask) -> None:
        """
        Make the topics those of the master.

        The queues of a topic that it has deleted stay: if it is created again, the log
        has its first message, with which its queues start again.
        """
        topics = self._topics

        async def ask_for_page(start: int, version: str) -> Page[TopicConfig]:
            response = await ask(GetAllTopicConfig(start, version, PAGE))
            table, rest = await self._decode(
                response.body, TopicConfig, TopicConfigTable, topics.limit
            )
            total = response.total_topic_num
            return Page(table=table, version=rest.data_version, total=total)

        found = await all_pages(
            ask_for_page,
            member="topicConfigTable",
            known=topics.data_version,
            limit=topics.limit,
        )
        if found is None:
            return
        table = await self._usable("topics", found.table, topics.check)
        await in_slices(self._adopt_topics(table), self._clock)
        topics.adopt_version(found.version)

    async def _decode(
        self, body: bytes, values: type[V], kind: type[B], limit: int
    ) -> tuple[dict[str, V], B]:
        """
        Decode a body with a large table.

        :returns: the table, and the body without it.
        """
        steps = decode_in_steps(body, _MEMBERS[kind], values, kind, limit)
        return await in_steps(steps, self._clock)

    async def _usable(
        self, name: str, table: dict[str, V], check: Callable[[str, V], None]
    ) -> dict[str, V]:
        """Return the entries of the master's table that may be used."""
        steps = usable_in_steps(f"the master's {name}", table, check)
        return await in_steps(steps, self._clock)

    def _adopt_topics(self, table: dict[str, TopicConfig]) -> Iterator[None]:
        """Make the topics those of a table, in steps."""
        topics = self._topics
        gone = list(topics.table.keys() - table.keys())
        for count, name in enumerate([*gone, *table], 1):
            config = table.get(name)
            if config is None:
                self._offsets.remove_topic(name)
            if config != topics.get(name):
                topics.exchange(name, config)
            if count % SLICE == 0:
                yield

    async def copy_offsets(self, ask: Ask) -> None:
        """Take over all offsets of the master."""
        table, version = await self._ask_for_offsets(ask)
        await in_slices(self._offsets.adopt(table, version), self._clock)

    async def take_back_offsets(self, ask: Ask) -> None:
        """
        Take over the offsets of a slave that has acted for this master.

        If its table is no newer, an offset counts that is ahead of the master's.
        """
        offsets = self._offsets
        table, version = await self._ask_for_offsets(ask)
        is_newer = version is not None and offsets.data_version.is_older_than(version)
        steps = offsets.adopt(table, version if is_newer else None, back=is_newer)
        await in_slices(steps, self._clock)

    async def _ask_for_offsets(
        self, ask: Ask
    ) -> tuple[dict[str, dict[int, int]], DataVersion | None]:
        """Return the offsets of another broker that are usable, and their version."""
        response = await ask(GetAllConsumerOffset())
        kind: type[dict[int, int]] = dict[int, int]
        table, rest = await self._decode(
            response.body, kind, ConsumerOffsetTable, self._offsets.limit
        )
        table = await self._usable("consumer offsets", table, check_offsets)
        return table, rest.data_version

    async def copy_groups(self, ask: Ask) -> None:
        """Make the groups those of the master."""
        groups = self._groups

        async def ask_for_page(start: int, version: str) -> Page[SubscriptionGroup]:
            response = await ask(GetAllGroups(start, version, PAGE))
            table, rest = await self._decode(
                response.body, SubscriptionGroup, SubscriptionGroupTable, groups.limit
            )
            return Page(
                table=table,
                version=rest.data_version,
                total=response.total_group_num,
                forbidden=rest.forbidden_table,
            )

        found = await all_pages(
            ask_for_page,
            member="subscriptionGroupTable",
            known=groups.data_version,
            limit=groups.limit,
        )
        if found is None:
            return
        table = await self._usable("consumer groups", found.table, check_group)
        steps = groups.adopt(table, found.forbidden, found.version)
        await in_slices(steps, self._clock)
