"""
The table of topics, whole or page by page, as slaves and tools ask for it.

A table of 90,000 topics and more is too long for one response.

Source: ``AdminBrokerProcessor.getAllTopicConfig`` of RocketMQ 5.5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.processors.admin.pages import Pages, Part
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigAndMappingTable,
    encode_entry,
    with_entries,
)
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig, TopicConfigResponse

#: How many topics are encoded in one step: a millisecond.
SLICE = 1000


class TopicPages:
    """Handles the request for the table of topics."""

    def __init__(self, topics: TopicTable, pacer: Pacer) -> None:
        self._topics = topics
        self._pacer = pacer
        self._pages = Pages(lambda: topics.table, lambda: topics.data_version)

    def all(
        self, request: GetAllTopicConfig, call: Call
    ) -> TopicConfigResponse | Deferred[TopicConfigResponse | None]:
        """
        Return the whole table, or the page that is asked for.

        :raises BadField: the version is not one.
        """
        part = self._pages.page(
            request.topic_seq, request.data_version, request.max_topic_num
        )
        return self._pacer.run(self._respond(part), call.peer)

    def _respond(self, part: Part | None) -> Steps[TopicConfigResponse]:
        """
        Encode some topics, or all of them, with the version that the table had before.
        """
        table, version = self._topics.table, self._topics.data_version
        total = len(table)
        topics = [*table.values()] if part is None else [table[n] for n in part.names]
        entries: list[bytes] = []
        for some in parts_of(topics, SLICE):
            entries += map(encode_entry, some)
            yield None
        if part is not None:
            entries = part.fitting(entries)
        empty = TopicConfigAndMappingTable({}, version, mapping_data_version=version)
        body = with_entries(empty.encode(), entries)
        return TopicConfigResponse(total_topic_num=total, body=body)
