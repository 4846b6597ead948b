"""
Golden texts of Apache RocketMQ, and our bodies that write and read them.

The texts were written by its own classes.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import (
    ConsumeFrom,
    ConsumeType,
    MessageModel,
    SubscriptionGroup,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import BrokerData, QueueData, TopicRoute
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.bodies import (
    consumers,
    heartbeat,
    locks,
    offsets,
    registration,
    running_info,
    stats,
    topics,
)
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.cluster import (
    BrokerMemberGroup,
    ClusterInfo,
    GetBrokerMemberGroupBody,
)
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import GroupList, SubscriptionGroupTable
from rocketmq_tw.wire.bodies.kvtable import KVTable

VERSION = '{"counter":0,"stateVersion":0,"timestamp":1795361562524}'
DATA_VERSION = DataVersion(1795361562524)
SUBSCRIPTION = (
    '{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG",'
    '"subString":"TagA || TagB","subVersion":1795361562516,'
    '"tagsSet":["TagA","TagB"],"topic":"TopicTest"}'
)
PARSED = parse("TopicTest", "TagA || TagB", 1795361562516)
MQ = '{"brokerName":"broker-a","queueId":0,"topic":"T"}'
QUEUE = MessageQueue("T", "broker-a", 0)
GROUP = (
    '{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,'
    '"consumeEnable":true,"consumeFromMinEnable":true,"consumeMessageOrderly":false,'
    '"consumeTimeoutMinute":15,"groupName":"CG",'
    '"groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,'
    '"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,'
    '"whichBrokerWhenConsumeSlowly":1}'
)
PROCESS_QUEUE = (
    '{"cachedMsgCount":0,"cachedMsgMaxOffset":0,"cachedMsgMinOffset":0,'
    '"cachedMsgSizeInMiB":0,"commitOffset":0,"droped":false,'
    '"lastConsumeTimestamp":0,"lastLockTimestamp":0,"lastPullTimestamp":0,'
    '"locked":false,"transactionMsgCount":0,"transactionMsgMaxOffset":0,'
    '"transactionMsgMinOffset":0,"tryUnlockTimes":0}'
)
STATUS = (
    '{"consumeFailedMsgs":0,"consumeFailedTPS":0.0,"consumeOKTPS":0.0,'
    '"consumeRT":0.0,"pullRT":0.0,"pullTPS":0.0}'
)

#: Java's text (bare keys), and the body that it is.
GOLDEN: list[tuple[str, Body]] = [
    (VERSION, DATA_VERSION),
    (
        '{"clientID":"10.0.0.9@1234#567",'
        '"consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",'
        '"consumeType":"CONSUME_PASSIVELY","groupName":"CG",'
        '"messageModel":"CLUSTERING","subscriptionDataSet":['
        + SUBSCRIPTION
        + '],"unitMode":false}],"heartbeatFingerprint":0,'
        '"producerDataSet":[{"groupName":"PG"}],"withoutSub":false}',
        heartbeat.HeartbeatData(
            "10.0.0.9@1234#567",
            (heartbeat.ProducerData("PG"),),
            (
                heartbeat.ConsumerData(
                    "CG",
                    ConsumeType.CONSUME_PASSIVELY,
                    MessageModel.CLUSTERING,
                    ConsumeFrom.CONSUME_FROM_LAST_OFFSET,
                    (PARSED,),
                ),
            ),
        ),
    ),
    (
        '{"clientId":"c","group":"g","subscriptionData":' + SUBSCRIPTION + "}",
        heartbeat.CheckClientRequestBody("c", "g", PARSED),
    ),
    (
        '{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":'
        + VERSION
        + ',"mappingDataVersion":'
        + VERSION
        + ',"topicConfigTable":{"TopicTest":{"attributes":{},"order":false,"perm":6,'
        '"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"TopicTest",'
        '"topicSysFlag":0,"writeQueueNums":8}},"topicQueueMappingDetailMap":{},'
        '"topicQueueMappingInfoMap":{}}}',
        registration.RegisterBrokerBody(
            topics.TopicConfigAndMappingTable(
                {"TopicTest": TopicConfig("TopicTest", 8, 8)},
                DATA_VERSION,
                DATA_VERSION,
            )
        ),
    ),
    (
        '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911"},'
        '"brokerName":"broker-a","cluster":"DefaultCluster",'
        '"enableActingMaster":false}},'
        '"clusterAddrTable":{"DefaultCluster":["broker-a"]}}',
        ClusterInfo(
            {
                "broker-a": BrokerData(
                    "DefaultCluster", "broker-a", {0: "10.0.0.1:10911"}
                )
            },
            {"DefaultCluster": frozenset({"broker-a"})},
        ),
    ),
    (
        '{"brokerMemberGroup":{"brokerAddrs":{0:"1:1"},"brokerName":"b","cluster":"C"}}',
        GetBrokerMemberGroupBody(BrokerMemberGroup("C", "b", {0: "1:1"})),
    ),
    ('{"topicList":["A"]}', topics.TopicList(("A",))),
    ('{"brokerAddr":"1:1","topicList":["A"]}', topics.TopicList(("A",), "1:1")),
    ('{"groupList":["g"]}', GroupList(("g",))),
    ('{"consumerIdList":["c1","c2"]}', consumers.ConsumerIdList(("c1", "c2"))),
    (
        '{"dataVersion":' + VERSION + ',"offsetTable":{"TopicTest@CG":{0:12,1:3}}}',
        offsets.ConsumerOffsetTable({"TopicTest@CG": {0: 12, 1: 3}}, DATA_VERSION),
    ),
    ('{"offsetTable":{1:10,2:0}}', offsets.DelayOffsetTable({1: 10, 2: 0})),
    (
        '{"dataVersion":'
        + VERSION
        + ',"forbiddenTable":{},"subscriptionGroupTable":{"CG":'
        + GROUP
        + "}}",
        SubscriptionGroupTable(
            {"CG": SubscriptionGroup("CG")}, data_version=DATA_VERSION
        ),
    ),
    (
        '{"connectionSet":[{"clientAddr":"1.1.1.1:1","clientId":"cid",'
        '"language":"JAVA","version":453}],'
        '"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",'
        '"consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",'
        '"subscriptionTable":{"TopicTest":' + SUBSCRIPTION + "}}",
        consumers.ConsumerConnection(
            (consumers.Connection("cid", "1.1.1.1:1", "JAVA", 453),),
            {"TopicTest": PARSED},
            ConsumeType.CONSUME_PASSIVELY,
            MessageModel.CLUSTERING,
            ConsumeFrom.CONSUME_FROM_LAST_OFFSET,
        ),
    ),
    (
        '{"data":{"PG":[{"clientId":"c","language":"JAVA","lastUpdateTimestamp":2,'
        '"remoteIP":"1.1.1.1:1","version":1}]}}',
        consumers.ProducerTableInfo(
            {"PG": (consumers.ProducerInfo("c", "1.1.1.1:1", "JAVA", 1, 2),)}
        ),
    ),
    (
        '{"jstack":"text","mqPopTable":{},"mqTable":{'
        + MQ
        + ":"
        + PROCESS_QUEUE
        + '},"properties":{"PROP_NAMESERVER_ADDR":"n"},"statusTable":{"TopicTest":'
        + STATUS
        + '},"subscriptionSet":['
        + SUBSCRIPTION
        + '],"userConsumerInfo":{}}',
        running_info.ConsumerRunningInfo(
            {"PROP_NAMESERVER_ADDR": "n"},
            (PARSED,),
            {QUEUE: running_info.ProcessQueueInfo()},
            {},
            {"TopicTest": running_info.ConsumeStatus()},
            {},
            "text",
        ),
    ),
    (
        '{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,'
        '"spentTimeMills":0}',
        running_info.ConsumeMessageDirectlyResult(
            running_info.ConsumeResult.CR_SUCCESS
        ),
    ),
    (
        '{"consumeTps":0.0,"offsetTable":{'
        + MQ
        + ':{"brokerOffset":0,"consumerOffset":0,"lastTimestamp":0,"pullOffset":0}}}',
        stats.ConsumeStats({QUEUE: stats.OffsetState()}),
    ),
    (
        '{"offsetTable":{'
        + MQ
        + ':{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0}},"topicPutTps":0.0}',
        stats.TopicStatsTable({QUEUE: stats.TopicOffset()}),
    ),
    (
        '{"brokerAddr":"b","consumeStatsList":[{"CG":[{"consumeTps":0.0,'
        '"offsetTable":{}}]}],"totalDiff":0,"totalInflightDiff":0}',
        stats.ConsumeStatsList(({"CG": (stats.ConsumeStats(),)},), "b"),
    ),
    (
        '{"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,'
        '"sum":0,"tps":0.0},"statsMinute":{"avgpt":0.0,"sum":0,"tps":0.0}}',
        stats.BrokerStatsData(),
    ),
    ('{"table":{"k":"v"}}', KVTable({"k": "v"})),
    (
        '{"clientId":"c","consumerGroup":"g","mqSet":[' + MQ + "],"
        '"onlyThisBroker":false}',
        locks.LockBatchRequestBody("g", "c", frozenset({QUEUE})),
    ),
    (
        '{"lockOKMQSet":[' + MQ + "]}",
        locks.LockBatchResponseBody(frozenset({QUEUE})),
    ),
    ('{"offsetTable":{' + MQ + ":7}}", offsets.ResetOffsetBody({QUEUE: 7})),
    (
        '{"offsetTable":[{"brokerName":"broker-a","offset":7,"queueId":0,'
        '"topic":"T"}]}',
        offsets.ResetOffsetBodyForC.of({QUEUE: 7}),
    ),
    (
        '{"consumerTable":{"clientId":{'
        + MQ
        + ':7}},"messageQueueTable":{'
        + MQ
        + ":5}}",
        offsets.GetConsumerStatusBody({QUEUE: 5}, {"clientId": {QUEUE: 7}}),
    ),
]

ROUTE_TEXT = (
    '{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},'
    '"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],'
    '"filterServerTable":{},"orderTopicConf":"broker-a:4;broker-b:4",'
    '"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":8,'
    '"topicSysFlag":0,"writeQueueNums":8}]}'
)
ROUTE = TopicRoute(
    (
        BrokerData(
            "DefaultCluster",
            "broker-a",
            {0: "10.0.0.1:10911", 1: "10.0.0.2:10911"},
        ),
    ),
    (QueueData("broker-a", 8, 8, 6),),
    {},
    "broker-a:4;broker-b:4",
)


class GoldenTests(SynchronousTestCase):
    """Each body writes Java's text, and reads both that and our own."""

    def test_written_as_java_writes(self) -> None:
        """The lenient text is Java's, letter for letter."""
        for text, body in GOLDEN:
            self.assertEqual(body.encode_lenient().decode(), text)

    def test_java_text_is_read(self) -> None:
        """Java's text gives the body."""
        for text, body in GOLDEN:
            self.assertEqual(type(body).decode(text.encode()), body)

    def test_our_text_is_read(self) -> None:
        """So does our own text."""
        for _, body in GOLDEN:
            self.assertEqual(type(body).decode(body.encode()), body)

    def test_empty_objects_have_defaults(self) -> None:
        """Unknown keys are ignored wherever they stand."""
        for text, body in GOLDEN:
            with_more = '{"zzUnknown":{0:[{}]},' + text[1:]
            self.assertEqual(type(body).decode(with_more.encode()), body)
