"""Tests of a broker's figures and settings."""

from __future__ import annotations

import json

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.settings import to_values
from rocketmq_tw.wire.bodies.kvtable import decode_properties
from rocketmq_tw.wire.requests.admin import (
    GetBrokerConfig,
    GetRuntimeInfo,
    UpdateBrokerConfig,
)
from tests.broker.cases import BrokerCase, pulled, sent

#: What ``mqadmin clusterList`` reads, of one release or the other.
CLUSTER_LIST = """
    brokerActive brokerVersionDesc putTps getTransferredTps getTransferedTps getTotalTps
    sendThreadPoolQueueSize pullThreadPoolQueueSize ackThreadPoolQueueSize
    sendThreadPoolQueueHeadWaitTimeMills pullThreadPoolQueueHeadWaitTimeMills
    ackThreadPoolQueueHeadWaitTimeMills pageCacheLockTimeMills earliestMessageTimeStamp
    commitLogDiskRatio consumeQueueDiskRatio timerReadBehind timerOffsetBehind
    timerCongestNum timerEnqueueTps timerDequeueTps getFoundTps getMissTps
    msgPutTotalYesterdayMorning msgPutTotalTodayMorning msgPutTotalTodayNow
    msgGetTotalYesterdayMorning msgGetTotalTodayMorning msgGetTotalTodayNow
""".split()

#: The settings that ``mqadmin exportConfigs`` writes down.
EXPORT_CONFIGS = set(
    """
    brokerClusterName brokerId brokerName brokerRole fileReservedTime filterServerNums
    flushDiskType maxMessageSize messageDelayLevel msgTraceTopicName slaveReadEnable
    traceOn traceTopicEnable useTLS autoCreateTopicEnable autoCreateSubscriptionGroup
    """.split()
)


class InfoProcessorTests(BrokerCase):
    """Tools get true figures under the names they look for."""

    def info(self) -> dict[str, str]:
        """Ask for the figures."""
        response = self.ask(GetRuntimeInfo())
        table: dict[str, str] = json.loads(response.body)["table"]
        return table

    def test_has_what_tools_need(self) -> None:
        """No key is missing without which ``clusterList`` fails, and all are text."""
        table = self.info()
        self.assertEqual([key for key in CLUSTER_LIST if key not in table], [])
        self.assertEqual({type(value) for value in table.values()}, {str})

    def test_figures_are_counted(self) -> None:
        """Messages, sizes and rates are those of the counters."""
        for _ in range(20):
            self.ask(sent())
        self.ask(pulled(max_msg_nums=10))
        self.clock.pump([5.0] * 2)
        size = self.store.commit_log_max / 20
        table = self.info()
        self.assertEqual(table["msgPutTotalTodayNow"], "20")
        self.assertEqual(table["msgGetTotalTodayNow"], "10")
        self.assertEqual(float(table["putMessageAverageSize"]), size)
        self.assertEqual(table["putTps"].split()[0], "2.0")
        self.assertEqual(table["getTransferredTps"].split()[0], "1.0")
        self.assertEqual(len(table["getTotalTps"].split()), 3)

    def test_times(self) -> None:
        """How long it takes to store and to read, in whole and in parts."""
        self.ask(sent())
        self.stats.put_times.add(1, 0.5)
        self.stats.read_took(0.12)
        table = self.info()
        shown = table["putMessageDistributeTime"].split()
        self.assertEqual(len(shown), 13)
        self.assertEqual((shown[0], shown[6]), ("[<=0ms]:1", "[500ms~1s]:1"))
        self.assertEqual(table["putMessageEntireTimeMax"], "500")
        self.assertEqual(table["getMessageEntireTimeMax"], "120")
        self.assertEqual((table["putLatency99"], table["putLatency999"]), ("1.00",) * 2)

    def test_shows_gauges(self) -> None:
        """Sizes of tables, under the names that features gave them."""
        self.stats.gauges["heldPulls"] = lambda: 7
        self.assertEqual(self.info()["heldPulls"], "7")

    def test_tells_its_age(self) -> None:
        """The time since the start is shown in words."""
        self.clock.advance(86_400 + 3_600 + 10)
        runtime = "[ 1 days, 1 hours, 0 minutes, 10 seconds ]"
        self.assertEqual(self.info()["runtime"], runtime)

    def test_tells_of_the_disk(self) -> None:
        """The ratio is a fraction."""
        self.assertTrue(0 <= float(self.info()["commitLogDiskRatio"]) <= 1)

    def test_gives_the_settings(self) -> None:
        """The body is properties text; the version is JSON in the header."""
        response = self.ask(GetBrokerConfig())
        self.assertIn(b"brokerName=broker-a\n", response.body)
        self.assertEqual(json.loads(response.version)["counter"], 1)

    def test_gives_what_export_needs(self) -> None:
        """``exportConfigs`` fails on a setting that is not there; ours come first."""
        response = self.ask(GetBrokerConfig())
        settings = decode_properties(response.body)
        self.assertEqual(settings["brokerName"], "broker-a")
        self.assertEqual(settings["traceTopicEnable"], "false")
        missing = EXPORT_CONFIGS - settings.keys() - set(to_values(BrokerConfig()))
        self.assertEqual(missing, set())

    def test_refuses_to_change_settings(self) -> None:
        """Changing a setting is refused with a sentence that names it."""
        request = UpdateBrokerConfig(body=b"maxMessageSize=48\n")
        self.refused(16, "maxMessageSize cannot be changed", request)
