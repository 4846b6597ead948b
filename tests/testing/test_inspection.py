"""Looking into a cluster from outside."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster


class InspectionTests(SynchronousTestCase):
    """What a test reads is what consumers would."""

    def test_all_messages(self) -> None:
        """More than one pull brings are read, from all queues of all brokers."""
        with MemoryCluster(brokers=2) as cluster:
            cluster.create_topic("T", queues=2)
            producer = cluster.producer()
            bodies = [b"%03d" % number for number in range(200)]
            for body in bodies:
                cluster.result_of(producer.send(Message("T", body)))
            found = cluster.messages("T")
        self.assertEqual(sorted(message.body for message in found), bodies)
        self.assertEqual({message.broker_name[-1] for message in found}, {"a", "b"})

    def test_no_topic(self) -> None:
        """A topic that nobody knows has no messages."""
        with MemoryCluster() as cluster:
            self.assertEqual(cluster.messages("T"), [])
