"""What tests of a client's session begin with."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.client.cluster import Cluster


class SessionCase(SynchronousTestCase):
    """A session on a cluster in memory, which knows a topic on two brokers."""

    def setUp(self) -> None:
        """Start a session that knows a topic on two brokers."""
        self.cluster = Cluster(self)
        self.clock = self.cluster.clock
        self.a = self.cluster.broker("broker-a")
        self.b = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4, broker_b=4)
        self.session = self.cluster.client(client_id="me").session
        self.session.start()
        self.cluster.deliver()
        self.session.routes.watch("T")
        self.session.routes.find("T")
        self.cluster.deliver()

    def tearDown(self) -> None:
        """Stop it: no timer may be left."""
        stopped = self.session.stop()
        self.cluster.pump(3)
        self.successResultOf(stopped)
        self.assertEqual(self.cluster.timers(), [])

    def heartbeat(self) -> None:
        """Send one to all, and wait for the responses."""
        done = self.session.heartbeats.send_all()
        self.cluster.deliver()
        self.successResultOf(done)
