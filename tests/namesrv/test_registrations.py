"""Tests of :mod:`rocketmq_tw.namesrv.registrations`."""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.wire.bodies.cluster import GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.codes import VERSION
from rocketmq_tw.wire.requests.kvconfig import PutKVConfig
from rocketmq_tw.wire.requests.registration import (
    AddWritePermission,
    BrokerHeartbeat,
    QueryDataVersion,
    RegisterBroker,
    UnregisterBroker,
    WipeWritePermission,
)
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup

from .fixtures import CLUSTER, MASTER, REPLICA, Served, topics

KEY = BrokerKey(CLUSTER, MASTER)
WHO = {"broker_name": "broker-a", "broker_addr": MASTER, "cluster_name": CLUSTER}


class RegistrationTests(Served):
    """What brokers ask."""

    def known(self) -> list[str]:
        """List the brokers that are known."""
        return sorted(self.service.table.groups)

    def test_json(self) -> None:
        """A JSON registration is taken."""
        self.register("A", "B")
        self.assertEqual(sorted(self.service.table.queues), ["A", "B"])

    def test_compressed(self) -> None:
        """A packed one is too, whatever the header says."""
        body = RegisterBrokerBody(topics("A", "B")).encode_compressed(VERSION)
        self.register(body=body, body_crc32=0)
        self.assertEqual(sorted(self.service.table.queues), ["A", "B"])

    def test_names_in_the_log(self) -> None:
        """A broker's name cannot forge a line of the log."""
        with capturedLogs() as events:
            self.register("A", "B", broker_name="a\n2026 b\x1b[31m")
            name = {"broker_name": "a\n2026 b\x1b[31m", "broker_id": 0}
            self.ask(UnregisterBroker(**WHO | name))
        lines = [formatEvent(event) for event in events]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertTrue(line.isprintable())

    def test_no_body(self) -> None:
        """A broker may register without a body."""
        self.register(body=b"", body_crc32=None)
        self.assertEqual(self.known(), ["broker-a"])

    def test_bad_crc(self) -> None:
        """A body that does not fit its sum is refused."""
        request = RegisterBroker(**WHO, broker_id=0, body_crc32=1, body=b"{}")
        self.assertEqual(self.refused(request), (1, "crc32 not match"))

    def test_bad_body(self) -> None:
        """A body that cannot be read is refused; nothing is registered."""
        request = RegisterBroker(**WHO, broker_id=0, body=b"hello")
        self.assertEqual(self.refused(request)[0], 1)
        self.assertEqual(self.known(), [])

    def test_single_topic(self) -> None:
        """The refusal of a first single topic has the original's words."""
        body = RegisterBrokerBody(topics("A")).encode()
        request = RegisterBroker(**WHO, broker_id=0, body=body)
        self.assertEqual(self.refused(request), (1, "register broker failed"))

    def test_replica_is_told_its_master(self) -> None:
        """A replica learns where its master is; the master learns nothing."""
        self.assertIsNone(self.register("A", "B").master_addr)
        answer = self.register("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertEqual(answer.master_addr, MASTER)
        self.assertEqual(answer.ha_server_addr, "10.0.0.1:10912")

    def test_replica_without_master(self) -> None:
        """A replica that came first learns nothing yet."""
        answer = self.register("A", "B", broker_addr=REPLICA, broker_id=1)
        self.assertIsNone(answer.master_addr)

    def test_orders(self) -> None:
        """The order configuration is sent along, once there is one."""
        self.assertEqual(self.register("A", "B").body, b"")
        self.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "A", "broker-a:8"))
        table = KVTable.decode(self.register("A", "B").body).table
        self.assertEqual(table, {"A": "broker-a:8"})
        self.config.return_order_topic_config_to_broker = False
        self.assertEqual(self.register("A", "B").body, b"")

    def test_same_again_is_not_read(self) -> None:
        """The same bytes again keep the broker alive, without being decoded."""
        self.register("A", "B")
        before = self.service.table.live.get(KEY)
        for _ in range(5):
            self.clock.advance(100)
            self.register("A", "B")
        self.assertIs(self.service.table.live.get(KEY), before)

    def test_unregister(self) -> None:
        """Any number of brokers go, each at once."""
        self.register("A", "B")
        self.register("A", "B", broker_name="b", broker_addr=REPLICA)
        self.ask(UnregisterBroker(**WHO, broker_id=0))
        self.assertEqual(self.known(), ["b"])
        self.ask(UnregisterBroker("b", REPLICA, CLUSTER, 0))
        self.ask(UnregisterBroker("b", REPLICA, CLUSTER, 0))
        self.assertEqual(self.known(), [])

    def test_connection_lost(self) -> None:
        """A broker is gone when its connection is."""
        other = self.connect()
        self.register("A", "B", pool=other)
        self.cluster.network.links[-1].reset()
        self.assertEqual(self.known(), [])

    def test_silent(self) -> None:
        """A broker that says nothing is dropped after 120 s, its connection closed."""
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        self.cluster.advance(20)
        self.assertEqual(self.known(), ["broker-a"])
        self.cluster.advance(5)
        self.assertEqual(self.known(), [])
        self.assertEqual(len(self.service.factory.connections), 0)

    def test_heartbeat(self) -> None:
        """A heartbeat keeps it alive."""
        self.register("A", "B", heartbeat_timeout_millis=20_000)
        for _ in range(5):
            self.cluster.advance(15)
            self.ask(BrokerHeartbeat(CLUSTER, MASTER, "broker-a"))
        self.assertEqual(self.known(), ["broker-a"])

    def test_data_version(self) -> None:
        """The version is compared; asking keeps the broker alive."""
        ours, next_one = DataVersion(1700, 1), DataVersion(1700, 2)
        ask = QueryDataVersion(**WHO, broker_id=0, body=ours.encode())
        self.assertTrue(self.ask(ask).changed)
        self.assertEqual(self.ask(ask).body, b"")
        self.register("A", "B")
        self.assertFalse(self.ask(ask).changed)
        answer = self.ask(QueryDataVersion(**WHO, broker_id=0, body=next_one.encode()))
        self.assertTrue(answer.changed)
        self.assertEqual(DataVersion.decode(answer.body), ours)

    def test_member_group(self) -> None:
        """The brokers of a name are listed; of an unknown one none are."""
        self.register("A", "B")
        for name, addrs in (("broker-a", {0: MASTER}), ("x", {})):
            body = self.ask(GetBrokerMemberGroup(CLUSTER, name)).body
            group = GetBrokerMemberGroupBody.decode(body).broker_member_group
            assert group is not None
            self.assertEqual((group.broker_name, group.broker_addrs), (name, addrs))

    def test_write_permission(self) -> None:
        """Wiping and adding tell how many topics they changed."""
        self.register("A", "B")
        self.assertEqual(self.ask(WipeWritePermission("broker-a")).wipe_topic_count, 2)
        self.assertEqual(self.service.table.queues["A"]["broker-a"].perm, 4)
        self.assertEqual(self.ask(AddWritePermission("broker-a")).add_topic_count, 2)
