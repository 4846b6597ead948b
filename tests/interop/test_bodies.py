"""Our JSON bodies, read and written again by the classes of each Apache release."""

from __future__ import annotations

from typing import Any

import pytest

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies import consumers, heartbeat, locks, offsets, stats
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.bodies.running_info import ConsumerRunningInfo
from rocketmq_tw.wire.bodies.topics import TopicList
from tests.wire.bodies.test_golden import GOLDEN, ROUTE

from . import apache
from .lab import Lab

NAMES: dict[type, str] = {
    ClusterInfo: "ClusterInfo",
    ConsumerRunningInfo: "ConsumerRunningInfo",
    RegisterBrokerBody: "RegisterBrokerBody",
    TopicList: "TopicList",
    consumers.ConsumerConnection: "ConsumerConnection",
    heartbeat.HeartbeatData: "HeartbeatData",
    locks.LockBatchRequestBody: "LockBatchRequestBody",
    locks.LockBatchResponseBody: "LockBatchResponseBody",
    offsets.ConsumerOffsetTable: "ConsumerOffsetSerializeWrapper",
    offsets.DelayOffsetTable: "DelayOffsetSerializeWrapper",
    offsets.GetConsumerStatusBody: "GetConsumerStatusBody",
    offsets.ResetOffsetBody: "ResetOffsetBody",
    stats.ConsumeStats: "ConsumeStats",
    stats.ConsumeStatsList: "ConsumeStatsList",
    stats.TopicStatsTable: "TopicStatsTable",
}
"""Java's names of the bodies that are tried."""

QUEUE = MessageQueue("T", "b", 1)
MORE: list[Body] = [
    stats.TopicStatsTable({QUEUE: stats.TopicOffset(1, 2, 3)}),
    stats.ConsumeStats({QUEUE: stats.OffsetState(9, 8, 7, 6)}, 1.5),
    stats.ConsumeStatsList(
        ({"G": (stats.ConsumeStats({QUEUE: stats.OffsetState(9, 8, 7, 6)}),)},)
    ),
]
"""Bodies in which nothing has the value that a lost member would have."""

NEWER = {
    "attributes",
    "dataVersion",
    "enableActingMaster",
    "heartbeatFingerprint",
    "mappingDataVersion",
    "mqPopTable",
    "onlyThisBroker",
    "pullOffset",
    "pullOffsetTable",
    "topicPutTps",
    "topicQueueMappingDetailMap",
    "topicQueueMappingInfoMap",
    "totalInflightDiff",
    "userConsumerInfo",
    "withoutSub",
}
"""Members that not every release knows; who does not, leaves them out."""


@pytest.mark.parametrize("release", apache.RELEASES)
def test_bodies(lab: Lab, release: str) -> None:
    """Each release reads all that we write, and we read what it writes."""
    program = apache.program(release, "ReadBodies", lab.scratch)
    program.wait_for("started")
    bodies = [body for _, body in GOLDEN if type(body) in NAMES] + MORE
    assert {type(body) for body in bodies} == set(NAMES)
    texts = [(NAMES[type(body)], body.encode()) for body in bodies]
    texts.append(("TopicRouteData", fastjson.dumps_ascii(ROUTE)))
    texts.append(("TopicRouteData", fastjson.dumps_lenient(ROUTE)))
    wrong = {}
    for name, text in texts:
        printed = program.ask(f"{name} {text.decode()}", "body")
        ours = fastjson.loads(text)
        theirs = fastjson.loads(printed.get("text", "null"))
        if without_newer(theirs) != without_newer(ours):
            wrong[text.decode()] = printed
    program.stop()
    assert not wrong


def without_newer(value: Any) -> Any:
    """Leave out what some release leaves out; lists of sets have no order."""
    if isinstance(value, dict):
        return {k: without_newer(v) for k, v in value.items() if k not in NEWER}
    if isinstance(value, list):
        return sorted(map(without_newer, value), key=str)
    return value
