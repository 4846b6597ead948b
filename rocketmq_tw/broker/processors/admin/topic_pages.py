"""
The table of topics, whole or page by page, as slaves and tools ask for it.

A table of 90,000 topics and more is too long for one response.

Source: ``AdminBrokerProcessor.getAllTopicConfig`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, encode_each
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigAndMappingTable,
    encode_entry,
    with_entries,
)
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig, TopicConfigResponse

#: How many topics are encoded in one step: a millisecond.
SLICE = 1000
#: How many topics a page has at most.
PAGE = 2000


class TopicPages:
    """Handles the request for the table of topics."""

    # _names are those of the table at _version, sorted.

    def __init__(self, topics: TopicTable, pacer: Pacer) -> None:
        self._topics = topics
        self._pacer = pacer
        self._version: DataVersion | None = None
        self._names: list[str] = []

    def all(
        self, request: GetAllTopicConfig, call: Call
    ) -> TopicConfigResponse | Deferred[TopicConfigResponse | None]:
        """
        Return the whole table, or the page that is asked for.

        :raises BadField: the version is not one.
        """
        if request.topic_seq is None or not request.max_topic_num:
            topics, total = list(self._topics.table.values()), None
        else:
            topics, total = self._page(request), len(self._topics.table)
        return self._pacer.run(self._respond(topics, total), call.peer)

    def _page(self, request: GetAllTopicConfig) -> list[TopicConfig]:
        """Return the topics of a page: the first one, unless the version is known."""
        version = self._topics.data_version
        if version is not self._version:
            self._version, self._names = version, sorted(self._topics.table)
        start = max(0, request.topic_seq or 0)
        if start and _version(request.data_version) != version:
            start = 0
        count = min(max(1, request.max_topic_num or 1), PAGE)
        table = self._topics.table
        names = self._names[start : start + count]
        return [table[name] for name in names if name in table]

    def _respond(
        self, topics: Iterable[TopicConfig], total: int | None
    ) -> Steps[TopicConfigResponse]:
        """Encode some topics, with the version that the table has now."""
        version = self._topics.data_version
        empty = TopicConfigAndMappingTable({}, version, mapping_data_version=version)
        entries = yield from encode_each(topics, encode_entry, SLICE)
        body = with_entries(empty.encode(), (entries,))
        return TopicConfigResponse(total_topic_num=total, body=body)


def _version(text: str | None) -> DataVersion | None:
    """Decode a version. :raises BadField: the text is not one."""
    if text is None:
        return None
    if len(text) > 1000:
        raise BadField("dataVersion", f"{len(text)} characters", "a version")
    return DataVersion.decode(text.encode())
