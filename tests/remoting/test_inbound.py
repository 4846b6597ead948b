"""From a decoded request to the frame of its response."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.inbound import InboundRequests
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import ONE_WAY, RemotingCommand, decode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import FrameDecoder
from tests.remoting.ends import UNKNOWN, Echo, EchoResponse, echo


class InboundRequestsTests(SynchronousTestCase):
    """Requests of one peer, of which two may be in flight."""

    def setUp(self) -> None:
        """Handle echoes; those of "later" wait."""
        router = Router()
        router.on(Echo, self.handle)
        self.later: list[Deferred[Response]] = []
        self.sent: list[bytes] = []
        self.limits: list[bool] = []
        self.inbound = InboundRequests(
            router=router,
            limit=2,
            next_opaque=lambda: 99,
            send=self.sent.append,
            on_limit=lambda: self.limits.append(self.inbound.is_at_limit),
        )

    def handle(self, request: Echo, call: Call) -> Response | Deferred[Response] | None:
        """Respond, now or later or never."""
        if request.text == "never":
            return None
        if request.text != "later":
            return echo(request, call)
        self.later.append(Deferred())
        return self.later[-1]

    def ask(self, text: str, **header: Any) -> bytes | None:
        """Ask for an echo."""
        values: dict[str, Any] = {"code": Echo.code, "opaque": 7, "body": b"body"}
        command = RemotingCommand(fields={"text": text}, **values | header)
        peer: Any = None
        return self.inbound.handle(Call(command, peer, 0.0))

    def read(self, frame: bytes | None) -> RemotingCommand:
        """Decode a response."""
        assert frame is not None
        (found,) = FrameDecoder().feed(frame)
        return decode(*found)

    def test_at_once(self) -> None:
        """The response bears the request's number; fields are read if need be."""
        response = self.read(self.ask("hi"))
        self.assertEqual((response.opaque, response.body), (7, b"body"))
        self.assertEqual(response.fields, {"text": "hi"})
        self.assertEqual(self.inbound.in_flight, 0)

    def test_without_a_number(self) -> None:
        """One without a number is given one of ours."""
        self.assertEqual(self.read(self.ask("hi", opaque=None)).opaque, 99)

    def test_no_response(self) -> None:
        """None is due to one-way requests, nor where the handler gives none."""
        self.assertIsNone(self.ask("hi", flag=ONE_WAY))
        self.assertIsNone(self.ask("never"))
        self.assertIsNone(self.ask("later", flag=ONE_WAY))
        self.later[0].callback(EchoResponse(text="x"))
        self.assertEqual((self.sent, self.inbound.in_flight), ([], 0))

    def test_unknown(self) -> None:
        """What nobody handles is refused with code 3."""
        self.assertEqual(self.read(self.ask("x", code=UNKNOWN)).code, 3)

    def test_later(self) -> None:
        """A response, or a refusal, that comes later is sent then."""
        self.assertIsNone(self.ask("later", opaque=1))
        self.assertIsNone(self.ask("later", opaque=2))
        self.later[1].errback(Refused(ResponseCode.SYSTEM_BUSY, "busy"))
        self.later[0].callback(EchoResponse(text="at last"))
        found = [self.read(frame) for frame in self.sent]
        self.assertEqual([(each.opaque, each.code) for each in found], [(2, 2), (1, 0)])

    def test_keeps_no_body(self) -> None:
        """A request whose response comes later is not kept meanwhile."""
        body = bytes(100)
        before = sys.getrefcount(body)
        self.ask("later", body=body)
        self.assertEqual(sys.getrefcount(body), before)

    def test_limit(self) -> None:
        """Whoever reads is notified when the limit is reached, and when left."""
        self.ask("later")
        self.assertEqual(self.limits, [])
        self.ask("later")
        self.assertEqual(self.limits, [True])
        self.ask("later")
        self.later[0].callback(EchoResponse(text=""))
        self.assertEqual(self.limits, [True])
        self.later[1].callback(EchoResponse(text=""))
        self.assertEqual(self.limits, [True, False])
