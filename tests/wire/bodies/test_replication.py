"""Tests of rocketmq_tw.wire.bodies.replication."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.replication import HAConnectionInfo, HARuntimeInfo

TEXT = (
    b'{"haClientRuntimeInfo":{"lastReadTimestamp":0,"lastWriteTimestamp":0,'
    b'"masterFlushOffset":0,"maxOffset":0,"transferredByteInSecond":0},'
    b'"haConnectionInfo":[{"addr":"1.1.1.1:1","diff":0,"inSync":false,'
    b'"slaveAckOffset":0,"transferFromWhere":0,"transferredByteInSecond":0}],'
    b'"inSyncSlaveNums":0,"master":true,"masterCommitLogMaxOffset":0}'
)


class HARuntimeInfoTests(SynchronousTestCase):
    """The state of replication."""

    def test_golden(self) -> None:
        """Apache RocketMQ's text is written and read."""
        info = HARuntimeInfo(
            master=True, ha_connection_info=(HAConnectionInfo("1.1.1.1:1"),)
        )
        self.assertEqual(info.encode(), TEXT)
        self.assertEqual(HARuntimeInfo.decode(TEXT), info)
