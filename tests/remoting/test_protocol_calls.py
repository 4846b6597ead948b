"""The protocol as the end that asks: each call ends once, whatever happens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.errors import (
    BrokerError,
    ConnectionLost,
    RequestTimeout,
    TooManyRequests,
)
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.frame import JSON, join
from tests.remoting.ends import Echo, EchoResponse, Wire, connected, response_frame


class CallTests(SynchronousTestCase):
    """Requests that go out."""

    def setUp(self) -> None:
        """Make a connected protocol."""
        self.clock = Clock()
        self.protocol, self.wire = connected(self.clock, max_pending=3)

    def call(self, **kwargs: Any) -> Deferred[EchoResponse]:
        """Send one request."""
        return self.protocol.call(Echo(text="hi"), **kwargs)

    def test_response(self) -> None:
        """The response comes with its fields and body."""
        called = self.call()
        (request,) = self.wire.commands()
        header = b'{"code":0,"extFields":{"text":"ho"},"flag":1,"opaque":%d}'
        self.protocol.dataReceived(join(JSON, header % request.opaque, b"body"))
        self.assertEqual(
            self.successResultOf(called), EchoResponse(text="ho", body=b"body")
        )
        self.assertEqual(self.clock.getDelayedCalls()[1:], [])

    def test_any_order(self) -> None:
        """Responses are told apart by their numbers, not by their order."""
        first, second = self.call(), self.call()
        one, two = self.wire.commands()
        self.protocol.dataReceived(
            response_frame(two.opaque, text="second")
            + response_frame(one.opaque, text="first")
        )
        self.assertEqual(self.successResultOf(first).text, "first")
        self.assertEqual(self.successResultOf(second).text, "second")

    def test_batched(self) -> None:
        """Those that are batched are written together, a little later."""
        for _ in range(2):
            self.call(batched=True)
        self.assertEqual(self.wire.commands(), [])
        self.clock.advance(0)
        self.assertEqual(len(self.wire.commands()), 2)

    def test_error_code(self) -> None:
        """A code that is not accepted is an error that says who said what."""
        called = self.call()
        (request,) = self.wire.commands()
        header = b'{"code":17,"remark":"no such topic","flag":1,"opaque":%d}'
        self.protocol.dataReceived(join(JSON, header % request.opaque))
        error = self.failureResultOf(called, BrokerError).value
        self.assertEqual((error.code, error.remark), (17, "no such topic"))
        self.assertEqual(
            str(error),
            "10.0.0.9:4711 responded to Echo with TOPIC_NOT_EXIST (17): no such topic",
        )

    def test_bad_response(self) -> None:
        """A response that lacks a field fails the call, not the connection."""
        called = self.call()
        (request,) = self.wire.commands()
        header = b'{"code":0,"flag":1,"opaque":%d}' % request.opaque
        self.protocol.dataReceived(join(JSON, header))
        self.failureResultOf(called, BadField)
        self.assertTrue(self.protocol.is_connected)

    def test_unexpected_responses(self) -> None:
        """Responses that nobody waits for are dropped."""
        self.protocol.dataReceived(
            response_frame(99) + response_frame(0) + response_frame(-1)
        )
        self.protocol.dataReceived(join(JSON, b'{"code":0,"flag":1}'))
        self.assertEqual(self.wire.value(), b"")
        self.assertTrue(self.protocol.is_connected)

    def test_time_out(self) -> None:
        """A call is given up once; its late response is dropped."""
        called = self.call(timeout=2.0)
        (request,) = self.wire.commands()
        self.clock.advance(1.9)
        self.assertNoResult(called)
        self.clock.advance(0.2)
        error = self.failureResultOf(called, RequestTimeout).value
        self.assertEqual(str(error), "10.0.0.9:4711: Echo had no response within 2 s")
        self.protocol.dataReceived(response_frame(request.opaque))

    def test_cancel(self) -> None:
        """A cancelled call fails as cancelled; its late response is dropped."""
        called = self.call()
        called.cancel()
        self.failureResultOf(called, CancelledError)
        self.protocol.dataReceived(response_frame(self.wire.commands()[0].opaque))

    def test_connection_lost(self) -> None:
        """All calls that wait fail once, and say what they waited for."""
        called = [self.call(), self.call(), self.call()]
        self.protocol.connectionLost(Failure(ConnectionDone()))
        for each in called:
            error = self.failureResultOf(each, ConnectionLost).value
            self.assertIn("lost before Echo had a response", str(error))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_while_one_cancels_another(self) -> None:
        """A failed call that cancels its companions spoils nothing."""
        together = gatherResults([self.call(), self.call()], consumeErrors=True)
        together.addErrback(lambda failure: other.cancel())
        other = self.call()
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(together)
        self.failureResultOf(other, CancelledError)

    def test_too_many(self) -> None:
        """Past the limit nothing more is sent."""
        called = [self.call() for _ in range(4)]
        self.failureResultOf(called[3], TooManyRequests)
        self.assertEqual(len(self.wire.commands()), 3)

    def test_cannot_be_encoded(self) -> None:
        """Nothing is sent, and nothing waits for a response."""
        for _ in range(4):  # more than may wait
            called = self.protocol.call(Echo(text="\ud800"))
            self.failureResultOf(called, UnicodeEncodeError)
        self.assertEqual(self.wire.value(), b"")

    def test_not_connected(self) -> None:
        """A call on a closed connection fails at once."""
        self.protocol.connectionLost()
        self.failureResultOf(self.call(), ConnectionLost)
        self.assertEqual(self.wire.value(), b"")

    def test_one_way(self) -> None:
        """A one-way request says so, and waits for nothing."""
        self.protocol.call_one_way(Echo(text="x"))
        (request,) = self.wire.commands()
        self.assertTrue(request.is_one_way)
        self.protocol.connectionLost()
        self.protocol.call_one_way(Echo(text="x"))
        self.assertEqual(self.wire.value(), b"")


class CountingWire(Wire):
    """Counts the writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep each."""
        self.writes.append(data)
        super().write(data)


class WriteRequestTests(SynchronousTestCase):
    """Requests that were encoded before."""

    def setUp(self) -> None:
        """Make a connected protocol."""
        self.clock = Clock()
        self.wire = CountingWire()
        self.protocol, _ = connected(self.clock, wire=self.wire)

    def test_at_once(self) -> None:
        """One that is not batched does not wait."""
        self.protocol.write_request(b"a", batched=False)
        self.assertEqual(self.wire.writes, [b"a"])

    def test_batched(self) -> None:
        """A hundred of one reactor iteration take one write, in order."""
        for number in range(100):
            self.protocol.write_request(b"%d," % number, batched=number > 0)
        self.assertEqual(self.wire.writes, [b"0,"])
        self.clock.advance(0)
        self.assertEqual(len(self.wire.writes), 2)
        self.assertEqual(self.wire.writes[1].count(b","), 99)

    def test_order(self) -> None:
        """What is written at once later follows what was batched before."""
        self.protocol.write_request(b"a", batched=True)
        self.protocol.write_request(b"b", batched=False)
        self.clock.advance(0)
        self.assertEqual(self.wire.value(), b"ab")

    def test_after_the_loss(self) -> None:
        """Nothing is written, and nothing is scheduled."""
        self.protocol.connectionLost()
        self.protocol.write_request(b"a", batched=True)
        self.protocol.write_request(b"b", batched=False)
        self.assertEqual((self.wire.writes, self.clock.getDelayedCalls()), ([], []))
