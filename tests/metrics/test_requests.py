"""How long requests take."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.requests import RequestMetrics, request_name
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.durable import AfterFlush
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.broker.cases import pulled
from tests.metrics.reading import Reading, read
from tests.remoting.ends import UNKNOWN, asked, connected
from tests.remoting.logs import MemoryLog

NAME = "rocketmq_rpc_latency_milliseconds"


class RequestMetricsTests(SynchronousTestCase):
    """Requests over a connection in memory."""

    def setUp(self) -> None:
        """Measure a router with one handler."""
        self.clock = Clock()
        self.page = Page(self.clock)
        self.outcome: Any = Response()
        self.router = Router()
        self.router.on(GetMaxOffset, self.handle)
        self.router.on(PullMessage, self.handle)
        self.metrics = RequestMetrics(
            Target(self.page, ()), self.router, self.clock.seconds
        )
        self.page.add(self.metrics.collect)
        self.protocol, self.wire = connected(self.clock, self.router)

    def handle(self, request: Request[Any], call: Call) -> Any:
        """Take 2 ms, and do as the test says."""
        self.clock.advance(0.002)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def ask(self, *requests: Request[Any], one_way: bool = False) -> None:
        """Send requests in one piece."""
        asked = requests or (GetMaxOffset("T", 0),)
        frames = [encode_request(each, 1, one_way=one_way) for each in asked]
        self.protocol.dataReceived(b"".join(frames))
        self.clock.advance(0)

    def read(self) -> Reading:
        """Read the page."""
        self.clock.advance(1)
        return read(self.successResultOf(self.page.collect()))

    def counted(self, **labels: str) -> float | None:
        """Return how many requests there were with some labels."""
        return self.read().get(f"{NAME}_count", **labels)

    def test_success(self) -> None:
        """It is counted with all labels of Apache RocketMQ, in its bucket."""
        self.ask()
        page = self.read()
        expected = {
            "protocol_type": "remoting",
            "request_code": "get_max_offset",
            "response_code": "success",
            "is_long_polling": "false",
            "result": "success",
        }
        self.assertEqual(page.labels(f"{NAME}_count"), [expected])
        self.assertEqual(page.get(f"{NAME}_bucket", le="1.0"), 0)
        self.assertEqual(page.get(f"{NAME}_bucket", le="3.0"), 1)
        self.assertAlmostEqual(page.get(f"{NAME}_sum") or 0, 2)

    def test_nothing_yet(self) -> None:
        """What nobody asked has no series."""
        self.assertEqual(self.read().labels(f"{NAME}_count"), [])

    def test_waits_for_others(self) -> None:
        """The second request of a read has waited for the first."""
        self.ask(GetMaxOffset("T", 0), GetMaxOffset("T", 1))
        self.assertAlmostEqual(self.read().get(f"{NAME}_sum") or 0, 2 + 4)

    def test_refused(self) -> None:
        """A refusal has its code; the peer gets it as without a meter."""
        self.outcome = Refused(ResponseCode.NO_PERMISSION, "no")
        self.ask()
        [command] = self.wire.commands()
        self.assertEqual((command.code, command.remark), (16, "no"))
        self.assertEqual(self.counted(response_code="no_permission"), 1)

    def test_failed(self) -> None:
        """So does a failure, which is logged once."""
        self.outcome = ZeroDivisionError()
        self.ask()
        [command] = self.wire.commands()
        self.assertEqual(command.code, 1)
        self.assertEqual(self.counted(response_code="system_error"), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_one_way(self) -> None:
        """Nobody waits for it."""
        for outcome in (Response(), None):
            self.outcome = outcome
            self.ask(one_way=True)
        self.assertEqual(self.counted(result="oneway"), 2)

    def test_lane(self) -> None:
        """What a lane takes: sends, and those of another kind among them."""

        class AnyLane:
            """Takes five requests, of which two end transactions."""

            def take(self, *_arguments: object) -> Taken:
                return Taken(count=5, response_count=2, other=(37, 2, 1))

        peer: Any = SimpleNamespace(last_seen=0.0)
        self.metrics.meter.around_lane(AnyLane()).take([], 0, 0, peer, 0.0)
        for name, result, count in (
            ("send_message_v2", "success", 1),
            ("send_message_v2", "oneway", 2),
            ("end_transaction", "success", 1),
            ("end_transaction", "oneway", 1),
        ):
            self.assertEqual(self.counted(request_code=name, result=result), count)

    def test_lane_whose_ends_wait(self) -> None:
        """What waits for the disk is not counted yet; what is one-way is."""

        class AnyLane:
            """Ends four transactions; the responses to three of them wait."""

            def take(self, *_arguments: object) -> Taken:
                log = MemoryLog()
                return Taken(
                    count=4, response_count=3, log=log, code=37, other=(37, 4, 3)
                )

        peer: Any = SimpleNamespace(last_seen=0.0)
        self.metrics.meter.around_lane(AnyLane()).take([], 0, 0, peer, 0.0)
        name = "end_transaction"
        self.assertEqual(self.counted(request_code=name, result="oneway"), 1)
        self.assertIsNone(self.counted(request_code=name, result="success"))

    def test_held(self) -> None:
        """A pull that waited is one of long polling, with the time it waited."""
        self.outcome = waiting = Deferred[Response]()
        self.ask(pulled())
        self.clock.advance(0.5)
        waiting.callback(Response())
        page = self.read()
        self.assertEqual(page.get(f"{NAME}_count", is_long_polling="true"), 1)
        self.assertAlmostEqual(page.get(f"{NAME}_sum") or 0, 502)
        self.assertEqual(len(self.wire.commands()), 1)

    def test_held_and_failed(self) -> None:
        """A failure that comes later has its code, too."""
        self.outcome = waiting = Deferred[Response]()
        self.ask()
        waiting.errback(Refused(ResponseCode.SYSTEM_BUSY, "busy"))
        self.assertEqual(self.wire.commands()[0].remark, "busy")
        self.assertEqual(self.counted(response_code="system_busy"), 1)

    def test_gone(self) -> None:
        """Nobody is there any more for the response."""
        self.outcome = waiting = Deferred[Response]()
        self.ask()
        self.protocol.connectionLost()
        waiting.callback(Response())
        self.assertEqual(self.counted(result="write_channel_failed"), 1)

    def test_flushed(self) -> None:
        """What waits for the disk is counted when it is there."""
        log = MemoryLog()
        self.outcome = AfterFlush(Response(), 10, log)
        self.ask()
        self.assertIsNone(self.counted())
        self.clock.advance(0.047)
        log.flush(10)
        page = self.read()
        self.assertEqual(page.get(f"{NAME}_count"), 1)
        self.assertEqual(page.get(f"{NAME}_bucket", le="1000.0"), 0)

    def test_flushed_already(self) -> None:
        """What need not wait is counted as well, once."""
        log = MemoryLog()
        log.is_flushed = True
        self.outcome = AfterFlush(Response(), 10, log)
        self.ask()
        self.assertEqual(self.counted(response_code="success"), 1)

    def test_not_flushed(self) -> None:
        """What waited in vain has the code that its sender gets."""
        log = MemoryLog()
        self.outcome = AfterFlush(Response(), 10, log)
        self.ask()
        self.clock.advance(6)
        log.waiters[0].expired(self.clock.seconds())
        self.clock.advance(0)
        self.assertEqual(self.wire.commands()[0].code, 10)
        self.assertEqual(self.counted(response_code="flush_disk_timeout"), 1)

    def test_unknown(self) -> None:
        """Codes that are not handled share one counter, however many there are."""
        for code in (UNKNOWN, UNKNOWN + 1):
            self.protocol.dataReceived(asked(code))
        page = self.read()
        self.assertEqual(page.get("rocketmq_requests_unknown_total"), 2)
        self.assertEqual(page.labels(f"{NAME}_count"), [])
        self.assertEqual([each.code for each in self.wire.commands()], [3, 3])

    def test_names(self) -> None:
        """Codes have the names of their constants."""
        self.assertEqual(request_name(310), "send_message_v2")
        self.assertEqual(request_name(UNKNOWN), str(UNKNOWN))
