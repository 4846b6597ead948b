"""A cluster in memory in which every connection has TLS, both ends verified."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Message
from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.client import Client
from rocketmq_tw.client.errors import NameServerUnavailable
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.tls.settings import (
    ClientAuth,
    ServerMode,
    ServerTls,
    Tls,
    TlsSettings,
)
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from tests.tls.authority import Authority


class TlsClusterTests(SynchronousTestCase):
    """Name server, master, slave and client."""

    def setUp(self) -> None:
        """Make the files of all parts."""
        self.authority = Authority(self.mktemp())
        self.server = self.authority.issue("server", hosts=("mq.example",))
        self.client = self.authority.issue("client")

    def settings(self, **more: Any) -> TlsSettings:
        """Return the settings of a server that accepts nothing but TLS."""
        return TlsSettings(
            server=ServerTls(
                mode=ServerMode.ENFORCING,
                certificate=self.server[0],
                key=self.server[1],
                client_auth=ClientAuth.REQUIRE,
                client_ca=self.authority.ca,
            ),
            client=self.tls(),
            **more,
        )

    def tls(self, **more: Any) -> Tls:
        """Return how clients, and servers as such, connect."""
        return Tls(
            ca_file=self.authority.ca,
            certificate=self.client[0],
            key=self.client[1],
            server_name="mq.example",
            **more,
        )

    def start(self, **more: Any) -> tuple[MemoryCluster, BrokerNode]:
        """Start a name server, a master that waits for its slave, and the slave."""
        tls = self.settings(**more)
        cluster = MemoryCluster(
            directory=self.mktemp(),
            broker_settings={
                "tls": tls,
                "broker_role": BrokerRole.SYNC_MASTER,
                "in_sync_replicas": 2,
            },
            name_server_settings={"tls": tls},
        )
        slave = cluster.add_slave("broker-a", in_sync_replicas=1)
        self.addCleanup(cluster.stop)
        cluster.start()
        return cluster, slave

    def connected(self, cluster: MemoryCluster, **options: Any) -> Client:
        """Make a client that has found a name server."""
        client = cluster.make_client(**options)
        cluster.result_of(client.start())
        return client

    def test_all(self) -> None:
        """A message is stored by both brokers, and the fast port works as well."""
        cluster, slave = self.start()
        client = self.connected(cluster, tls=self.tls())
        producer = client.producer("producers")
        sent = producer.send(Message("TopicTest", b"hello"))
        self.assertEqual(cluster.result_of(sent).status.name, "SEND_OK")
        host, _, port = cluster.broker.address.rpartition(":")
        fast = f"{host}:{int(port) - 2}"
        request = GetMaxOffset(topic="TopicTest", queue_id=0)
        for address in (fast, slave.address):
            cluster.result_of(client.session.pool.call(address, request))

    def test_plain_replication(self) -> None:
        """``tls.ha.enable`` is false: the log is copied as with Apache RocketMQ."""
        cluster, _ = self.start(ha=False)
        client = self.connected(cluster, tls=self.tls())
        sent = client.producer("producers").send(Message("TopicTest", b"hello"))
        self.assertEqual(cluster.result_of(sent).status.name, "SEND_OK")

    def test_plain_client(self) -> None:
        """A client without TLS finds no name server, and is told why."""
        cluster, _ = self.start()
        client = cluster.make_client()
        failed = client.start()
        cluster.advance(5)
        error = self.failureResultOf(failed, NameServerUnavailable).value
        self.assertIn("connection", str(error))

    def test_counters(self) -> None:
        """Handshakes of all connections are counted."""
        cluster, _ = self.start()
        tls = cluster.broker.service._ports.tls
        assert tls is not None
        self.assertGreaterEqual(tls.handshakes.completed, 2)
        self.assertEqual((tls.handshakes.count, tls.handshakes.failed), (0, 0))
