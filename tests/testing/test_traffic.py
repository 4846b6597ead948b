"""Requests on their way to a server, and responses in its place."""

from __future__ import annotations

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.message import Message
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.frame import JSON, join
from rocketmq_tw.wire.requests.offset import GetMaxOffset, OffsetResponse
from rocketmq_tw.wire.requests.send import SendMessageV2


class TrafficTests(SynchronousTestCase):
    """One broker that is asked for the end of a queue."""

    def setUp(self) -> None:
        """Start it."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("T")
        self.broker = self.cluster.broker
        self.traffic = self.broker.traffic

    def ask(self) -> int:
        """Ask for the end of a queue of T."""
        request = GetMaxOffset(topic="T", queue_id=0)
        return self.cluster.call(self.broker, request).offset

    def test_seen(self) -> None:
        """All requests are seen, and reach the broker."""
        producer = self.cluster.producer()
        message = Message("T", b"hello")
        self.cluster.result_of(producer.send(message))
        (request,) = self.traffic.requests(SendMessageV2)
        self.assertEqual((request.topic, request.body), ("T", b"hello"))
        (header,) = self.traffic.commands(SendMessageV2)
        self.assertEqual(header.code, SendMessageV2.code)
        self.traffic.clear()
        self.assertEqual(self.traffic.requests(SendMessageV2), [])

    def test_refused(self) -> None:
        """The next ones are refused, one after the other, and then no more."""
        self.traffic.refuse(GetMaxOffset, ResponseCode.SYSTEM_BUSY, "busy")
        self.traffic.refuse(GetMaxOffset, ResponseCode.SYSTEM_ERROR)
        self.assertEqual(self.assertRaises(BrokerError, self.ask).remark, "busy")
        self.assertEqual(self.assertRaises(BrokerError, self.ask).code, 1)
        self.assertEqual(self.ask(), 0)

    def test_responses_instead_of_it(self) -> None:
        """The broker does not know what was said in its name."""
        self.traffic.respond(GetMaxOffset, OffsetResponse(offset=7), times=2)
        self.assertEqual([self.ask() for _ in range(3)], [7, 7, 0])

    def test_no_response(self) -> None:
        """One request, or all of a kind, may stay without a response."""
        self.traffic.respond(GetMaxOffset, None)
        self.assertRaises(RequestTimeout, self.ask)
        self.assertEqual(self.ask(), 0)
        self.traffic.ignore(GetMaxOffset)
        for _ in range(3):
            self.assertRaises(RequestTimeout, self.ask)
        self.traffic.restore()
        self.assertEqual(self.ask(), 0)

    def test_malformed_header(self) -> None:
        """It reaches the server, which closes the connection."""
        peer = Peer()
        reactor = self.cluster.network.reactor("10.0.9.1")
        endpoint = TCP4ClientEndpoint(reactor, self.broker.host, self.broker.port)
        connectProtocol(endpoint, peer)
        self.cluster.advance()
        peer.transport.write(join(JSON, b"not a header"))
        self.cluster.advance()
        self.assertTrue(peer.is_lost)
        self.assertEqual(self.ask(), 0)


class Peer(Protocol):
    """A connection without a client."""

    is_lost = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the loss."""
        self.is_lost = True
