"""Offsets and rates for tools."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.stats import (
    BrokerStatsData,
    ConsumeStats,
    OffsetState,
    TopicOffset,
    TopicStatsTable,
    join_tables,
)


class StatsTests(SynchronousTestCase):
    """What tools read."""

    def test_queues_as_keys(self) -> None:
        """Queues are keys; absent numbers are 0."""
        text = (
            b'{"offsetTable":{{"topic":"T","brokerName":"b","queueId":1}:'
            b'{"brokerOffset":9}},"consumeTps":1.5}'
        )
        stats = ConsumeStats.decode(text)
        queue = MessageQueue("T", "b", 1)
        self.assertEqual(stats.offset_table, {queue: OffsetState(broker_offset=9)})
        self.assertEqual(stats.consume_tps, 1.5)
        self.assertEqual(ConsumeStats.decode(stats.encode()), stats)

    def test_joined(self) -> None:
        """Tables of different queues, empty ones too, make one."""
        queues = [MessageQueue('}},"topicPutTps":{', "b", each) for each in range(3)]
        for kind, value in (
            (TopicStatsTable, TopicOffset(1, 2, 3)),
            (ConsumeStats, OffsetState(1, 2, 3, 4)),
        ):
            parts = [{}, *({queue: value} for queue in queues), {}]
            joined = join_tables([kind(part).encode() for part in parts])
            whole = kind(dict.fromkeys(queues, value))
            self.assertEqual(kind.decode(joined), whole)
            self.assertEqual(join_tables([whole.encode()]), whole.encode())

    def test_empty(self) -> None:
        """Nothing is no error."""
        self.assertEqual(TopicStatsTable.decode(b"{}"), TopicStatsTable())
        self.assertEqual(
            BrokerStatsData.decode(b'{"statsDay":null}'), BrokerStatsData()
        )
