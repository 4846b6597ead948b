"""Servers that are stopped, killed and started again."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import SendError
from rocketmq_tw.model.message import Message
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.requests.route import GetRoute


class NodeCase(SynchronousTestCase):
    """Has a cluster with one message."""

    directory: str | None = None

    def setUp(self) -> None:
        """Start."""
        self.cluster = MemoryCluster(directory=self.directory)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T")
        self.broker = self.cluster.broker
        self.producer = self.cluster.producer()
        self.send(b"one")

    def send(self, body: bytes) -> None:
        """Send one message."""
        self.cluster.result_of(self.producer.send(Message("T", body)))

    def bodies(self) -> list[bytes]:
        """Give what the broker holds."""
        return sorted(message.body for message in self.cluster.messages("T"))


class MemoryTests(NodeCase):
    """A broker that keeps messages in memory."""

    def test_restarted(self) -> None:
        """It starts empty, in the same place."""
        address = self.broker.address
        self.broker.restart()
        self.assertEqual(self.broker.service.address, address)
        self.assertEqual(self.bodies(), [])

    def test_killed(self) -> None:
        """Nothing of it runs; who sends to it learns that it is gone."""
        reactor = self.broker.reactor
        self.broker.kill()
        assert reactor is not None
        self.assertEqual(reactor.getDelayedCalls(), [])
        self.assertFalse(self.broker.is_running)
        self.assertRaises(SendError, self.send, b"two")
        self.broker.kill()
        self.broker.start()
        self.cluster.advance(1)
        self.send(b"two")
        self.assertEqual(self.bodies(), [b"two"])

    def test_name_server_killed(self) -> None:
        """Brokers register again with one that is back."""
        (name_server,) = self.cluster.name_servers
        name_server.kill()
        self.send(b"two")
        name_server.start()
        self.cluster.advance(10)
        self.assertTrue(self.cluster.call(name_server, GetRoute(topic="T")).body)

    def test_repr(self) -> None:
        """A node shows its name and address."""
        self.assertIn("broker-a 10.0.1.1:10911", repr(self.broker))


class FileTests(NodeCase):
    """A broker that keeps messages in files."""

    def setUp(self) -> None:
        """Keep them in a folder of the test's own."""
        self.directory = os.path.abspath(self.mktemp())
        super().setUp()

    def test_restarted(self) -> None:
        """It finds its messages again."""
        self.broker.restart()
        self.assertEqual(self.bodies(), [b"one"])
        self.assertEqual(self.broker.directory, f"{self.directory}/broker-a")

    def test_killed(self) -> None:
        """It finds what it had written, and knows that it was killed."""
        self.broker.kill()
        self.assertTrue(os.path.exists(f"{self.broker.directory}/abort"))
        self.broker.start()
        self.cluster.advance(1)
        self.send(b"two")
        self.assertEqual(self.bodies(), [b"one", b"two"])

    def test_disk_stalls(self) -> None:
        """What is handed to threads waits; sends go on."""
        self.broker.threads.hold()
        self.send(b"two")
        self.cluster.advance(10)
        self.assertTrue(self.broker.threads.work)
        self.broker.threads.release()
        self.assertEqual(self.broker.threads.work, [])

    def test_disk_fails(self) -> None:
        """A broker whose disk fails takes no more messages; a restart repairs it."""
        self.broker.threads.fail_with(OSError(errno.EIO, "broken"))
        self.cluster.advance(10)
        self.assertRaises(SendError, self.send, b"two")
        self.broker.threads.fail_with(None)
        self.broker.restart()
        self.cluster.advance(1)
        self.send(b"three")
        self.assertEqual(self.bodies(), [b"one", b"three"])
        self.flushLoggedErrors(OSError)
