"""Tests of a slave that acts for a master that is gone."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.pull import PullMessage
from rocketmq_tw.wire.requests.replication import NotifyMinBrokerIdChange
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup
from tests.broker.pull.test_suggestion import ReadingCase


class ActingCase(ReadingCase):
    """Has a master and a slave that acts for it."""

    settings: dict[str, Any] = {
        "slave_read_enable": True,
        "enable_slave_acting_master": True,
    }
    name_server_settings = {"support_acting_master": True}

    @property
    def acting(self) -> bool:
        """Whether the slave acts, as runtime information shows."""
        body = self.cluster.call(self.slave, GetRuntimeInfo()).body
        table = KVTable.decode(body).table
        acts = table["actsForMaster"] == "1"
        # What clusterList shows as ACTIVATED.
        assert table["brokerActive"] == ("true" if acts else "false")
        return acts


class ActingTests(ActingCase):
    """Without notices: the slave looks each second."""

    def test_acts(self) -> None:
        """It acts a second after the master is gone, until it is back."""
        self.assertFalse(self.acting)
        self.master.kill()
        self.cluster.advance(1.1)
        self.assertTrue(self.acting)
        self.master.start()
        self.cluster.advance(1.1)
        self.assertFalse(self.acting)

    def test_master_hangs(self) -> None:
        """One that sends no heartbeats is removed after 10 to 15 s, not 120 s."""
        self.cluster.faults.silence(self.master, self.cluster.name_servers[0])
        self.cluster.advance(9)
        self.assertFalse(self.acting)
        self.cluster.advance(8)
        self.assertTrue(self.acting)

    def test_replication(self) -> None:
        """Nothing is copied from a master that is gone; all from one that is back."""
        replication = self.slave.service._replication
        self.assertEqual(replication.master_address, "10.0.1.1:10911")
        self.master.kill()
        self.cluster.advance(1.1)
        self.assertEqual(replication.master_address, "")
        self.master.start()
        self.cluster.advance(2)
        self.assertEqual(replication.master_address, "10.0.1.1:10911")
        self.send(b"1")
        self.assertEqual(
            replication.status().log_end,
            self.master.service._replication.status().log_end,
        )

    def test_route(self) -> None:
        """Clients see the slave as the master, which cannot be written to."""
        self.master.kill()
        self.cluster.advance(1)
        client = self.cluster.client()
        route = self.cluster.result_of(client.route("T"))
        self.assertEqual(route.master_of("broker-a"), "10.0.1.2:10911")
        self.assertEqual(route.writable("T"), [])
        self.assertEqual(len(route.readable("T")), 2)

    def test_consumer(self) -> None:
        """A consumer goes on there, and back without reading anything twice."""
        self.consume()
        self.send(b"1", b"2")
        self.cluster.advance(12)
        self.master.traffic.ignore(PullMessage)
        self.send(b"3", b"4")
        self.master.kill()
        self.cluster.wait_until(lambda: len(self.seen) == 4, within=5)
        self.cluster.advance(6)
        self.master.traffic.restore()
        self.master.start()
        self.cluster.advance(31)
        self.send(b"5")
        self.cluster.advance(1)
        self.assertEqual(sorted(self.seen), [b"1", b"2", b"3", b"4", b"5"])

    def test_name_server_is_away(self) -> None:
        """Without name servers nothing is known, so nothing changes."""
        (name_server,) = self.cluster.name_servers
        name_server.kill()
        self.cluster.advance(5)
        self.assertFalse(self.acting)
        name_server.start()
        self.cluster.advance(7)
        self.assertFalse(self.acting)

    def test_49(self) -> None:
        """Name servers of 4.9 do not know the request, but the route."""
        (name_server,) = self.cluster.name_servers
        code = ResponseCode.REQUEST_CODE_NOT_SUPPORTED
        name_server.traffic.refuse(GetBrokerMemberGroup, code, times=99)
        self.master.kill()
        self.cluster.advance(1.1)
        self.assertTrue(self.acting)


class NoticeTests(ActingCase):
    """With notices of the name server."""

    name_server_settings: dict[str, Any] = {
        "support_acting_master": True,
        "notify_min_broker_id_changed": True,
    }

    def test_at_once(self) -> None:
        """The slave does not wait for its next look."""
        self.cluster.advance(0.3)
        self.master.kill()
        self.cluster.advance(0.1)
        self.assertTrue(self.acting)

    def test_made_up(self) -> None:
        """A notice that is not true is corrected by the next look."""
        wrong = NotifyMinBrokerIdChange(1, "b", "10.0.1.2:10911", "10.0.1.1:10911")
        self.cluster.call(self.slave, wrong)
        self.assertTrue(self.acting)
        self.cluster.advance(1.1)
        self.assertFalse(self.acting)
        for incomplete in (NotifyMinBrokerIdChange(), NotifyMinBrokerIdChange(1)):
            self.cluster.call(self.slave, incomplete)
            self.assertFalse(self.acting)


class OldTests(ReadingCase):
    """Without enableSlaveActingMaster."""

    def test_no_handler(self) -> None:
        """Nobody acts, and the route has no master."""
        self.master.kill()
        self.cluster.advance(2)
        route = self.cluster.result_of(self.cluster.client().route("T"))
        self.assertIsNone(route.master_of("broker-a"))
