"""A master and its slave, with all parts of a broker."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Message
from rocketmq_tw.broker.config import BrokerConfig, BrokerRole, FlushDiskType
from rocketmq_tw.broker.replication import ha_endpoint, ha_port_of
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.replication.frames import TransferDecoder, encode_report
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.codes import ResponseCode
from tests.broker.cases import sent


class PairCase(SynchronousTestCase):
    """One master and one slave in a cluster."""

    def start(self, **settings: Any) -> tuple[BrokerNode, BrokerNode]:
        """Start both."""
        self.cluster = MemoryCluster(
            directory=self.mktemp(), broker_settings={"slave_timeout": 3000, **settings}
        )
        master = self.cluster.brokers["broker-a"]
        slave = self.cluster.add_broker("broker-a-slave")
        slave.config = msgspec.structs.replace(
            slave.config,
            broker_name="broker-a",
            broker_id=1,
            broker_role=BrokerRole.SLAVE,
            in_sync_replicas=1,
            ha_master_address=f"{master.host}:10912",
        )
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        return master, slave

    def end_of(self, node: BrokerNode) -> int:
        """Return where the log of a broker ends."""
        return int(node.service._store.commit_log_max)

    def wait_for_copy(self, master: BrokerNode, slave: BrokerNode) -> None:
        """Let the slave copy what the master has."""
        self.cluster.wait_until(lambda: self.end_of(slave) == self.end_of(master) > 0)

    def code_of(self, node: BrokerNode, **fields: Any) -> int:
        """Send a message as it is, and return the code of the response."""
        client = self.cluster.client()
        response = client.session.pool.call(node.address, sent(**fields), 10.0)
        got = []
        response.addCallbacks(
            lambda answer: got.append(answer.status or 0),
            lambda failure: got.append(failure.value.code),
        )
        self.cluster.wait_until(lambda: got)
        return int(got[0])


class Recorder(Protocol):
    """
    Keeps what comes from a master.

    :ivar sizes: of the pieces of transfers.
    """

    transport: Any

    def __init__(self) -> None:
        self._decoder = TransferDecoder()
        self.sizes: list[int] = []
        self.is_lost = False

    def report(self, offset: int) -> None:
        """Report an offset."""
        self.transport.write(encode_report(offset))

    def dataReceived(self, data: bytes) -> None:
        """Keep the sizes."""
        self.sizes += [len(piece) for _, piece in self._decoder.feed(data)]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note it."""
        self.is_lost = True


SYNC = {"broker_role": BrokerRole.SYNC_MASTER, "in_sync_replicas": 2}


class ReplicationTests(PairCase):
    """Messages reach the slave."""

    def test_copied(self) -> None:
        """And can be read there."""
        master, slave = self.start()
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        for number in range(5):
            message = Message("TopicTest", b"%d" % number)
            self.cluster.result_of(self.cluster.producer().send(message))
        self.wait_for_copy(master, slave)
        self.assertEqual(slave.service._store.max_offset("TopicTest", 0), 5)
        status = master.service._replication.status()
        self.assertEqual((status.in_sync_slaves, status.slaves[0].behind), (1, 0))
        follows = slave.service._replication.status().follows
        assert follows is not None
        self.assertTrue(follows.is_connected)
        self.assertAlmostEqual(
            follows.last_read_ms, self.cluster.clock.seconds() * 1000, delta=30_000
        )

    def test_waits_for_the_slave(self) -> None:
        """SYNC_MASTER: the response leaves when the slave has the message."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), 0)
        self.assertEqual(self.end_of(slave), self.end_of(master))

    def test_both(self) -> None:
        """SYNC_MASTER and SYNC_FLUSH on both sides."""
        flush = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}
        master, slave = self.start(**SYNC, **flush)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), 0)
        self.assertEqual(slave.service._store.flushed, self.end_of(master))

    def test_no_slave(self) -> None:
        """The message is stored; the sender is told that no slave has it."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        slave.kill()
        self.cluster.advance(0.1)
        code = self.code_of(master)
        self.assertEqual(code, ResponseCode.FLUSH_SLAVE_TIMEOUT)
        self.assertEqual(master.service._store.max_offset("TopicTest", 0), 1)
        code = self.code_of(master, properties="WAIT\x01false\x02")
        self.assertEqual(code, 0)

    def test_stopped_while_a_send_waits(self) -> None:
        """No timer of a master that has stopped is left."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        slave.kill()
        self.cluster.producer().send(Message("TopicTest", b"x")).addErrback(bool)
        end = self.end_of(master)
        self.cluster.wait_until(lambda: self.end_of(master) > end)
        master.stop()
        assert master.reactor is not None
        self.assertEqual(master.reactor.getDelayedCalls(), [])

    def test_slow_slave(self) -> None:
        """It is connected, but has not reported the message in time."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), 0)
        self.cluster.faults.cut(master, slave)
        self.assertEqual(self.code_of(master), ResponseCode.FLUSH_SLAVE_TIMEOUT)
        self.cluster.faults.heal(master, slave)
        self.wait_for_copy(master, slave)
        self.assertEqual(self.code_of(master), 0)

    def test_restarts(self) -> None:
        """Either may be killed, and goes on."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        for node in (slave, master, slave):
            self.assertEqual(self.code_of(master), 0)
            node.kill()
            self.cluster.advance(1)
            node.start()
            self.cluster.advance(12)
        self.assertEqual(self.code_of(master), 0)
        self.wait_for_copy(master, slave)
        self.assertEqual(slave.service._store.max_offset("TopicTest", 0), 4)

    def test_slave_takes_no_sends(self) -> None:
        """They are refused; clients send to the master."""
        _, slave = self.start()
        self.assertNotEqual(self.code_of(slave), 0)
        self.assertEqual(self.end_of(slave), 0)


class PartitionTests(PairCase):
    """Master and slave, cut off from each other for a while."""

    def test_a_minute(self) -> None:
        """Both notice it within the housekeeping interval, and go on afterwards."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), 0)
        self.cluster.faults.cut(master, slave)
        self.cluster.advance(22)
        follows = slave.service._replication.status().follows
        assert follows is not None
        self.assertFalse(follows.is_connected)
        self.assertEqual(master.service._replication.status().slaves, [])
        code = self.code_of(master)
        self.assertEqual(code, ResponseCode.FLUSH_SLAVE_TIMEOUT)
        self.cluster.advance(35)
        self.cluster.faults.heal(master, slave)
        self.cluster.advance(11)
        self.assertEqual(self.code_of(master), 0)
        self.wait_for_copy(master, slave)

    def test_half_open(self) -> None:
        """Bytes vanish without notice: the same."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        self.assertEqual(self.code_of(master), 0)
        self.cluster.faults.silence(master, slave)
        self.cluster.advance(32)
        self.assertEqual(self.code_of(master), 0)
        self.wait_for_copy(master, slave)

    def test_delay(self) -> None:
        """Bytes that take 200 ms each way fail nothing."""
        master, slave = self.start(**SYNC)
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        for _ in range(5):
            self.cluster.faults.cut(master, slave)
            self.cluster.clock.callLater(0.2, self.heal, master, slave)
            self.assertEqual(self.code_of(master), 0)
        self.wait_for_copy(master, slave)

    def heal(self, master: BrokerNode, slave: BrokerNode) -> None:
        """Let bytes pass for a moment, then none for 200 ms."""
        self.cluster.faults.heal(master, slave)


class LinesTests(PairCase):
    """What is logged about peers of the HA port."""

    def test_limited(self) -> None:
        """A peer that comes and goes writes two lines, however often."""
        master, _ = self.start()
        lines: list[str] = []

        def observe(event: Any) -> None:
            if "peer" in event:
                lines.append(event["log_format"])

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        reactor = self.cluster.network.reactor("10.0.9.9")
        for _ in range(20):
            factory = Factory.forProtocol(Protocol)
            connecting = ConnectionPool(reactor).connect(
                f"{master.host}:10912", factory
            )
            protocol = self.cluster.result_of(connecting)
            protocol.transport.write(encode_report(0))
            self.cluster.advance(0.1)
            protocol.transport.loseConnection()
            self.cluster.advance(0.1)
        self.assertEqual(len(lines), 2)


class SettingsTests(PairCase):
    """What the settings of replication change, as a peer of the HA port sees it."""

    def peer(self, master: BrokerNode, report: int | None) -> Recorder:
        """Connect to the HA port, and report an offset."""
        reactor = self.cluster.network.reactor("10.0.9.9")
        factory = Factory.forProtocol(Recorder)
        connecting = ConnectionPool(reactor).connect(f"{master.host}:10912", factory)
        recorder: Recorder = self.cluster.result_of(connecting)
        if report is not None:
            recorder.report(report)
        return recorder

    def fill(self, count: int) -> None:
        """Send messages of 1,000 bytes."""
        self.cluster.create_topic("TopicTest", {"broker-a": 1})
        producer = self.cluster.producer()
        for _ in range(count):
            message = Message("TopicTest", b"x" * 1000)
            self.cluster.result_of(producer.send(message))

    def test_batch_size(self) -> None:
        """haTransferBatchSize: no transfer is longer."""
        master, _ = self.start(ha_transfer_batch_size=700)
        self.fill(3)
        peer = self.peer(master, 0)
        self.cluster.advance(0.1)
        self.assertEqual(max(peer.sizes), 700)
        self.assertEqual(sum(peer.sizes), self.end_of(master))

    def test_heartbeats(self) -> None:
        """haSendHeartbeatInterval: so often, if nothing else is sent."""
        master, slave = self.start(ha_send_heartbeat_interval=2000)
        peer = self.peer(master, 0)
        self.cluster.advance(0.1)
        for _ in range(3):
            self.cluster.advance(3.1)
            peer.report(0)
        self.assertEqual(peer.sizes, [0, 0, 0])
        follows = slave.service._replication.status().follows
        assert follows is not None
        now_ms = self.cluster.clock.seconds() * 1000
        self.assertLess(now_ms - follows.last_write_ms, 3100)

    def test_housekeeping(self) -> None:
        """haHousekeepingInterval: a silent peer is disconnected after that time."""
        master, _ = self.start(ha_housekeeping_interval=7000)
        for report in (None, 0):
            peer = self.peer(master, report)
            self.cluster.advance(6.5)
            self.assertFalse(peer.is_lost)
            self.cluster.advance(2)
            self.assertTrue(peer.is_lost)

    def test_flow_control(self) -> None:
        """maxHaTransferByteInSecond: only with haFlowControlEnable."""
        settings = {"max_ha_transfer_byte_in_second": 2000}
        master, _ = self.start(**settings, ha_flow_control_enable=True)
        self.fill(9)
        self.cluster.advance(1 - self.cluster.clock.seconds() % 1)
        peer = self.peer(master, 0)
        self.cluster.advance(0.5)
        self.assertEqual(sum(peer.sizes), 2000)
        self.cluster.advance(1)
        self.assertEqual(sum(peer.sizes), 4000)

    def test_gap(self) -> None:
        """haMaxGapNotInSync: a slave that lacks so much is not in sync."""
        master, slave = self.start(ha_max_gap_not_in_sync=2000)
        self.fill(1)
        self.wait_for_copy(master, slave)
        self.cluster.faults.cut(master, slave)
        in_sync = []
        for _ in range(3):
            self.fill(1)
            in_sync.append(master.service._replication.status().in_sync_slaves)
        self.assertEqual(in_sync, [1, 0, 0])

    def test_one_address(self) -> None:
        """maxHaConnectionsPerAddress: the others are closed."""
        master, _ = self.start(max_ha_connections_per_address=2)
        peers = [self.peer(master, 0) for _ in range(2)]
        self.cluster.advance(0.1)
        self.peer(master, 0)
        self.cluster.advance(0.1)
        self.assertEqual([each.is_lost for each in peers], [False, False])
        self.assertEqual(master.service._replication.gauges()["haConnections"](), 3)


class AddressTests(SynchronousTestCase):
    """Where the HA port is."""

    def test_port(self) -> None:
        """The next one, unless it is configured, or the system chooses ports."""
        self.assertEqual(ha_port_of(BrokerConfig(), 10911), 10912)
        self.assertEqual(ha_port_of(BrokerConfig(ha_listen_port=7), 10911), 7)
        self.assertEqual(ha_port_of(BrokerConfig(listen_port=0), 4321), 0)

    def test_interface(self) -> None:
        """That of the main port."""
        self.assertEqual(ha_endpoint(BrokerConfig(), 10912), "tcp:10912")
        config = BrokerConfig(listen="tcp:10911:interface=127.0.0.1")
        endpoint = ha_endpoint(config, 10912)
        self.assertEqual(endpoint, "tcp:10912:interface=127.0.0.1")
