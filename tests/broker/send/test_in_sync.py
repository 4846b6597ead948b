"""Sends to a master that needs slaves in sync, and has too few."""

from __future__ import annotations

from typing import Any

from twisted.logger import capturedLogs

from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.cases import GROUP
from tests.broker.test_replication import SYNC, PairCase

ACTING = {**SYNC, "enable_slave_acting_master": True}
ENOUGH = ResponseCode.SUCCESS
NOT_ENOUGH = ResponseCode.SYSTEM_ERROR


class InSyncTests(PairCase):
    """A SYNC_MASTER and its slave, with ``enableSlaveActingMaster``."""

    def begin(self, **settings: Any) -> tuple[BrokerNode, BrokerNode]:
        """Start both, and create a topic."""
        master, slave = self.start(**ACTING, total_replicas=2, **settings)
        self.cluster.advance(3)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        return master, slave

    def count(self, master: BrokerNode) -> int:
        """Return how many messages the master has."""
        store = master.service._store
        assert store is not None
        return store.max_offset("TopicTest", 0)

    def gauges(self, master: BrokerNode) -> tuple[str, str]:
        """Return how many are in sync, and how many sends were refused."""
        table = KVTable.decode(self.cluster.call(master, GetRuntimeInfo()).body).table
        return table["brokersInSync"], table["sendsNotInSyncRefused"]

    def test_refused(self) -> None:
        """At once, and nothing is stored; who does not wait, is served."""
        master, slave = self.begin()
        self.assertEqual(self.code_of(master), ENOUGH)
        slave.kill()
        self.cluster.advance(0.1)
        before = self.cluster.clock.seconds()
        with capturedLogs() as events:
            for batch in (False, False, True):
                code = self.code_of(master, batch=batch)
                self.assertEqual(code, NOT_ENOUGH)
        self.assertLess(self.cluster.clock.seconds() - before, 1)
        lines = [each for each in events if "refused" in each["log_format"]]
        self.assertEqual(len(lines), 1)
        self.assertEqual(self.count(master), 1)
        self.assertEqual(self.code_of(master, properties="WAIT\x01false\x02"), ENOUGH)
        self.assertEqual(self.count(master), 2)
        self.assertEqual(self.gauges(master), ("1", "3"))

    def test_again(self) -> None:
        """Once the slave is back."""
        master, slave = self.begin()
        slave.kill()
        self.cluster.advance(2)
        self.assertEqual(self.code_of(master), NOT_ENOUGH)
        slave.start()
        self.cluster.advance(12)
        self.assertEqual(self.code_of(master), ENOUGH)
        self.assertEqual(self.gauges(master), ("2", "1"))

    def test_unknown_to_name_servers(self) -> None:
        """A slave that is connected, but not registered, does not count."""
        master, slave = self.begin()
        self.cluster.faults.silence(slave, self.cluster.name_servers[0])
        self.cluster.faults.cut(slave, self.cluster.name_servers[0])
        self.cluster.advance(17)
        self.assertEqual(self.code_of(master), NOT_ENOUGH)

    def test_adapted(self) -> None:
        """enableAutoInSyncReplicas: the master alone is enough."""
        master, slave = self.begin(enable_auto_in_sync_replicas=True)
        self.assertEqual(self.code_of(master), ENOUGH)
        self.assertEqual(self.end_of(slave), self.end_of(master))
        slave.kill()
        self.cluster.advance(0.1)
        self.assertEqual(self.code_of(master), ENOUGH)
        self.assertEqual(self.count(master), 2)

    def test_minimum(self) -> None:
        """Unless minInSyncReplicas needs a slave."""
        master, slave = self.begin(
            enable_auto_in_sync_replicas=True, min_in_sync_replicas=2
        )
        slave.kill()
        self.cluster.advance(0.1)
        self.assertEqual(self.code_of(master), NOT_ENOUGH)
        self.assertEqual(self.count(master), 0)


class SendBackTests(PairCase):
    """Messages that consumers send back, to a SYNC_MASTER."""

    def back(self, master: BrokerNode) -> float:
        """Send the first message back, and return how long that took."""
        before = self.cluster.clock.seconds()
        request = SendBack(group=GROUP, offset=0, delay_level=0)
        client = self.cluster.client()
        self.cluster.result_of(client.session.pool.call(master.address, request, 10.0))
        return self.cluster.clock.seconds() - before

    def test_waits_for_the_slave(self) -> None:
        """The response leaves once the slave has the copy."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), ENOUGH)
        self.assertLess(self.back(master), 1)
        self.assertEqual(self.end_of(slave), self.end_of(master))

    def test_no_slave(self) -> None:
        """It is acknowledged at once, as by Apache: it is stored."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), ENOUGH)
        slave.kill()
        self.cluster.advance(0.1)
        self.assertLess(self.back(master), 1)

    def test_slow_slave(self) -> None:
        """It is waited for until slaveTimeout, and acknowledged then."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), ENOUGH)
        self.cluster.faults.cut(master, slave)
        took = self.back(master)
        self.assertGreaterEqual(took, 3)
        self.assertLess(took, 4)
