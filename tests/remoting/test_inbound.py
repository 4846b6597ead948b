"""From a decoded request to the frame of its response."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call, Exclusive
from rocketmq_tw.remoting.durable import AfterFlush
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.inbound import InboundRequests
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import ONE_WAY, RemotingCommand, decode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import FrameDecoder
from tests.broker.doubles import MemoryConnection
from tests.remoting.ends import UNKNOWN, Echo, EchoResponse, echo
from tests.remoting.logs import MemoryLog


class InboundRequestsTests(SynchronousTestCase):
    """Requests of one peer, of which two may be in flight."""

    def setUp(self) -> None:
        """Handle echoes; those of "later" wait."""
        router = Router()
        router.on(Echo, self.handle)
        self.later: list[Deferred[Response]] = []
        self.sent: list[bytes] = []
        self.limits: list[bool] = []
        self.log = MemoryLog()
        self.inbound = InboundRequests(
            router=router,
            limit=2,
            next_opaque=lambda: 99,
            send=self.sent.append,
            send_now=self.sent.append,
            on_limit=lambda: self.limits.append(self.inbound.is_at_limit),
            postpone=lambda work: work(),
        )

    def handle(self, request: Echo, call: Call) -> Outcome:
        """Respond, now or later or never."""
        if request.text == "never":
            return None
        if request.text == "flushed":
            return AfterFlush(echo(request, call), self.log.end, self.log)
        if request.text not in ("later", "alone"):
            return echo(request, call)
        self.later.append(Deferred() if request.text == "later" else Exclusive())
        return self.later[-1]

    def ask(self, text: str, **header: Any) -> bytes | None:
        """Ask for an echo."""
        values: dict[str, Any] = {"code": Echo.code, "opaque": 7, "body": b"body"}
        command = RemotingCommand(fields={"text": text}, **values | header)
        peer: Any = MemoryConnection()
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

    def test_cannot_be_encoded(self) -> None:
        """An error is sent instead, at once or later."""
        at_once = self.read(self.ask("\ud800"))
        self.assertIsNone(self.ask("later"))
        self.later[0].callback(EchoResponse(text="\ud800"))
        for response in (at_once, self.read(self.sent[0])):
            self.assertEqual(response.code, ResponseCode.SYSTEM_ERROR)
            self.assertIn("UnicodeEncodeError", response.remark or "")
        self.assertEqual(len(self.flushLoggedErrors(UnicodeEncodeError)), 2)

    def test_log_failed_behind_a_guard(self) -> None:
        """A message that is stored late, when the disk has failed, has a response."""
        self.assertIsNone(self.ask("later"))
        self.log.error = Refused(ResponseCode.SERVICE_NOT_AVAILABLE, "broken")
        self.later[0].callback(AfterFlush(EchoResponse(text=""), 1, self.log))
        self.assertEqual(
            (self.read(self.sent[0]).code, self.inbound.in_flight), (14, 0)
        )

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

    def test_exclusive(self) -> None:
        """One such request is as many as may be in flight, whatever else is."""
        self.ask("later")
        self.ask("alone")
        self.assertEqual(self.limits, [True])
        self.later[1].callback(EchoResponse(text=""))
        self.assertEqual((self.limits, self.inbound.in_flight), ([True, False], 1))
        self.ask("alone", flag=ONE_WAY)
        self.later[2].errback(Refused(ResponseCode.SYSTEM_BUSY, "busy"))
        self.assertEqual(self.limits, [True, False] * 2)

    def test_flushed(self) -> None:
        """It is sent when the log is on disk, without a Deferred."""
        self.assertIsNone(self.ask("flushed"))
        self.assertEqual((self.sent, self.inbound.in_flight), ([], 1))
        self.log.flush()
        self.assertEqual(self.read(self.sent.pop()).opaque, 7)
        self.assertEqual(self.inbound.in_flight, 0)

    def test_flushed_already(self) -> None:
        """Then it is the response at once."""
        self.log.is_flushed = True
        self.assertEqual(self.read(self.ask("flushed")).opaque, 7)
        self.assertEqual(self.inbound.in_flight, 0)

    def test_flushed_one_way(self) -> None:
        """Nothing waits, as nothing is sent."""
        self.assertIsNone(self.ask("flushed", flag=ONE_WAY))
        self.assertEqual((self.inbound.in_flight, self.log.waiters), (0, []))

    def test_flush_failed(self) -> None:
        """The sender gets the error, with the number of its request."""
        self.ask("flushed", opaque=8)
        self.log.fail(Refused(ResponseCode.SERVICE_NOT_AVAILABLE, "broken"))
        response = self.read(self.sent.pop())
        self.assertEqual((response.code, response.opaque), (14, 8))
        self.assertEqual(response.remark, "broken")

    def test_log_failed_before(self) -> None:
        """That is an error of the request."""
        self.log.error = Refused(ResponseCode.SERVICE_NOT_AVAILABLE, "broken")
        response = self.read(self.ask("flushed"))
        self.assertEqual((response.code, self.inbound.in_flight), (14, 0))

    def test_limit_of_the_flushed(self) -> None:
        """Those that wait for the disk count too, also many at once."""
        self.assertIsNone(self.ask("flushed"))
        peer: Any = MemoryConnection()
        kept = self.inbound.keep(b"", count=5, end=9, log=self.log, peer=peer, code=310)
        self.assertTrue(kept)
        self.assertEqual((self.inbound.in_flight, self.limits), (6, [True]))
        self.log.flush()
        self.assertEqual((self.inbound.in_flight, self.limits), (0, [True, False]))

    def test_flushed_behind_a_guard(self) -> None:
        """A handler that runs later may wait for the disk after that."""
        self.ask("later")
        response: Any = AfterFlush(EchoResponse(text="x"), 1, self.log)
        self.later.pop().callback(response)
        self.assertEqual(self.sent, [])
        self.log.flush()
        self.assertEqual(len(self.sent), 1)

    def test_connection_lost(self) -> None:
        """What still waited is dropped."""
        self.ask("flushed")
        self.inbound.release()
        self.log.flush()
        self.assertEqual(self.sent, [])
