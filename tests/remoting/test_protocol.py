"""The protocol as the end that is asked: what is answered, what is refused."""

from __future__ import annotations

import struct

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import BINARY, JSON, join
from tests.remoting.ends import (
    UNKNOWN,
    Echo,
    EchoResponse,
    Wire,
    asked,
    connected,
    echoing,
)

#: All that closes its connection, and nothing else. Source: ``NettyDecoder``.
MALFORMED = {
    "too long": b"\x7f\xff\xff\xff",
    "negative": b"\xff\xff\xff\xff",
    "too short": b"\0\0\0\3\0\0\0\0",
    "header past the end": b"\0\0\0\5\0\0\0\2{",
    "unknown form": b"\0\0\0\6\2\0\0\2{}",
    "no JSON": join(JSON, b"{"),
    "empty": join(JSON, b""),
    "null": join(JSON, b"null"),
    "a list": join(JSON, b"[]"),
    "a text": join(JSON, b'"text"'),
    "out of range": join(JSON, b'{"code":105,"opaque":99999999999}'),
    "binary cut short": join(BINARY, b"\0\x69\3"),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "gRPC": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


class ResponseTests(SynchronousTestCase):
    """Requests that come in."""

    def setUp(self) -> None:
        """Make a protocol that responds to echoes."""
        self.clock = Clock()
        self.router = echoing()
        self.protocol, self.wire = connected(self.clock, self.router)

    def test_responded(self) -> None:
        """A response bears its request's number; success bears no remark."""
        self.protocol.dataReceived(asked(opaque=77))
        (response,) = self.wire.commands()
        self.assertEqual((response.code, response.opaque, response.flag), (0, 77, 1))
        self.assertEqual(response.fields, {"text": "hi"})
        self.assertIsNone(response.remark)

    def test_one_write_for_many(self) -> None:
        """The responses to all requests of one read leave in one write, in order."""
        writes: list[bytes] = []
        self.wire.write = writes.append  # type: ignore[method-assign]
        self.protocol.dataReceived(asked(opaque=1) + asked(opaque=2) + asked(opaque=3))
        self.assertEqual(len(writes), 1)
        self.wire.io.write(writes[0])
        self.assertEqual([each.opaque for each in self.wire.commands()], [1, 2, 3])

    def test_byte_by_byte(self) -> None:
        """Slices make no difference."""
        for byte in asked(opaque=5):
            self.assertEqual(self.wire.value(), b"")
            self.protocol.dataReceived(bytes([byte]))
        self.assertEqual(self.wire.commands()[0].opaque, 5)

    def test_form_is_mirrored(self) -> None:
        """A binary request gets a binary response, a JSON one JSON."""
        for kind in (BINARY, JSON):
            self.protocol.dataReceived(encode_request(Echo(text="x"), 9, kind=kind))
            (response,) = self.wire.commands()
            self.assertEqual((response.kind, response.opaque), (kind, 9))
            self.assertEqual(response.fields, {"text": "x"})

    def test_values_are_texts(self) -> None:
        """Raw numbers are taken; what goes out is text, which Go insists on."""
        self.protocol.dataReceived(asked(ext='"text":7'))
        self.assertIn(b'"extFields":{"text":"7"}', self.wire.value())

    def test_unknown_code(self) -> None:
        """What nobody handles gets code 3, in Apache RocketMQ's words."""
        self.protocol.dataReceived(asked(UNKNOWN, opaque=8))
        (response,) = self.wire.commands()
        self.assertEqual((response.code, response.opaque), (3, 8))
        self.assertEqual(response.remark, f" request type {UNKNOWN} not supported")
        self.assertFalse(self.wire.disconnecting)

    def test_no_opaque(self) -> None:
        """A request without a number is answered with one of ours."""
        self.protocol.dataReceived(join(JSON, b'{"code":31996}'))
        (response,) = self.wire.commands()
        self.assertNotIn(response.opaque, (None, 0))

    def test_negative_opaque(self) -> None:
        """The peer's counter may have wrapped."""
        self.protocol.dataReceived(asked(opaque=-2147483648))
        self.assertEqual(self.wire.commands()[0].opaque, -2147483648)

    def test_one_way_has_no_response(self) -> None:
        """Whether it is handled, unknown, refused, wrong or late."""

        def refuse(_request: Echo, _call: object) -> Response:
            raise Refused(ResponseCode.NO_PERMISSION, "no")

        late: Deferred[Response] = Deferred()
        self.protocol.dataReceived(asked(flag=2))
        self.protocol.dataReceived(asked(UNKNOWN, flag=2))
        self.protocol.dataReceived(asked(flag=2, ext='"other":"x"'))
        self.router.on(Echo, refuse)
        self.protocol.dataReceived(asked(flag=2))
        self.router.on(Echo, lambda request, call: late)
        self.protocol.dataReceived(asked(flag=2))
        late.callback(EchoResponse(text="x"))
        self.assertEqual(self.wire.value(), b"")

    def test_refused(self) -> None:
        """A refusal's code and words reach the peer; the connection stays."""

        def refuse(_request: Echo, _call: object) -> Response:
            raise Refused(ResponseCode.NO_PERMISSION, "ask somebody else")

        self.router.on(Echo, refuse)
        self.protocol.dataReceived(asked())
        (response,) = self.wire.commands()
        self.assertEqual((response.code, response.remark), (16, "ask somebody else"))
        self.assertFalse(self.wire.disconnecting)

    def test_bad_field(self) -> None:
        """A field that is missing is named in the response."""
        self.protocol.dataReceived(asked(ext='"other":"x"'))
        (response,) = self.wire.commands()
        self.assertEqual(response.code, 1)
        self.assertEqual(
            response.remark, "the field text is missing; expected it in Echo"
        )

    def test_later(self) -> None:
        """A response may come later, and after one asked for later."""
        late: Deferred[Response] = Deferred()
        self.router.on(Echo, lambda request, call: late)
        self.protocol.dataReceived(asked(opaque=1))
        self.protocol.dataReceived(asked(UNKNOWN, opaque=2))
        self.assertEqual([each.opaque for each in self.wire.commands()], [2])
        late.callback(EchoResponse(text="at last"))
        (response,) = self.wire.commands()
        self.assertEqual((response.opaque, response.fields), (1, {"text": "at last"}))

    def test_later_and_refused(self) -> None:
        """What fails later is refused like what fails at once."""
        late: Deferred[Response] = Deferred()
        self.router.on(Echo, lambda request, call: late)
        self.protocol.dataReceived(asked())
        late.errback(Refused(ResponseCode.SYSTEM_BUSY, "busy"))
        self.assertEqual(self.wire.commands()[0].remark, "busy")

    def test_later_than_the_connection(self) -> None:
        """A response for a peer that is gone is dropped."""
        late: Deferred[Response] = Deferred()
        self.router.on(Echo, lambda request, call: late)
        self.protocol.dataReceived(asked())
        self.protocol.connectionLost()
        late.callback(EchoResponse(text="x"))
        self.assertEqual(self.wire.value(), b"")

    def test_call(self) -> None:
        """A handler learns the header, whom the request came from, and when."""
        seen: list[Call] = []
        self.router.on(Echo, lambda request, call: seen.append(call))
        self.clock.advance(7)
        self.protocol.dataReceived(asked(opaque=3) + asked(opaque=4))
        for opaque, call in enumerate(seen, 3):
            self.assertEqual((call.header.code, call.header.opaque), (31995, opaque))
            self.assertIs(call.peer, self.protocol)
            self.assertEqual(call.received_at, 7.0)
            self.assertIsNone(call.principal)
        self.assertEqual(len(seen), 2)
        self.assertEqual(self.protocol.address, "10.0.0.9:4711")
        self.assertEqual(self.protocol.host_bytes, bytes([10, 0, 0, 9, 0, 0, 18, 103]))

    def test_ext(self) -> None:
        """A guard gets fields that the request does not declare, and raw texts."""
        seen: list[object] = []

        def guard(_request: object, call: Call) -> None:
            seen.append(call.ext())

        self.router.guard(guard)
        whole = '"text":"hi","Signature":"s"'
        self.protocol.dataReceived(asked(ext=whole) + asked(ext='"text":7,"n":true'))
        header = struct.pack(">hbhii", Echo.code, 0, 0, 1, 0) + bytes(4)
        ext = b"".join(
            struct.pack(">h", len(name)) + name + struct.pack(">i", 1) + b"x"
            for name in (b"text", b"Signature")
        )
        header += struct.pack(">i", len(ext)) + ext
        self.protocol.dataReceived(join(BINARY, header))
        self.assertEqual(
            seen,
            [
                {"text": "hi", "Signature": "s"},
                {"text": "7", "n": "true"},
                {"text": "x", "Signature": "x"},
            ],
        )

    def test_no_delay(self) -> None:
        """A socket is set not to wait for more data before it sends a small packet."""

        class Socket(Wire):
            no_delay = False

            def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
                self.no_delay = enabled

        wire = Socket()
        connected(self.clock, self.router, wire)
        self.assertTrue(wire.no_delay)


class ClosingHandlerTests(SynchronousTestCase):
    """A handler that closes the connection its request came by."""

    def setUp(self) -> None:
        """Make a protocol whose handler closes what sends it "close"."""
        self.router = Router()
        self.router.on(Echo, self.handle)
        self.handled: list[str] = []
        self.outcome: Deferred[Response] | None = None
        self.protocol, self.wire = connected(Clock(), self.router, _Closing())

    def handle(self, request: Echo, call: Call) -> Response | Deferred[Response]:
        """Close if asked to, and respond."""
        self.handled.append(request.text)
        if request.text == "close":
            call.peer.close()
            call.peer.close()
            if self.outcome is not None:
                return self.outcome
        return EchoResponse(text=request.text)

    def test_response_leaves_before_the_close(self) -> None:
        """The handler's response is written, and those before it; then it closes."""
        data = asked(opaque=1) + asked(opaque=2, ext='"text":"close"')
        self.protocol.dataReceived(data)
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(self.wire.closed_at, [len(self.wire.value())])
        self.assertEqual([each.opaque for each in self.wire.commands()], [1, 2])
        self.assertIsNone(self.wire.producer)

    def test_large_response(self) -> None:
        """So is one too large to wait for the end of the read."""
        text = "x" * 5000
        router = Router()

        def handle(_request: Echo, call: Call) -> Response:
            call.peer.close()
            return EchoResponse(text=text)

        router.on(Echo, handle)
        protocol, wire = connected(Clock(), router, _Closing())
        protocol.dataReceived(asked())
        self.assertEqual(wire.closed_at, [len(wire.value())])
        self.assertEqual(wire.commands()[0].fields, {"text": text})

    def test_requests_behind_are_not_handled(self) -> None:
        """Neither those of the same read nor those of later ones."""
        data = asked(ext='"text":"close"') + asked(opaque=2)
        self.protocol.dataReceived(data)
        self.protocol.dataReceived(asked(opaque=3) + b"\xff" * 8)
        self.assertEqual(self.handled, ["close"])
        self.assertEqual(len(self.wire.commands()), 1)
        self.assertFalse(self.protocol.is_connected)

    def test_later_response(self) -> None:
        """A response that comes while the transport still closes is written."""
        self.outcome = Deferred()
        self.protocol.dataReceived(asked(opaque=5, ext='"text":"close"'))
        self.assertEqual(self.wire.closed_at, [0])
        self.outcome.callback(EchoResponse(text="late"))
        (response,) = self.wire.commands()
        self.assertEqual((response.opaque, response.fields), (5, {"text": "late"}))

    def test_response_after_the_close(self) -> None:
        """One that comes once the connection is gone is dropped."""
        self.outcome = Deferred()
        self.protocol.dataReceived(asked(ext='"text":"close"'))
        self.protocol.connectionLost()
        self.outcome.callback(EchoResponse(text="late"))
        self.assertEqual(self.wire.value(), b"")

    def test_close_is_done(self) -> None:
        """What the handler got from ``close`` fires when the connection is gone."""
        closed: list[Deferred[None]] = []
        self.router.on(Echo, lambda _, call: closed.append(call.peer.close()))
        self.protocol.dataReceived(asked())
        self.assertNoResult(closed[0])
        self.protocol.connectionLost()
        self.successResultOf(closed[0])

    def test_requests_that_wait_are_dropped(self) -> None:
        """Requests that waited for a slow reader are not handled after a close."""
        self.protocol.pauseProducing()
        self.protocol.dataReceived(asked(opaque=1) + asked(opaque=2))
        self.protocol.close()
        self.protocol.resumeProducing()
        self.assertEqual(self.handled, [])

    def test_abort(self) -> None:
        """A handler that cuts its connection ends it at once, with no response."""

        def abort(_request: Echo, call: Call) -> Response:
            self.handled.append("abort")
            call.peer.abort()
            return EchoResponse(text="x")

        self.router.on(Echo, abort)
        self.protocol.dataReceived(asked() + asked(opaque=2))
        self.assertTrue(self.wire.disconnected)
        self.assertEqual(self.handled, ["abort"])
        self.assertEqual(self.wire.value(), b"")


class _Closing(Wire):
    """
    A transport that notes when it was asked to close.

    :ivar closed_at: how many bytes had been written, for each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.closed_at: list[int] = []

    def loseConnection(self) -> None:  # noqa: N802
        """Note it."""
        self.closed_at.append(len(self.value()))
        super().loseConnection()


class RefusedPeerTests(SynchronousTestCase):
    """Peers that break the rules."""

    def test_closes_the_sender_alone(self) -> None:
        """Each kind of nonsense closes its own connection, without a response."""
        clock = Clock()
        router = echoing()
        for name, data in MALFORMED.items():
            other, other_wire = connected(clock, router)
            bad, bad_wire = connected(clock, router)
            bad.dataReceived(data)
            self.assertTrue(bad_wire.disconnecting, name)
            self.assertEqual(bad_wire.value(), b"", name)
            self.assertFalse(bad.is_connected)
            other.dataReceived(asked())
            self.assertEqual(len(other_wire.commands()), 1)
            self.assertFalse(other_wire.disconnecting)

    def test_byte_by_byte(self) -> None:
        """In slices it is refused as well, once."""
        for name, data in MALFORMED.items():
            bad, wire = connected(Clock(), echoing())
            with capturedLogs() as events:
                for byte in data:
                    bad.dataReceived(bytes([byte]))
            self.assertTrue(wire.disconnecting, name)
            self.assertEqual(len(events), 1, name)

    def test_earlier_requests_get_responses(self) -> None:
        """Requests before the mistake are answered, those after it are not."""
        for data in MALFORMED.values():
            bad, wire = connected(Clock(), echoing())
            bad.dataReceived(asked(opaque=1) + data + asked(opaque=2))
            bad.dataReceived(asked(opaque=3))
            self.assertEqual([each.opaque for each in wire.commands()], [1])

    def test_responses_are_sent_before_the_close(self) -> None:
        """Nothing is written to a transport that was asked to close."""
        closed_at: list[int] = []
        wire = Wire()
        bad, _ = connected(Clock(), echoing(), wire)
        lose = wire.loseConnection
        wire.loseConnection = lambda: (  # type: ignore[method-assign]
            closed_at.append(len(wire.value())),
            lose(),
        )[1]
        bad.dataReceived(asked() + MALFORMED["no JSON"])
        self.assertEqual(closed_at, [len(wire.value())])
        self.assertGreater(closed_at[0], 0)

    def test_one_line_a_peer_a_minute(self) -> None:
        """However often a host does it, it is logged once a minute."""
        clock = Clock()
        peers = PeerLog(clock)
        with capturedLogs() as events:
            for _ in range(300):
                bad, _wire = connected(clock, peers=peers)
                bad.dataReceived(MALFORMED["negative"])
                bad.connectionLost()
                clock.advance(0.5)
        self.assertEqual([e["log_level"] for e in events], [LogLevel.warn] * 3)

    def test_helpful_lines(self) -> None:
        """Other protocols are named, with what to do about it."""
        for name, said in (
            ("HTTP", "the peer speaks HTTP: point the client at the remoting port"),
            ("gRPC", "the peer speaks HTTP/2 (gRPC?): 5.x gRPC clients need a proxy"),
            ("TLS", "the peer speaks TLS: TLS is off on this port"),
        ):
            bad, _ = connected(Clock())
            with capturedLogs() as events:
                bad.dataReceived(MALFORMED[name])
            (event,) = events
            self.assertEqual(event["peer"], "10.0.0.9:4711")
            self.assertIn(said, event["why"])

    def test_unread_close_is_cut(self) -> None:
        """A peer that does not even read is cut once its idle time is over."""
        clock = Clock()
        bad, wire = connected(clock)
        bad.dataReceived(MALFORMED["negative"])
        clock.advance(121)
        self.assertTrue(wire.disconnected)
