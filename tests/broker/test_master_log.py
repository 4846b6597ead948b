"""What a slave asks its master about its log."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Message
from rocketmq_tw.broker.master_log import RemoteLog, UnknownBounds
from rocketmq_tw.broker.other_brokers import OtherBrokers
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.replication.prefix import Bounds
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.message import ViewMessage


class RemoteLogTests(SynchronousTestCase):
    """By requests that every broker answers."""

    def setUp(self) -> None:
        """Start a broker."""
        self.cluster = MemoryCluster(directory=self.mktemp())
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.broker = self.cluster.brokers["broker-a"]
        self.brokers = OtherBrokers(self.cluster.network.reactor("10.0.9.9"))
        self.log = RemoteLog(self.brokers, self.broker.address)

    def test_bounds(self) -> None:
        """They grow with each message."""
        self.assertEqual(self.cluster.result_of(self.log.bounds()), Bounds(0, 0))
        self.cluster.create_topic("TopicTest")
        send = self.cluster.producer().send(Message("TopicTest", b"Hello"))
        self.cluster.result_of(send)
        end = self.broker.service._store.commit_log_max
        self.assertEqual(self.cluster.result_of(self.log.bounds()), Bounds(0, end))

    def test_empty(self) -> None:
        """Apache's master without messages begins at -1; that is the first offset."""
        table = {"commitLogMinOffset": "-1", "commitLogMaxOffset": "0"}
        response = Response(body=KVTable(table).encode())
        self.broker.traffic.respond(GetRuntimeInfo, response)
        self.assertEqual(self.cluster.result_of(self.log.bounds()), Bounds(0, 0))

    def test_record(self) -> None:
        """As it is stored; None where none begins."""
        self.cluster.create_topic("TopicTest")
        send = self.cluster.producer().send(Message("TopicTest", b"Hello"))
        self.cluster.result_of(send)
        stored = self.broker.service._store.record_at(0)
        self.assertEqual(self.cluster.result_of(self.log.record_at(0)), stored)
        self.assertIsNone(self.cluster.result_of(self.log.record_at(1)))

    def test_record_refused(self) -> None:
        """A refusal does not say that the master's log is another one."""
        for code in (ResponseCode.NO_PERMISSION, ResponseCode.SYSTEM_BUSY):
            self.broker.traffic.respond(ViewMessage, Response(status=code))
            asking = Deferred.fromCoroutine(self.log.record_at(0))
            failed: list[BrokerError] = []
            asking.addErrback(lambda failure, to=failed: to.append(failure.value))
            self.cluster.wait_until(lambda failed=failed: failed)
            self.assertEqual(failed[0].code, code)

    def test_no_broker(self) -> None:
        """A name server knows of no log."""
        names = self.cluster.name_servers[0].address
        asking = Deferred.fromCoroutine(RemoteLog(self.brokers, names).bounds())
        failed: list[object] = []
        asking.addErrback(lambda failure: failed.append(failure.value))
        self.cluster.wait_until(lambda: failed)
        self.assertNotIsInstance(failed[0], UnknownBounds)
