"""The settings of a topic, of brokers that cannot be asked for one."""

from __future__ import annotations

from rocketmq_tw.admin import AlreadyExists, NotFound
from rocketmq_tw.admin.topic_changes import TopicSettings
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.topic import GetTopicConfig
from tests.admin.cases import AdminCase


class OldBrokerTests(AdminCase):
    """Brokers of 4.x have no request for one topic."""

    def setUp(self) -> None:
        """Refuse that request."""
        super().setUp()
        code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED
        for node in self.cluster.brokers.values():
            node.traffic.refuse(GetTopicConfig, code, times=20)
        self.cluster.create_topic("orders", 3)

    def test_show(self) -> None:
        """Its settings are there."""
        found = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual([each.write_queues for each in found.settings], [3, 3])
        self.assertEqual(found.failed, {})

    def test_create(self) -> None:
        """A topic that exists is not replaced."""
        self.failure(self.admin.topics.create("orders", queues=9), AlreadyExists)
        self.run_admin(self.admin.topics.create("bills", queues=2))

    def test_update(self) -> None:
        """What is not named is kept; what does not exist is not created."""
        self.run_admin(
            self.admin.topics.update("orders", TopicSettings(permission="r"))
        )
        found = self.run_admin(self.admin.topics.get("orders"))
        self.assertEqual(
            {(each.permission, each.write_queues) for each in found.settings},
            {("r", 3)},
        )
        update = self.admin.topics.update("nothing", TopicSettings(queues=1))
        self.failure(update, NotFound)
