"""What the tests of the name server have in common."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.live import Registration
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing.network import MemoryNetwork
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


class ThreadlessReactor(MemoryReactorClock):  # type: ignore[misc]
    """A reactor in memory that runs what blocks at once."""

    def getThreadPool(self) -> ThreadlessReactor:  # noqa: N802
        """Be the pool, too."""
        return self

    def callInThreadWithCallback(  # noqa: N802
        self, done: Any, function: Any, *args: Any, **more: Any
    ) -> None:
        """Run it now."""
        try:
            result = function(*args, **more)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)

    def callFromThread(self, function: Any, *args: Any, **more: Any) -> None:  # noqa: N802
        """Run it now."""
        function(*args, **more)


class Served(SynchronousTestCase):
    """
    A name server in memory, and connections to it.

    :ivar config: its settings.
    """

    def setUp(self) -> None:
        """Start it."""
        self.clock = ThreadlessReactor()
        self.clock.advance(1_700_000_000)
        self.path = os.path.join(self.mktemp(), "kvConfig.json")
        self.config = NamesrvConfig(kv_config_path=self.path)
        self.service = NamesrvService(self.config, self.clock)
        self.service.startService()
        self.addCleanup(self.service.stopService)
        self.successResultOf(self.service.started)
        self.network = MemoryNetwork(self.clock)
        self.network.listen("ns:9876", self.service.factory)
        self.pool = self.connect()

    def connect(self) -> ConnectionPool:
        """Make a client with a connection of its own."""
        return ConnectionPool(self.clock, endpoint_for=self.network.endpoint)

    def ask(self, request: Request[Any], pool: ConnectionPool | None = None) -> Any:
        """Ask, and give the answer."""
        asked = (pool or self.pool).call("ns:9876", request)
        self.clock.pump([0] * 6)
        return self.successResultOf(asked)

    def refused(self, request: Request[Any]) -> tuple[int, str]:
        """Ask, and give the code and remark of the refusal."""
        asked = self.pool.call("ns:9876", request)
        self.clock.pump([0] * 6)
        error = self.failureResultOf(asked, BrokerError).value
        return error.code, error.remark

    def register(self, *names: str, **more: Any) -> RegisterResponse:
        """Register broker-a's master with these topics, and give the answer."""
        pool = more.pop("pool", None)
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
        return self.ask(RegisterBroker(**given), pool)
