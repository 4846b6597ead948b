"""Every declared request says what it needs."""

from __future__ import annotations

import importlib
import pkgutil

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.access import Action, Need, ResourceKind
from rocketmq_tw.wire import requests
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import DECLARED
from rocketmq_tw.wire.requests.consumer import ConsumeMessageDirectly, GetConsumeStats
from rocketmq_tw.wire.requests.group import DeleteGroups, UpdateForbidden
from rocketmq_tw.wire.requests.heartbeat import Heartbeat, UnregisterClient
from rocketmq_tw.wire.requests.lock import LockQueues
from rocketmq_tw.wire.requests.message import ViewMessage
from rocketmq_tw.wire.requests.pull import PullMessage
from rocketmq_tw.wire.requests.route import GetRoute
from rocketmq_tw.wire.requests.rules import ADMINISTRATION, RULES
from rocketmq_tw.wire.requests.send import SendBack
from rocketmq_tw.wire.requests.topic import CreateTopics, DeleteTopics

for _module in pkgutil.iter_modules(requests.__path__):
    importlib.import_module(f"{requests.__name__}.{_module.name}")

BEAT = b"""{"clientID":"c","producerDataSet":[{"groupName":"P"}],"consumerDataSet":[
{"groupName":"G","subscriptionDataSet":[{"topic":"T","subString":"*"},
{"topic":"%RETRY%G","subString":"*"}]}]}"""
QUEUES = b"""{"clientId":"c","consumerGroup":"G","mqSet":[
{"brokerName":"b","queueId":0,"topic":"T"},{"brokerName":"b","queueId":1,"topic":"T"}]}
"""


class RuleTests(SynchronousTestCase):
    """The rules, and what they read from requests."""

    def test_every_request(self) -> None:
        """A request that is declared has a rule: add it in wire/requests/rules.py."""
        ours = {code for code, kind in DECLARED.items() if _is_ours(kind)}
        self.assertEqual(ours ^ set(RULES), set())

    def test_administration(self) -> None:
        """What clients and brokers need to work is no administration."""
        for code in (
            RequestCode.SEND_MESSAGE_V2,
            RequestCode.HEART_BEAT,
            RequestCode.REGISTER_BROKER,
            RequestCode.GET_ALL_TOPIC_CONFIG,
            RequestCode.EXCHANGE_BROKER_HA_INFO,
        ):
            self.assertNotIn(code, ADMINISTRATION)
        self.assertIn(RequestCode.UPDATE_BROKER_CONFIG, ADMINISTRATION)
        self.assertIn(RequestCode.AUTH_CREATE_USER, ADMINISTRATION)

    def test_needs(self) -> None:
        """Each kind of request, with the names in its header or its body."""
        topic, group = ResourceKind.TOPIC, ResourceKind.GROUP
        sub = (Action.SUB,)
        pulled = PullMessage("G", "%RETRY%G", 0, 0, 1, 0, 0, 0, expression_type="TAG")
        topics = b'{"topicConfigList":[{"topicName":"A"},{"topicName":"B"}]}'
        for request, expected in (
            (
                CreateTopics(body=topics),
                [Need(topic, name, (Action.CREATE,)) for name in ("A", "B")],
            ),
            (CreateTopics(body=b"{}"), [Need(topic, "*", (Action.CREATE,))]),
            (
                DeleteTopics(body=b'{"topicList":["A","%RETRY%G"]}'),
                [
                    Need(topic, "A", (Action.DELETE,)),
                    Need(group, "G", (Action.DELETE,)),
                ],
            ),
            (DeleteTopics(body=b"{}"), [Need(topic, "*", (Action.DELETE,))]),
            (
                DeleteGroups(body=b'{"groupNameList":["A",""]}'),
                [Need(group, name, (Action.DELETE,)) for name in ("A", "*")],
            ),
            (
                UpdateForbidden("G", "T", False),
                [
                    Need(topic, "T", (Action.UPDATE,)),
                    Need(group, "G", (Action.UPDATE,)),
                ],
            ),
            (Heartbeat(body=BEAT), [Need(group, "G", sub), Need(topic, "T", sub)]),
            (LockQueues(body=QUEUES), [Need(group, "G", sub), Need(topic, "T", sub)]),
            (pulled, [Need(group, "G", sub), Need(group, "G", sub)]),
            (
                SendBack(0, "G", 0, origin_topic="T"),
                [Need(group, "G", sub), Need(topic, "T", sub)],
            ),
            (
                SendBack(0, "G", 0),
                [Need(group, "G", sub), Need(topic, "*", sub)],
            ),
            (
                GetConsumeStats("G", topic_list="A;B"),
                [
                    Need(group, "G", (Action.GET,)),
                    Need(topic, "A", (Action.GET,)),
                    Need(topic, "B", (Action.GET,)),
                ],
            ),
            (
                ConsumeMessageDirectly("G", "c", "id"),
                [
                    Need(group, "G", sub),
                    Need(group, "G", (Action.UPDATE,)),
                    Need(topic, "*", sub),
                ],
            ),
            (UnregisterClient("c", consumer_group="G"), [Need(group, "G", sub)]),
            (UnregisterClient("c", producer_group="P"), []),
            (ViewMessage(0), [Need(topic, "*", (Action.GET,))]),
            (
                GetRoute("T"),
                [Need(topic, "T", (Action.PUB, Action.SUB, Action.GET))],
            ),
        ):
            self.assertEqual(RULES[request.code].needs(request), expected)


def _is_ours(kind: type[object]) -> bool:
    """Whether a request is declared in the package; tests declare some, too."""
    return kind.__module__.startswith("rocketmq_tw.")
