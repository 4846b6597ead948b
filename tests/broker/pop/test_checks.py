"""Tests of rocketmq_tw.broker.pop.checks."""

from __future__ import annotations

import msgspec

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import PERM_WRITE
from rocketmq_tw.wire.requests.pop import Notification, PollingInfo
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, popped


class CheckTests(PopCase):
    """Apache RocketMQ's codes, and remarks that name the cause."""

    def test_refused(self) -> None:
        """Numbers, names and expressions that cannot be."""
        for code, words, request in (
            (29, "num is 33", popped(max_msg_nums=33)),
            (210, "maxMsgNums is 0", popped(max_msg_nums=0, poll_time=9000)),
            (17, "topic[No] not exist", popped(topic="No")),
            (29, "queueId[4] is illegal", popped(queue_id=4)),
            (29, "queueId[-2] is illegal", popped(queue_id=-2)),
            (23, "at character 4", popped(exp_type="SQL92", exp="a >")),
            (23, "XPATH", popped(exp_type="XPATH", exp="a > 3")),
            (23, "maxSubscriptionLength", popped(exp="A||" * 30_000)),
            (26, "does not exist", popped(consumer_group="no such group")),
            (17, "topic[No] not exist", Notification(GROUP, "No", -1, 0)),
            (29, "queueId[4] is illegal", PollingInfo(GROUP, TOPIC, 4)),
        ):
            self.refused(code, words, request)

    def test_permissions(self) -> None:
        """A topic that is only written, a group that may not consume."""
        self.topic("Written", perm=PERM_WRITE)
        self.refused(16, "is forbidden", popped(topic="Written"))
        self.tables.groups.put(SubscriptionGroup(GROUP, consume_enable=False))
        self.refused(16, "no permission", popped())


class UnknownGroupTests(PopCase):
    """Where groups are not created by themselves."""

    settings = {"auto_create_subscription_group": False}

    def test_refused(self) -> None:
        """An unknown one cannot pop."""
        self.refused(26, "does not exist", popped())


class UnreadableTests(PopCase):
    """Where the broker is not to be read from."""

    settings = {"broker_permission": PERM_WRITE}

    def test_refused(self) -> None:
        """Nothing is popped."""
        self.refused(16, "is forbidden", popped())
        self.assertEqual(msgspec.structs.asdict(popped())["topic"], TOPIC)
