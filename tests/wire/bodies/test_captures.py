"""Bodies of Apache's clients and servers, as recorded in ``golden``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.locks import LockBatchRequestBody, LockBatchResponseBody
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.bodies.stats import ConsumeStats, TopicStatsTable
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.codes import RequestCode, ResponseCode
from tests.wire.captures import captures, files, responses

#: What the JSON bodies of requests are, by code; those of 103 may be in another form.
REQUEST_BODIES: dict[int, type] = {
    RequestCode.HEART_BEAT: HeartbeatData,
    RequestCode.LOCK_BATCH_MQ: LockBatchRequestBody,
    RequestCode.UNLOCK_BATCH_MQ: LockBatchRequestBody,
    RequestCode.REGISTER_BROKER: RegisterBrokerBody,
    RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: SubscriptionGroup,
}
#: And those of responses, by the request's code.
RESPONSE_BODIES: dict[int, type] = {
    RequestCode.GET_BROKER_RUNTIME_INFO: KVTable,
    RequestCode.GET_CONSUMER_LIST_BY_GROUP: ConsumerIdList,
    RequestCode.LOCK_BATCH_MQ: LockBatchResponseBody,
    RequestCode.GET_ROUTEINFO_BY_TOPIC: TopicRoute,
    RequestCode.GET_BROKER_CLUSTER_INFO: ClusterInfo,
    RequestCode.GET_TOPIC_STATS_INFO: TopicStatsTable,
    RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER: TopicList,
    RequestCode.GET_TOPIC_CONFIG: TopicConfig,
    RequestCode.GET_CONSUME_STATS: ConsumeStats,
}


class CaptureTests(SynchronousTestCase):
    """Every recorded JSON body, of each release."""

    def test_bodies(self) -> None:
        """Each JSON body is read, and what we write of it says the same."""
        checked: Counter[str] = Counter()
        bodies = [
            (where, REQUEST_BODIES.get(command.code), command.body)
            for where, _, command in captures()
            if not command.is_response
        ]
        bodies += [
            (where, RESPONSE_BODIES.get(request.code), command.body)
            for where, request, command in responses()
            if command.code == ResponseCode.SUCCESS
        ]
        for where, kind, body in bodies:
            if kind is None or not body.startswith(b"{"):
                continue
            found = fastjson.decode_as(body, kind)
            written = fastjson.loads(fastjson.dumps(found))
            self.assert_within(fastjson.loads(body), written, f"{where} {kind}")
            checked[where] += 1
        self.assertEqual(set(checked), files())

    def assert_within(self, part: Any, whole: Any, what: str) -> None:
        """Compare what one text says with another, which may have further members."""
        if isinstance(part, dict) and isinstance(whole, dict):
            self.assertLessEqual(part.keys(), whole.keys(), what)
            for key, value in part.items():
                self.assert_within(value, whole[key], f"{what} {key}")
        elif isinstance(part, list):
            self.assertEqual(len(part), len(whole), what)
            pairs = zip(sorted(part, key=str), sorted(whole, key=str), strict=True)
            for each, other in pairs:
                self.assert_within(each, other, what)
        else:
            self.assertEqual(part, whole, what)
