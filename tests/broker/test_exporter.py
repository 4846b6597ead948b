"""
What ``rocketmq-exporter`` asks a broker, and reads from the responses.

Its own program was run against this broker; here are its requests, read as strictly as
it reads them: a number that is missing or empty costs it all figures of the broker.

Source: ``MetricsCollectTask`` and ``BrokerRuntimeStats`` of rocketmq-exporter.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.wire.bodies.stats import ConsumeStats, TopicStatsTable
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo, ViewStatistics
from rocketmq_tw.wire.requests.consumer import GetConsumeStats
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections
from rocketmq_tw.wire.requests.topic import GetTopicStats
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent

#: Keys of runtime information that are read as whole numbers.
WHOLE = """
    msgPutTotalTodayNow msgPutTotalTodayMorning msgPutTotalYesterdayMorning
    msgGetTotalTodayNow msgGetTotalTodayMorning msgGetTotalYesterdayMorning
    sendThreadPoolQueueHeadWaitTimeMills sendThreadPoolQueueSize
    sendThreadPoolQueueCapacity pullThreadPoolQueueHeadWaitTimeMills
    pullThreadPoolQueueSize pullThreadPoolQueueCapacity
    queryThreadPoolQueueHeadWaitTimeMills queryThreadPoolQueueSize
    queryThreadPoolQueueCapacity bootTimestamp commitLogMinOffset commitLogMaxOffset
    dispatchMaxBuffer dispatchBehindBytes brokerVersion pageCacheLockTimeMills
    getMessageEntireTimeMax putMessageEntireTimeMax putMessageTimesTotal
    putMessageSizeTotal startAcceptSendRequestTimeStamp earliestMessageTimeStamp
    remainTransientStoreBufferNumbs
""".split()
#: Those that are read as numbers.
NUMBERS = """
    commitLogDiskRatio consumeQueueDiskRatio putMessageAverageSize putLatency99
    putLatency999
""".split()
#: Those that are three rates.
RATES = "putTps getMissTps getTransferredTps getTotalTps getFoundTps".split()
#: The ranges of times, all of which are looked up.
TIMES = """
    <=0ms 0~10ms 10~50ms 50~100ms 100~200ms 200~500ms 500ms~1s 1~2s 2~3s 3~4s 4~5s
    5~10s 10s~
""".split()


class ExporterTests(BrokerCase):
    """A topic with messages, and a group that has read them."""

    def setUp(self) -> None:
        """Send, pull, and let some time pass."""
        super().setUp()
        for _ in range(3):
            self.ask(sent())
        self.subscribe()
        self.ask(pulled())
        self.clock.pump([5.0] * 4)

    def body(self, request: Any) -> Any:
        """Ask, and read the body."""
        response = self.ask(request)
        if isinstance(response, Deferred):
            response = self.successResultOf(response)
        self.assertEqual((response.status, response.remark), (0, None))
        return json.loads(response.body)

    def test_runtime(self) -> None:
        """Every key is there, in its form."""
        table: dict[str, str] = self.body(GetRuntimeInfo())["table"]
        for key in WHOLE:
            self.assertEqual(table[key], str(int(table[key])), key)
        for key in NUMBERS:
            float(table[key])
        for key in RATES:
            self.assertEqual(len([float(x) for x in table[key].split(" ")]), 3, key)
        words = table["commitLogDirCapacity"].split(" ")
        for number, unit in ((words[2], words[3]), (words[6], words[7])):
            float(number)
            self.assertIn(unit[:-1], ("B", "KiB", "MiB", "GiB", "TiB"))
        float(table["remainHowManyDataToFlush"].split(" ")[0])
        self.assertIn("brokerVersionDesc", table)
        self.assertIn("runtime", table)

    def test_times(self) -> None:
        """How long messages took, by range."""
        table = self.body(GetRuntimeInfo())["table"]
        pairs = table["putMessageDistributeTime"].strip().split(" ")
        found = {
            key.strip("[]"): int(count)
            for key, _, count in (pair.partition(":") for pair in pairs)
        }
        self.assertEqual(list(found), TIMES)
        self.assertEqual(found["<=0ms"], 3)

    def test_statistics(self) -> None:
        """Rates of the last minute, of topics, groups and the broker."""
        for name, key in (
            ("TOPIC_PUT_NUMS", TOPIC),
            ("TOPIC_PUT_SIZE", TOPIC),
            ("GROUP_GET_NUMS", f"{TOPIC}@{GROUP}"),
            ("GROUP_GET_SIZE", f"{TOPIC}@{GROUP}"),
            ("BROKER_PUT_NUMS", "DefaultCluster"),
            ("BROKER_GET_NUMS", "DefaultCluster"),
        ):
            data = self.body(ViewStatistics(name, key))
            self.assertGreater(data["statsMinute"]["tps"], 0.0, name)

    def test_nothing_sent_back(self) -> None:
        """That is an error, which is read as no sample."""
        request = ViewStatistics("SNDBCK_PUT_NUMS", f"{TOPIC}@{GROUP}")
        self.refused(1, "not exist", request)

    def test_topics_and_groups(self) -> None:
        """Offsets, how far groups are, and their members."""
        offsets = TopicStatsTable.decode(self.ask(GetTopicStats(TOPIC)).body)
        self.assertEqual(len(offsets.offset_table), 4)
        stats = ConsumeStats.decode(self.ask(GetConsumeStats(GROUP, TOPIC)).body)
        self.assertGreater(stats.consume_tps, 0.0)
        members = self.body(GetConsumerConnections(GROUP))
        self.assertEqual(members["messageModel"], "CLUSTERING")
        self.assertEqual(len(members["connectionSet"]), 1)
