"""Starting and stopping a client with all that belongs to it."""

from __future__ import annotations

from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client import Client
from rocketmq_tw.client.errors import (
    NameServerUnavailable,
    StateError,
    ValidationError,
)
from rocketmq_tw.model.message import Message
from rocketmq_tw.tls.settings import Tls
from tests.client.cluster import NAME_SERVER, Cluster

HELLO = Message("T", b"hello")


class ClientTests(SynchronousTestCase):
    """A client's life."""

    def setUp(self) -> None:
        """Make a cluster with one topic."""
        self.cluster = Cluster(self)
        self.clock = self.cluster.clock
        self.broker = self.cluster.broker("broker-a")
        self.cluster.topic("T", broker_a=4)

    def test_start_waits_for_a_name_server(self) -> None:
        """It fires with the client once one has responded."""
        client = self.cluster.client()
        started = client.start()
        self.assertNoResult(started)
        self.cluster.deliver()
        self.assertIs(self.successResultOf(started), client)
        self.stop(client)

    def test_start_without_a_name_server(self) -> None:
        """It fails, and leaves nothing behind."""
        self.cluster.network.refuse(NAME_SERVER)
        client = self.cluster.client()
        started = client.start()
        self.cluster.deliver()
        self.failureResultOf(started, NameServerUnavailable)
        self.assertEqual(self.cluster.timers(), [])

    def test_two_kinds_of_tls(self) -> None:
        """TLS in the template and beside it would be TLS within TLS."""
        for endpoint in ("tls:{host}:{port}", "ssl:{host}:{port}"):
            with self.assertRaises(ValidationError):
                Client(self.clock, "ns:9876", tls=Tls(), endpoint=endpoint)

    def test_start_cancelled(self) -> None:
        """Cancelling the start rolls it back."""
        self.cluster.name_server.ignore()
        client = self.cluster.client()
        started = client.start()
        self.cluster.deliver()
        started.cancel()
        self.cluster.pump(2)
        self.failureResultOf(started, CancelledError)
        self.assertEqual(self.cluster.timers(), [])

    def test_part_of_an_application(self) -> None:
        """As a child service it starts in the background, name servers or not."""
        self.cluster.network.refuse(NAME_SERVER)
        application = MultiService()
        client = self.cluster.client()
        client.setServiceParent(application)
        producer = client.producer("pg")
        application.startService()
        self.assertTrue(producer.running)
        stopped = application.stopService()
        self.cluster.pump(2)
        self.successResultOf(stopped)
        self.assertEqual(self.cluster.timers(), [])

    def test_async_with(self) -> None:
        """Client and producer start and stop as the block is entered and left."""

        async def run() -> str:
            async with self.cluster.client() as client:
                async with client.producer("pg") as producer:
                    result = await producer.send(HELLO)
            return result.queue.broker_name

        done = Deferred.fromCoroutine(run())
        self.cluster.pump(2)
        self.assertEqual(self.successResultOf(done), "broker-a")
        self.assertEqual(self.cluster.timers(), [])
        self.assertEqual(self.broker.connections, [])

    def test_stop_leaves_the_groups(self) -> None:
        """Brokers are notified before the connections are closed."""
        client = self.cluster.client()
        client.startService()
        producer = client.producer("pg")
        sending = producer.send(HELLO)
        self.cluster.deliver()
        self.successResultOf(sending)
        self.stop(client)
        self.assertEqual(self.broker.left[0].producer_group, "pg")
        self.assertEqual(self.broker.heartbeats[0].client_id, client.client_id)

    def test_stop_is_for_good(self) -> None:
        """It stops once, twice without harm, and starts no more."""
        client = self.cluster.client()
        client.startService()
        self.stop(client)
        self.stop(client)
        self.assertRaises(StateError, client.startService)
        self.failureResultOf(client.start(), StateError)

    def test_a_stop_that_is_cancelled(self) -> None:
        """Of several who wait for the end, one may give up because of another."""
        client = self.cluster.client()
        client.startService()
        self.cluster.deliver()
        client.stop()
        one, other = client.stop(), client.stop()
        one.addCallback(lambda _: other.cancel())
        self.cluster.deliver()
        self.successResultOf(one)
        self.failureResultOf(other, CancelledError)

    def test_route(self) -> None:
        """Routes can be looked up without producing or consuming."""
        client = self.cluster.client()
        found = client.route("T")
        self.cluster.deliver()
        self.assertEqual(len(self.successResultOf(found).broker_datas), 1)
        self.stop(client)

    def stop(self, client: Client) -> None:
        """Stop, and check that no timer is left."""
        stopped = client.stop()
        self.cluster.pump(2)
        self.successResultOf(stopped)
        self.assertEqual(self.cluster.timers(), [])
