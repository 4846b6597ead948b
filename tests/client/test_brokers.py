"""Reaching brokers, by address and by queue."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.brokers import UNRESPONSIVE_LIMIT
from rocketmq_tw.client.errors import BrokerUnreachable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.testing.faults import host_of
from rocketmq_tw.testing.link import LinkState
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.client.cluster import Cluster

REQUEST = Heartbeat(body=HeartbeatData(client_id="me").encode())


class BrokersTests(SynchronousTestCase):
    """The brokers of one client."""

    def setUp(self) -> None:
        """Find the route of a topic on one broker."""
        self.cluster = Cluster(self)
        self.clock = self.cluster.clock
        self.broker = self.cluster.broker("broker-a")
        self.address = self.broker.address
        self.cluster.topic("T", broker_a=4)
        self.session = self.cluster.client().session
        self.brokers = self.session.brokers
        self.session.routes.find("T")
        self.cluster.deliver()

    def tearDown(self) -> None:
        """Close all: no timer may be left."""
        closed = self.session.stop()
        self.cluster.pump(2)
        self.successResultOf(closed)
        self.assertEqual(self.cluster.timers(), [])

    def connect(self) -> None:
        """Connect to the broker."""
        connected = self.brokers.connection(self.address)
        self.cluster.deliver()
        self.successResultOf(connected)

    def test_call_for(self) -> None:
        """A call about a queue goes to the queue's broker."""
        called = self.brokers.call_for(MessageQueue("T", "broker-a", 0), REQUEST)
        self.cluster.deliver()
        self.successResultOf(called)
        self.assertEqual(len(self.broker.heartbeats), 1)

    def test_call_for_a_queue_of_a_new_broker(self) -> None:
        """A broker that is not known is looked up in a fresh route."""
        other = self.cluster.broker("broker-b")
        self.cluster.topic("T", broker_a=4, broker_b=4)
        self.clock.advance(1)
        called = self.brokers.call_for(MessageQueue("T", "broker-b", 0), REQUEST)
        self.cluster.deliver()
        self.successResultOf(called)
        self.assertEqual(len(other.heartbeats), 1)

    def test_call_for_a_queue_of_no_broker(self) -> None:
        """Without an address the call fails."""
        called = self.brokers.call_for(MessageQueue("T", "broker-x", 0), REQUEST)
        self.cluster.deliver()
        self.failureResultOf(called, ConnectError)

    # -- the hint

    def test_never_reached(self) -> None:
        """The error of an address that nobody reached says where it comes from."""
        self.cluster.network.refuse(self.address)
        for failed in (
            self.brokers.call(self.address, REQUEST),
            self.brokers.connection(self.address),
        ):
            self.cluster.deliver()
            error = self.failureResultOf(failed, BrokerUnreachable).value
            self.assertIn(f"the broker advertises {self.address}", str(error))
            self.assertIsNotNone(error.__cause__)

    def test_reached_before(self) -> None:
        """A broker that was reached once does not advertise a wrong address."""
        self.connect()
        self.cluster.network.refuse(self.address)
        self.cluster.disconnect(self.address)
        called = self.brokers.call(self.address, REQUEST)
        self.cluster.deliver()
        error = self.failureResultOf(called).value
        self.assertIs(type(error), ConnectError)

    # -- connections without a response

    def test_unresponsive_connection_is_cut(self) -> None:
        """When nothing came for a while after a request, the connection goes."""
        self.connect()
        self.clock.advance(1)
        since = self.clock.seconds()
        self.brokers.mark_unresponsive(self.address, since)
        self.assertIsNotNone(self.brokers.live(self.address))
        self.clock.advance(UNRESPONSIVE_LIMIT)
        self.brokers.mark_unresponsive(self.address, self.clock.seconds())
        self.cluster.deliver()
        self.assertIsNone(self.brokers.live(self.address))

    def test_other_responses_keep_the_connection(self) -> None:
        """A request that took long is no reason to cut while others get responses."""
        self.connect()
        since = self.clock.seconds()
        self.clock.advance(UNRESPONSIVE_LIMIT)
        self.successResultOf(self._called())
        self.clock.advance(1)
        self.brokers.mark_unresponsive(self.address, since)
        self.cluster.deliver()
        self.assertIsNotNone(self.brokers.live(self.address))

    def test_a_response_starts_the_count_again(self) -> None:
        """A connection on which something came meanwhile is kept."""
        self.connect()
        self.clock.advance(1)
        self.brokers.mark_unresponsive(self.address, self.clock.seconds())
        self.clock.advance(1)
        self.successResultOf(self._called())
        self.clock.advance(UNRESPONSIVE_LIMIT - 1)
        self.brokers.mark_unresponsive(self.address, self.clock.seconds())
        self.cluster.deliver()
        self.assertIsNotNone(self.brokers.live(self.address))
        self.clock.advance(UNRESPONSIVE_LIMIT)
        self.brokers.mark_unresponsive(self.address, self.clock.seconds())
        self.cluster.deliver()
        self.assertIsNone(self.brokers.live(self.address))

    def test_a_new_connection_starts_from_nothing(self) -> None:
        """After a cut, one late response does not cut the next connection too."""
        self.test_unresponsive_connection_is_cut()
        self.connect()
        (link,) = self.cluster.network.links_between(
            host_of(self.cluster.memory.clients[0]), self.address.rpartition(":")[0]
        )
        link.set_state(LinkState.CUT)
        self.clock.advance(0.5)
        self.brokers.mark_unresponsive(self.address, self.clock.seconds() - 0.5)
        self.cluster.deliver()
        self.assertIsNotNone(self.brokers.live(self.address))
        # The broker's end learns nothing, until it has been idle for two minutes.
        self.clock.advance(120)

    def _called(self) -> Deferred[Response]:
        """Call, and deliver the response."""
        called = self.brokers.call(self.address, REQUEST)
        self.cluster.deliver()
        return called
