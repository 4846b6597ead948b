"""One attempt to send one message."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import BrokerUnreachable
from rocketmq_tw.client.producer.attempt import SendAttempt
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire.requests.send import SendMessageV2

PREPARED = Prepared(topic="T", message_id="K", body=b"x", properties="", size=1)
CONNECTION: Any = object()


class Brokers:
    """One broker; the test says whether there is a connection to it."""

    def __init__(self) -> None:
        self.live_now: Any = CONNECTION
        self.connecting: Deferred[Any] = Deferred()

    def address(self, broker_name: str) -> str | None:
        """Know broker-a."""
        return "a:1" if broker_name == "broker-a" else None

    def live(self, address: str) -> Any:
        """Give the connection, if there is one."""
        return self.live_now

    def connection(self, address: str) -> Deferred[Any]:
        """Wait for the test."""
        return self.connecting

    def connect_error(self, address: str, why: str) -> ConnectError:
        """Make the error."""
        return BrokerUnreachable(address, why)


class SendAttemptTests(SynchronousTestCase):
    """An attempt that has a second."""

    def setUp(self) -> None:
        """Let it be a while since the start of the clock."""
        self.clock = Clock()
        self.clock.advance(100)
        self.brokers = Brokers()
        self.sent: list[tuple[SendMessageV2, float]] = []
        self.response: Deferred[Any] = Deferred()

    def run_attempt(self, broker_name: str = "broker-a") -> Deferred[Any]:
        """Make the attempt and run it."""
        queue = MessageQueue("T", broker_name, 3)
        brokers: Any = self.brokers
        self.attempt = SendAttempt(brokers, self.clock, queue, 100.0, 1.0, 100.0)
        return self.attempt.run(PREPARED, "g", self.transmit)

    def transmit(
        self, connection: Any, request: SendMessageV2, timeout: float
    ) -> Deferred[Any]:
        """Keep the request."""
        self.assertIs(connection, CONNECTION)
        self.sent.append((request, timeout))
        return self.response

    def test_connection_is_there(self) -> None:
        """The request is written at once, and has all the time."""
        done = self.run_attempt()
        ((request, timeout),) = self.sent
        self.assertEqual((request.queue_id, request.producer_group), (3, "g"))
        self.assertEqual((request.born_timestamp, timeout), (100_000, 1.0))
        self.assertTrue(self.attempt.written)
        self.response.callback("response")
        self.assertEqual(self.successResultOf(done), "response")

    def test_connect_first(self) -> None:
        """What connecting took is missing from the time for the response."""
        self.brokers.live_now = None
        self.run_attempt()
        self.clock.advance(0.75)
        self.assertFalse(self.attempt.written)
        self.brokers.connecting.callback(CONNECTION)
        self.assertEqual([timeout for _, timeout in self.sent], [0.25])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connecting_takes_too_long(self) -> None:
        """Nothing is written; the error has the hint of an address never reached."""
        self.brokers.live_now = None
        done = self.run_attempt()
        self.clock.advance(1)
        self.failureResultOf(done, BrokerUnreachable)
        self.assertEqual((self.sent, self.attempt.written), ([], False))

    def test_master_unknown(self) -> None:
        """Without an address there is nobody to connect to."""
        self.failureResultOf(self.run_attempt("broker-x"), ConnectError)
        self.assertEqual(self.attempt.address, "?")

    def test_cancelled(self) -> None:
        """The request that waits for its response is given up."""
        done = self.run_attempt()
        done.cancel()
        self.failureResultOf(done, CancelledError)
