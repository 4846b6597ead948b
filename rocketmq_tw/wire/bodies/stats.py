"""
Offsets and rates of topics, groups and brokers, for administration tools.

Source: ``TopicStatsTable``, ``ConsumeStats``, ``ConsumeStatsList``,
``BrokerStatsData``, ``QueryConsumeTimeSpanBody`` and ``QueryConsumeQueueResponseBody``
of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.body import Body


class TopicOffset(Body, frozen=True):
    """The bounds of one queue, and when (ms) its last message was stored."""

    min_offset: int = 0
    max_offset: int = 0
    last_update_timestamp: int = 0


class TopicStatsTable(Body, frozen=True):
    """The response to GET_TOPIC_STATS_INFO (202): all readable or writeable queues."""

    offset_table: dict[MessageQueue, TopicOffset] = {}
    topic_put_tps: float = 0.0


class OffsetState(Body, frozen=True):
    """How far a group has read one queue (``OffsetWrapper``)."""

    broker_offset: int = 0
    consumer_offset: int = 0
    pull_offset: int = 0
    #: When the last consumed message was stored, in ms.
    last_timestamp: int = 0


class ConsumeStats(Body, frozen=True):
    """The response to GET_CONSUME_STATS (208)."""

    offset_table: dict[MessageQueue, OffsetState] = {}
    consume_tps: float = 0.0


class ConsumeStatsList(Body, frozen=True):
    """The response to GET_BROKER_CONSUME_STATS (317): for each group, its topics."""

    consume_stats_list: tuple[dict[str, tuple[ConsumeStats, ...]], ...] = ()
    broker_addr: str | None = None
    total_diff: int = 0
    total_inflight_diff: int = 0


class BrokerStatsItem(Body, frozen=True):
    """A count over a period, its rate per second, and its average per call."""

    sum: int = 0
    tps: float = 0.0
    avgpt: float = 0.0


class BrokerStatsData(Body, frozen=True):
    """The response to VIEW_BROKER_STATS_DATA (315)."""

    stats_minute: BrokerStatsItem = BrokerStatsItem()
    stats_hour: BrokerStatsItem = BrokerStatsItem()
    stats_day: BrokerStatsItem = BrokerStatsItem()


class QueueTimeSpan(Body, frozen=True):
    """Store times, in ms, of a queue's first, last and last consumed message."""

    message_queue: MessageQueue
    min_time_stamp: int = 0
    max_time_stamp: int = 0
    consume_time_stamp: int = 0
    delay_time: int = 0


class QueryConsumeTimeSpanBody(Body, frozen=True):
    """The response to QUERY_CONSUME_TIME_SPAN (303)."""

    consume_time_span_set: tuple[QueueTimeSpan, ...] = ()


class ConsumeQueueData(Body, frozen=True):
    """One entry of a consume queue."""

    physic_offset: int = 0
    physic_size: int = 0
    tags_code: int = 0
    extend_data_json: str | None = None
    bit_map: str | None = None
    eval: bool = False
    msg: str | None = None


class QueryConsumeQueueResponseBody(Body, frozen=True):
    """The response to QUERY_CONSUME_QUEUE (321)."""

    subscription_data: Subscription | None = None
    filter_data: str | None = None
    queue_data: tuple[ConsumeQueueData, ...] = ()
    max_queue_index: int = 0
    min_queue_index: int = 0


def join_tables(tables: Sequence[bytes]) -> bytes:
    """
    Join encoded :class:`TopicStatsTable` or :class:`ConsumeStats` of different queues.

    :param tables: at least one; their rates are equal.
    :returns: one encoded table of all the queues.
    """
    if len(tables) == 1:
        return tables[0]
    # Keys are sorted: consumeTps is before the table, topicPutTps behind it. Neither
    # mark is in a name, where quotes are escaped.
    mark = b'"offsetTable":{'
    begin = tables[0].index(mark) + len(mark)
    ending = len(tables[0]) - _end_of_table(tables[0])
    entries = [table[begin : len(table) - ending] for table in tables]
    joined = b",".join(each for each in entries if each)
    return tables[0][:begin] + joined + tables[0][len(tables[0]) - ending :]


def _end_of_table(text: bytes) -> int:
    """Return where the table of queues ends in an encoded body."""
    tail = text.rfind(b'},"topicPutTps":')
    return tail if tail >= 0 else len(text) - 2
