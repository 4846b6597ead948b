"""Tests of the notices about the broker with the lowest id."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.namesrv.min_broker import MOST, MinBrokerNotices
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.requests.registration import RegisterBroker, UnregisterBroker
from rocketmq_tw.wire.requests.replication import NotifyMinBrokerIdChange

TOPICS = {name: TopicConfig(name) for name in ("A", "B")}


class Member:
    """
    A broker that registers, and remembers its notices.

    :ivar notices: the lowest id in each, with the other fields that are set.
    """

    def __init__(self, cluster: MemoryCluster, broker_id: int) -> None:
        self.broker_id = broker_id
        self.notices: list[tuple[int | None, dict[str, Any]]] = []
        self.address = f"10.0.9.{broker_id + 1}:10911"
        self._cluster = cluster
        reactor = cluster.network.reactor(f"10.0.9.{broker_id + 1}")
        router = Router()
        router.on(NotifyMinBrokerIdChange, self._noticed)
        reactor.listenTCP(10911, RemotingServerFactory(router, reactor))
        self._pool = ConnectionPool(reactor)

    def _noticed(self, notice: NotifyMinBrokerIdChange, _call: Call) -> None:
        fields = {
            "min": notice.min_broker_addr,
            "offline": notice.offline_broker_addr,
            "ha": notice.ha_broker_addr,
        }
        kept = {name: value for name, value in fields.items() if value is not None}
        self.notices.append((notice.min_broker_id, kept))

    def _call(self, request: Any) -> None:
        names = self._cluster.name_server_addresses[0]
        self._cluster.result_of(self._pool.call(names, request))
        self._cluster.advance(0.1)

    def register(self, acting: bool = True) -> None:
        """Register."""
        table = TopicConfigAndMappingTable(TOPICS, DataVersion(1, 1))
        self._call(
            RegisterBroker(
                broker_name="b",
                broker_addr=self.address,
                cluster_name="C",
                ha_server_addr=f"ha-{self.broker_id}:1",
                broker_id=self.broker_id,
                enable_acting_master=acting,
                body=RegisterBrokerBody(table).encode(),
            )
        )

    def unregister(self) -> None:
        """Leave."""
        self._call(UnregisterBroker("b", self.address, "C", self.broker_id))

    def lose(self) -> None:
        """Lose the connection to the name server."""
        self._cluster.result_of(self._pool.close_all())
        self._cluster.advance(0.1)


class NoticeTests(SynchronousTestCase):
    """Who is notified of what."""

    settings: dict[str, Any] = {"notify_min_broker_id_changed": True}

    def setUp(self) -> None:
        """Start a name server, and three brokers that are not registered."""
        self.cluster = MemoryCluster(
            brokers=0, name_server_settings=self.settings
        ).start()
        self.addCleanup(self.cluster.stop)
        self.members = [Member(self.cluster, number) for number in range(3)]

    def notices(self) -> list[list[tuple[int | None, dict[str, Any]]]]:
        """Return the notices of each broker since this was asked."""
        found = [member.notices for member in self.members]
        for member in self.members:
            member.notices = []
        return found

    def test_gain(self) -> None:
        """The others are notified of a lower id, and where to copy from."""
        zero, one, two = self.members
        two.register()
        self.assertEqual(self.notices(), [[], [], []])
        one.register()
        first = (1, {"min": one.address, "ha": "ha-1:1"})
        self.assertEqual(self.notices(), [[], [], [first]])
        zero.register()
        second = (0, {"min": zero.address, "ha": "ha-0:1"})
        self.assertEqual(self.notices(), [[], [second], [second]])

    def test_loss(self) -> None:
        """Those who are left are notified when the lowest id is gone, however."""
        zero, one, two = self.members
        for member in self.members:
            member.register()
        self.notices()
        zero.lose()
        first = (1, {"min": one.address, "offline": zero.address})
        self.assertEqual(self.notices(), [[], [first], [first]])
        one.unregister()
        second = (2, {"min": two.address, "offline": one.address})
        self.assertEqual(self.notices(), [[], [], [second]])

    def test_nothing_to_notify_of(self) -> None:
        """Other brokers come and go, and addresses are renewed, without a notice."""
        zero, one, _ = self.members
        zero.register()
        one.register()
        zero.register()
        one.unregister()
        self.assertEqual(self.notices(), [[], [], []])

    def test_without_acting_masters(self) -> None:
        """Brokers without enableSlaveActingMaster are not notified."""
        _, one, two = self.members
        two.register(acting=False)
        one.register(acting=False)
        self.assertEqual(self.notices(), [[], [], []])


class SilentTests(NoticeTests):
    """Without notifyMinBrokerIdChanged."""

    settings: dict[str, Any] = {}

    def test_gain(self) -> None:
        """Nobody is notified."""
        for member in reversed(self.members):
            member.register()
        self.assertEqual(self.notices(), [[], [], []])

    test_loss = test_gain


class ManyTests(SynchronousTestCase):
    """A name with more brokers than anybody runs."""

    def test_few_are_notified(self) -> None:
        """Those with the lowest ids; the others look themselves."""
        reactor = MemoryReactorClock()
        notices = MinBrokerNotices(
            reactor=reactor,
            config=NamesrvConfig(notify_min_broker_id_changed=True),
            ha_address=lambda cluster, address: None,
            peers=PeerLog(reactor),
        )
        addrs = {number: f"10.0.0.1:{number}" for number in range(3000, 0, -1)}
        group = BrokerGroup("C", "b", addrs, acting_master=True)
        notices.addresses_changed(group, {**addrs, 0: "10.0.0.1:9999"})
        reactor.advance(0)
        ports = [port for _, port, *_ in reactor.tcpClients]
        self.assertEqual(ports, list(range(1, MOST + 1)))
