"""Tests of what tools and the log show of replication."""

from __future__ import annotations

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.replication import ReplicationProcessor
from rocketmq_tw.replication.status import HaStatus, SlaveStatus
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.replication import HARuntimeInfo
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.replication import GetHaStatus
from tests.broker.pull.test_suggestion import ReadingCase


class StatusTests(ReadingCase):
    """A master and its slave, asked."""

    def status(self, node: BrokerNode) -> HARuntimeInfo:
        """Ask for the state of replication."""
        return HARuntimeInfo.decode(self.cluster.call(node, GetHaStatus()).body)

    def shown(self, node: BrokerNode) -> dict[str, str]:
        """Ask for runtime information."""
        return KVTable.decode(self.cluster.call(node, GetRuntimeInfo()).body).table

    def test_both(self) -> None:
        """Each says what it knows: offsets, addresses, times."""
        self.send(b"1", b"2")
        master, slave = self.status(self.master), self.status(self.slave)
        end = master.master_commit_log_max_offset
        self.assertGreater(end, 0)
        self.assertTrue(master.master)
        self.assertEqual(master.in_sync_slave_nums, 1)
        (one,) = master.ha_connection_info
        self.assertEqual((one.diff, one.slave_ack_offset, one.in_sync), (0, end, True))
        self.assertTrue(str(one.addr).startswith("10.0.1.2:"))
        self.assertFalse(slave.master)
        follows = slave.ha_client_runtime_info
        self.assertEqual(follows.max_offset, end)
        self.assertEqual(follows.master_addr, "10.0.1.1:10912")
        self.assertGreater(follows.last_read_timestamp, 1_700_000_000_000)

    def test_runtime_info(self) -> None:
        """The numbers are in the runtime information, too."""
        shown = self.shown(self.master)
        self.assertEqual((shown["slaves"], shown["slavesInSync"]), ("1", "1"))
        self.assertEqual(shown["slaveFallBehindBytes"], "0")
        self.assertEqual(self.shown(self.slave)["followsMaster"], "1")
        self.master.kill()
        self.cluster.advance(1)
        self.assertEqual(self.shown(self.slave)["followsMaster"], "0")


class LagTests(SynchronousTestCase):
    """The line about slaves that are behind."""

    def lines(self, *behind: int) -> list[tuple[int, int]]:
        """Log about slaves that lack so many bytes; return what the lines say."""
        slaves = [
            SlaveStatus(
                address="10.0.0.9:1",
                ack_offset=0,
                behind=lag,
                position=0,
                bytes_per_second=0,
                is_in_sync=lag < 100,
            )
            for lag in behind
        ]
        in_sync = sum(slave.is_in_sync for slave in slaves)
        status = HaStatus(
            is_master=True, log_end=1000, in_sync_slaves=in_sync, slaves=slaves
        )
        with capturedLogs() as events:
            ReplicationProcessor(lambda: status).log_lag()
        return [(event["count"], event["lag"]) for event in events]

    def test_lag(self) -> None:
        """It says how many there are, and how much the last one lacks."""
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.lines(0, 0), [])
        self.assertEqual(self.lines(0, 700, 5), [(3, 700)])
