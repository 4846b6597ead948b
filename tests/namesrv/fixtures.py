"""What the tests of the name server have in common."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.live import Registration
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody, crc
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.registration import RegisterBroker, RegisterResponse

CLUSTER = "DefaultCluster"
MASTER = "10.0.0.1:10911"
REPLICA = "10.0.0.2:10911"


def topics(*names: str, version: int = 1, state: int = 0) -> TopicConfigAndMappingTable:
    """Make a table of topics that have eight queues each."""
    configs = {name: TopicConfig(name, 8, 8) for name in names}
    return TopicConfigAndMappingTable(configs, DataVersion(1700, version, state))


def broker(*names: str, version: int = 1, state: int = 0, **more: Any) -> Registration:
    """Make a registration; of broker-a's master unless told otherwise."""
    given = {
        "cluster": CLUSTER,
        "broker_name": "broker-a",
        "broker_addr": MASTER,
        "ha_server_addr": "10.0.0.1:10912",
        "topics": topics(*names, version=version, state=state),
        **more,
    }
    return Registration(**given)


def replica(*names: str, **more: Any) -> Registration:
    """Make a registration of broker-a's first replica."""
    return broker(*names, **{"broker_addr": REPLICA, "broker_id": 1, **more})


def registration(*names: str, **more: Any) -> RegisterBroker:
    """Make the request of broker-a's master, with these topics."""
    body = RegisterBrokerBody(topics(*names)).encode()
    given = {
        "broker_name": "broker-a",
        "broker_addr": MASTER,
        "cluster_name": CLUSTER,
        "ha_server_addr": "10.0.0.1:10912",
        "broker_id": 0,
        "body_crc32": crc(body),
        "body": body,
        **more,
    }
    return RegisterBroker(**given)


class Served(SynchronousTestCase):
    """
    A name server in memory, and connections to it.

    :ivar service: the name server.
    :ivar config: its settings, which take effect at once.
    """

    def setUp(self) -> None:
        """Start it."""
        self.cluster = MemoryCluster(brokers=0).start()
        self.addCleanup(self.cluster.stop)
        self.clock = self.cluster.clock
        (self.node,) = self.cluster.name_servers
        self.service: NamesrvService = self.node.service
        self.config: NamesrvConfig = self.node.config
        self.path = self.config.kv_config_path
        self.pool = self.connect()

    def connect(self) -> ConnectionPool:
        """Make a client with a connection of its own."""
        return ConnectionPool(self.cluster.network.reactor("10.0.2.1"))

    def ask(self, request: Request[Any], pool: ConnectionPool | None = None) -> Any:
        """Ask, and give the response."""
        asked = (pool or self.pool).call(self.node.address, request)
        return self.cluster.result_of(asked)

    def refused(self, request: Request[Any]) -> tuple[int, str]:
        """Ask, and give the code and remark of the refusal."""
        asked = self.pool.call(self.node.address, request)
        self.cluster.advance()
        error = self.failureResultOf(asked, BrokerError).value
        return error.code, error.remark

    def register(self, *names: str, **more: Any) -> RegisterResponse:
        """Register broker-a's master with these topics, and give the response."""
        pool = more.pop("pool", None)
        return self.ask(registration(*names, **more), pool)
