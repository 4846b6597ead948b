"""A cluster in memory in which every broker checks who asks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Credentials, Message
from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.client.errors import SendError
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.testing import MemoryCluster

ADMIN = Credentials("admin", "hidden-admin")


class AccessClusterTests(SynchronousTestCase):
    """Master, slave and clients."""

    def setUp(self) -> None:
        """Start a master that waits for its slave."""
        access = AccessSettings(
            is_authenticated=True,
            is_authorized=True,
            first_user=Secret("admin", "hidden-admin"),
            inner=Secret("inner", "hidden-inner"),
        )
        self.cluster = MemoryCluster(
            directory=self.mktemp(),
            broker_settings={
                "access": access,
                "broker_role": BrokerRole.SYNC_MASTER,
                "in_sync_replicas": 2,
            },
        )
        self.slave = self.cluster.add_slave("broker-a", in_sync_replicas=1)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_slave(self) -> None:
        """A slave signs as the inner user, and copies the tables of its master."""
        client = self.cluster.make_client(credentials=ADMIN)
        self.cluster.result_of(client.start())
        producer = client.producer("producers")
        sent = producer.send(Message("TopicTest", b"hello"))
        self.assertEqual(self.cluster.result_of(sent).status.name, "SEND_OK")
        self.cluster.advance(30)
        self.assertIsNotNone(self.slave.service._tables.topics.get("TopicTest"))

    def test_consumer(self) -> None:
        """Heartbeats, locks, pulls and commits are signed, too."""
        client = self.cluster.make_client(credentials=ADMIN)
        self.cluster.result_of(client.start())
        sent = client.producer("producers").send(Message("TopicTest", b"hello"))
        self.cluster.result_of(sent)
        bodies: list[bytes] = []

        def handle(message: StoredMessage) -> None:
            bodies.append(message.body)

        consumer = client.push_consumer("group")
        consumer.subscribe("TopicTest", "*", handle)
        self.cluster.result_of(consumer.start())
        sent = client.producer("others").send(Message("TopicTest", b"again"))
        self.cluster.result_of(sent)
        self.cluster.advance(40)
        self.assertIn(b"again", bodies)

    def test_stranger(self) -> None:
        """A client without a user sends nothing, and knows why."""
        client = self.cluster.make_client()
        self.cluster.result_of(client.start())
        sent = client.producer("producers").send(Message("TopicTest", b"hello"))
        self.cluster.advance(10)
        error = self.failureResultOf(sent, SendError).value
        self.assertIn("username cannot be null.", str(error))
