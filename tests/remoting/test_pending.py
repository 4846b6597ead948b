"""Our requests that wait for responses."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.errors import BrokerError, ConnectionLost, TooManyRequests
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.wire.command import RemotingCommand, encode_response
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Request, Response
from tests.remoting.ends import Echo, EchoResponse

LAST = (1 << 31) - 1
PEER = "10.0.0.9:4711"


def response(opaque: int | None, code: int = 0, **fields: str) -> RemotingCommand:
    """Make a response as the codec gives it."""
    return RemotingCommand(
        code=code, opaque=opaque, flag=1, fields=fields, remark="why", body=b"body"
    )


class OpaqueTests(SynchronousTestCase):
    """The numbers that tie responses to requests."""

    def test_never_zero(self) -> None:
        """Counting starts at 1, and again after the largest number."""
        self.assertEqual(PendingCalls().next_opaque(), 1)
        calls = PendingCalls(last_opaque=LAST - 1)
        self.assertEqual([calls.next_opaque() for _ in range(3)], [LAST, 1, 2])

    def test_not_reused_while_pending(self) -> None:
        """A number that still waits for its response is passed over."""
        calls = PendingCalls(last_opaque=LAST)
        waiting = calls.add(1, Echo(text="x"), PEER)
        self.assertEqual([calls.next_opaque() for _ in range(2)], [2, 3])
        self.assertNoResult(waiting)


class PendingCallsTests(SynchronousTestCase):
    """What becomes of a call."""

    def setUp(self) -> None:
        """Make a table that takes two calls; one waits."""
        self.calls = PendingCalls(limit=2)
        self.waiting = self.calls.add(7, Echo(text="x"), PEER)

    def test_resolved(self) -> None:
        """Its response is of the declared kind, with body, code and remark."""
        self.calls.resolve(response(7, text="hi"), PEER)
        found: EchoResponse = self.successResultOf(self.waiting)
        self.assertEqual((found.text, found.body), ("hi", b"body"))
        self.assertEqual((found.status, found.remark), (0, "why"))

    def test_unknown(self) -> None:
        """A response that nobody waits for, or with no number, is dropped."""
        self.calls.resolve(response(8, text="hi"), PEER)
        self.calls.resolve(response(None, text="hi"), PEER)
        self.assertNoResult(self.waiting)

    def test_error(self) -> None:
        """A code that the request does not accept fails it, in the peer's words."""
        self.calls.resolve(response(7, code=14), PEER)
        error = self.failureResultOf(self.waiting, BrokerError).value
        self.assertEqual((error.code, error.remark), (14, "why"))
        self.assertEqual((error.address, error.request), (PEER, "Echo"))

    def test_malformed(self) -> None:
        """A response that lacks a field fails its own call alone."""
        other = self.calls.add(8, Echo(text="y"), PEER)
        self.calls.resolve(response(7, other="x"), PEER)
        self.failureResultOf(self.waiting, BadField)
        self.assertNoResult(other)

    def test_limit(self) -> None:
        """No more wait than may; one that is resolved gives its permit to another."""
        self.calls.add(8, Echo(text="y"), PEER)
        error = self.assertRaises(
            TooManyRequests, self.calls.add, 9, Echo(text="z"), PEER
        )
        self.assertIn("2 requests wait", str(error))
        self.calls.resolve(response(7, text="hi"), PEER)
        self.assertNoResult(self.calls.add(9, Echo(text="z"), PEER))

    def test_cancelled(self) -> None:
        """A cancelled call leaves the table; its late response is dropped."""
        self.waiting.cancel()
        self.failureResultOf(self.waiting, CancelledError)
        self.calls.resolve(response(7, text="hi"), PEER)
        self.calls.add(7, Echo(text="y"), PEER)
        self.calls.add(8, Echo(text="z"), PEER)

    def test_lost(self) -> None:
        """Every call fails once when the connection is lost."""
        other = self.calls.add(8, Echo(text="y"), PEER)
        self.waiting.addErrback(lambda failure: other.cancel() or failure)
        self.calls.fail_all(PEER, "cable cut")
        error = self.failureResultOf(self.waiting, ConnectionLost).value
        self.assertIn("before Echo had a response (cable cut)", str(error))
        self.failureResultOf(other, CancelledError)
        self.calls.fail_all(PEER, "again")


class EchoHeader(msgspec.Struct):
    """The header of a usual response."""

    code: int
    fields: EchoResponse = msgspec.field(name="extFields")
    opaque: int
    flag: int
    remark: str | None = None


decode_echo = msgspec.json.Decoder(EchoHeader, strict=False).decode


class Caller:
    """Notes its response, or its failure."""

    def __init__(self, request_type: type[Request[Any]] = Echo) -> None:
        self.request_type = request_type
        self.responses: list[Any] = []
        self.failures: list[Failure] = []

    def responded(self, response: Any) -> None:
        """Note it."""
        self.responses.append(response)

    def failed(self, failure: Failure) -> None:
        """Note it."""
        self.failures.append(failure)


class Other(Request[Response]):
    """Another request, which is not declared."""


class Usual(Request[EchoResponse]):
    """A request that has a decoder of its usual response."""

    decode_response = decode_echo


class ExpectedTests(SynchronousTestCase):
    """Callers without a Deferred, whose responses have a decoder."""

    def setUp(self) -> None:
        """Let one wait."""
        self.calls = PendingCalls(limit=2)
        self.caller = Caller()
        self.calls.expect(7, self.caller, decode_echo)

    def resolve(self, response: Response, opaque: int = 7, body: bytes = b"") -> bool:
        """Try the decoder."""
        return self.calls.resolve_quickly(encode_response(response, opaque)[8:], body)

    def test_resolved(self) -> None:
        """Its caller gets the response, once."""
        self.assertTrue(self.resolve(EchoResponse(text="hi")))
        self.assertFalse(self.resolve(EchoResponse(text="hi")))
        self.assertEqual(self.caller.responses, [EchoResponse(text="hi")])

    def test_remark(self) -> None:
        """Apache RocketMQ sends one with the messages that a pull has found."""
        self.assertTrue(self.resolve(EchoResponse(text="hi", remark="FOUND")))
        self.assertEqual(self.caller.responses[0].remark, "FOUND")

    def test_with_a_body(self) -> None:
        """A response with a body has a decoder of its own."""
        self.assertFalse(self.resolve(EchoResponse(text="hi"), body=b"b"))
        self.calls.expect(8, self.caller, decode_echo, with_body=True)
        self.assertTrue(self.resolve(EchoResponse(text="hi"), opaque=8, body=b"b"))
        self.assertEqual(self.caller.responses, [EchoResponse(text="hi", body=b"b")])
        self.assertFalse(self.resolve(Response(), opaque=9, body=b"b"))
        self.assertIsNone(self.calls.decode_with_body)
        self.assertIsNotNone(self.calls.decode)

    def test_not_usual(self) -> None:
        """Errors and unknown numbers are left to the general way."""
        refused = EchoResponse(text="hi", status=1)
        self.assertFalse(self.resolve(refused))
        self.assertFalse(self.resolve(EchoResponse(text="hi"), opaque=8))
        self.assertIsNotNone(self.calls.decode)
        self.calls.resolve(response(7, text="hi"), PEER)
        self.assertEqual(self.caller.responses[0].remark, "why")

    def test_request_of_the_peer(self) -> None:
        """A request of the peer with that number is not taken for the response."""
        header = b'{"code":0,"extFields":{"text":"hi"},"flag":0,"opaque":7}'
        self.assertFalse(self.calls.resolve_quickly(header, b""))
        self.assertEqual(self.caller.responses, [])

    def test_response_of_another_kind(self) -> None:
        """The decoder is not tried again until another call expects it."""
        self.assertFalse(self.resolve(Response()))
        self.assertIsNone(self.calls.decode)
        self.calls.expect(8, Caller(), decode_echo)
        self.assertIsNotNone(self.calls.decode)

    def test_response_to_another_kind(self) -> None:
        """A call gets no response of a class that is not its own."""
        other = Caller(Other)
        self.calls.expect(8, other, decode_echo)
        self.assertFalse(self.resolve(EchoResponse(text="hi"), opaque=8))
        self.assertEqual(other.responses, [])

    def test_with_a_deferred(self) -> None:
        """Calls with a Deferred get usual responses too."""
        waiting = self.calls.add(8, Echo(text="x"), PEER)
        self.assertTrue(self.resolve(EchoResponse(text="hi"), opaque=8))
        self.assertEqual(self.successResultOf(waiting).text, "hi")

    def test_decoder_of_the_request(self) -> None:
        """A request may bring the decoder; others leave the one that there is."""
        calls = PendingCalls()
        waiting = calls.add(7, Usual(), PEER)
        calls.add(8, Echo(text="x"), PEER)
        header = encode_response(EchoResponse(text="hi"), 7)[8:]
        self.assertTrue(calls.resolve_quickly(header, b""))
        self.assertEqual(self.successResultOf(waiting).text, "hi")

    def test_failures(self) -> None:
        """It gets errors and the loss of the connection as failures."""
        self.calls.resolve(response(7, code=14), PEER)
        self.calls.expect(8, self.caller, decode_echo)
        self.calls.fail_all(PEER, "cable cut")
        kinds = [failure.type for failure in self.caller.failures]
        self.assertEqual(kinds, [BrokerError, ConnectionLost])

    def test_forgotten(self) -> None:
        """A caller that forgets its call gets nothing."""
        self.calls.forget(7)
        self.assertFalse(self.resolve(EchoResponse(text="hi")))
        self.calls.fail_all(PEER, "cable cut")
        self.assertEqual((self.caller.responses, self.caller.failures), ([], []))

    def test_full(self) -> None:
        """They count as calls."""
        self.assertFalse(self.calls.is_full)
        self.calls.expect(8, self.caller, decode_echo)
        self.assertTrue(self.calls.is_full)
