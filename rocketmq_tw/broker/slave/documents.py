"""
The tables that a slave copies from its master: topics, groups and consumer offsets.

What comes from the master is checked like what is read from files: an entry that no
request could have made is left out and named in the log. The tables of a slave become
those of its master, with the same version, so that the next copy finds nothing changed.
Consumer offsets are the exception: an entry that only the slave has stays.

Large tables are decoded and compared in steps, each in its own reactor iteration.

Source: ``SlaveSynchronize`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.slave.replicated import Ask, Replicated
from rocketmq_tw.broker.tables.checks import check_group, check_offsets, usable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import SLICE, TopicTable
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.store.files.slices import in_slices
from rocketmq_tw.wire.bodies.cut import decode_in_steps
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable
from rocketmq_tw.wire.bodies.topics import TopicConfigTable
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.group import GetAllGroups
from rocketmq_tw.wire.requests.offset import GetAllConsumerOffset
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig

T = TypeVar("T")
#: How many topics are asked for at once, and how many pages there may be: a table that
#: changes is asked for again from the first page on.
PAGE, MAX_PAGES = 2000, 500
#: Where a table comes from, for the log.
_FROM = "the master's {}"


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
        table, version = await self._ask_for_topics(ask)
        if version == topics.data_version:
            return
        table = usable(_FROM.format("topics"), table, topics.check)
        await in_slices(self._adopt_topics(table), self._clock)
        topics.adopt_version(version)

    async def _ask_for_topics(
        self, ask: Ask
    ) -> tuple[dict[str, TopicConfig], DataVersion]:
        """
        Return the topics of the master and their version.

        They come page by page, or in one if the master has no pages. If the version is
        the slave's own, the first page is enough.

        :raises BadField: they change all the time, or are too many.
        """
        table: dict[str, TopicConfig] = {}
        version = self._topics.data_version
        for _ in range(MAX_PAGES):
            text = version.encode().decode()
            request = GetAllTopicConfig(len(table), text, PAGE)
            response = await ask(request)
            page, found = await self._decode_topics(response.body)
            if found != version:
                table, version = {}, found
            table |= page
            total = response.total_topic_num
            is_known = version == self._topics.data_version
            if is_known or total is None or len(table) >= total:
                return table, version
            if not page or len(table) > self._topics.limit:
                break
        raise BadField("topicConfigTable", f"{len(table)} topics", "all, and fewer")

    async def _decode_topics(
        self, body: bytes
    ) -> tuple[dict[str, TopicConfig], DataVersion]:
        """Decode a page, or the whole table."""
        steps: Generator[Any, Any, Any] = decode_in_steps(
            body,
            "topicConfigTable",
            TopicConfig,
            TopicConfigTable,
            self._topics.limit,
        )
        table, rest = await in_steps(steps, self._clock)
        return table, rest.data_version

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
        offsets = self._offsets
        response = await ask(GetAllConsumerOffset())
        steps: Generator[Any, Any, Any] = decode_in_steps(
            response.body,
            "offsetTable",
            dict[int, int],
            ConsumerOffsetTable,
            offsets.limit,
        )
        table, rest = await in_steps(steps, self._clock)
        table = usable(_FROM.format("consumer offsets"), table, check_offsets)
        return table, rest.data_version

    async def copy_groups(self, ask: Ask) -> None:
        """Make the groups those of the master."""
        groups = self._groups
        response = await ask(GetAllGroups())
        steps: Generator[Any, Any, Any] = decode_in_steps(
            response.body,
            "subscriptionGroupTable",
            SubscriptionGroup,
            SubscriptionGroupTable,
            groups.limit,
        )
        table, rest = await in_steps(steps, self._clock)
        if rest.data_version == groups.data_version:
            return
        table = usable(_FROM.format("consumer groups"), table, check_group)
        groups.adopt(table, dict(rest.forbidden_table), rest.data_version)
