"""What is judged of servers, beyond what a cluster in memory has."""

from __future__ import annotations

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.doctor import servers
from rocketmq_tw.admin.results.brokers import ReplicaState, Replication
from rocketmq_tw.admin.results.cluster import (
    BrokerAddress,
    BrokerStatus,
    NameServerStatus,
)


class ServerTests(SynchronousTestCase):
    """Addresses and slaves."""

    def test_loopback(self) -> None:
        """An address that each host takes for itself, with name servers elsewhere."""
        brokers = [BrokerAddress("C", "b", 0, "127.0.0.1:10911")]
        found = list(servers.reachable(brokers, {}, from_here=False))
        self.assertEqual([each.fault for each in found], ["loopback-advertised"])
        self.assertEqual(list(servers.reachable(brokers, {}, from_here=True)), [])

    def test_slaves(self) -> None:
        """One that is out of sync, or far behind, is found."""
        states = [
            ReplicaState("s:1", 0, 5, False, 0),
            ReplicaState("s:2", 0, 1 << 30, True, 0),
            ReplicaState("s:3", 0, 5, True, 0),
        ]
        found = servers.replication(Replication("b", "b:1", True, 9, 2, tuple(states)))
        self.assertEqual(
            [each.subject for each in found], ["b, slave s:1", "b, slave s:2"]
        )

    def test_slave_takes_no_messages(self) -> None:
        """That is no fault; that a master takes none is one."""
        master = BrokerStatus(
            cluster="C", name="b", id=0, address="b:1", is_writable=False
        )
        [found] = servers.broker(master)
        self.assertEqual(found.fault, "store-failed")
        self.assertEqual(list(servers.broker(replace(master, id=1))), [])

    def test_name_server_that_denies(self) -> None:
        """It is not one that is down."""
        why = "NO_PERMISSION (16): no"
        [found] = servers.name_servers([NameServerStatus("n:1", False, 0, why)])
        self.assertEqual(found.fault, "access-denied")
