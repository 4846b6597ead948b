"""From requests to handlers, from errors to codes."""

from __future__ import annotations

import struct
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalName, IllegalTopic
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.lane import ConditionalLane, Lane, Taken
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Guard, Handler, Outcome, Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.transaction import EndTransaction
from tests.remoting.ends import Echo, EchoResponse, connected, echo


class RouteTests(SynchronousTestCase):
    """Which handler is found."""

    def test_found(self) -> None:
        """A request's code leads to its declaration and its handler."""
        router = Router()
        router.on(Echo, echo)
        self.assertEqual(router.find(Echo.code), (Echo, echo))
        self.assertIsNone(router.find(1))

    def test_without(self) -> None:
        """A copy lacks what it should not serve; the first is as it was."""
        router = Router({IllegalTopic: ResponseCode.MESSAGE_ILLEGAL})
        router.on(Echo, echo)
        copy = router.without(Echo.code)
        self.assertIsNone(copy.find(Echo.code))
        self.assertIsNotNone(router.find(Echo.code))
        refusal = copy.refusal(Failure(IllegalTopic("x", "y")))
        self.assertEqual(refusal.status, ResponseCode.MESSAGE_ILLEGAL)

    def test_unsupported(self) -> None:
        """The words of Apache RocketMQ start with a space."""
        response = Router().unsupported(217)
        self.assertEqual(response.status, 3)
        self.assertEqual(response.remark, " request type 217 not supported")

    def test_absent(self) -> None:
        """A request for what is not there has a remark of its own, in copies too."""
        router = Router(absent={217: (1, "there are no such topics")}).without(5)
        response = router.unsupported(217)
        self.assertEqual(
            (response.status, response.remark), (1, "there are no such topics")
        )
        self.assertEqual(router.unsupported(218).status, 3)


class GuardTests(SynchronousTestCase):
    """What is called before handlers."""

    def setUp(self) -> None:
        """Make a router whose handler notes its requests."""
        self.seen: list[str] = []
        self.router = Router()

    def handle(self, request: Echo, call: Call) -> EchoResponse:
        """Note the request and who sent it."""
        self.seen.append(f"handler {call.principal}")
        return EchoResponse(text=request.text)

    def guard(self, name: str) -> Guard:
        """Make a guard that notes its calls."""

        def guard(request: Request[Any], call: Call) -> None:
            self.seen.append(f"{name} {type(request).__name__} {call.principal}")
            call.principal = name

        return guard

    def ask(self, router: Router | None = None) -> Any:
        """Ask for an echo."""
        found = (router or self.router).find(Echo.code)
        assert found is not None
        peer: Any = None
        return found[1](Echo(text="hi"), Call(Command(), peer, 0.0))

    def test_order(self) -> None:
        """Guards run first, in their order, whenever the handler was registered."""
        self.router.guard(self.guard("one"))
        self.router.on(Echo, self.handle)
        self.router.guard(self.guard("two"))
        self.assertEqual(self.ask().text, "hi")
        self.assertEqual(self.seen, ["one Echo None", "two Echo one", "handler two"])

    def test_refuses(self) -> None:
        """What a guard raises is the outcome; nothing behind it runs."""

        def refuse(_request: object, _call: object) -> None:
            raise Refused(ResponseCode.NO_PERMISSION, "who are you?")

        self.router.on(Echo, self.handle)
        self.router.guard(refuse)
        self.router.guard(self.guard("two"))
        self.assertRaises(Refused, self.ask)
        self.assertEqual(self.seen, [])

    def test_waits(self) -> None:
        """The handler runs once a guard's Deferred has fired, or not at all."""
        for outcome in (None, Refused(ResponseCode.NO_PERMISSION, "no")):
            router = Router()
            router.on(Echo, self.handle)
            waiting: Deferred[None] = Deferred()
            router.guard(lambda request, call, waiting=waiting: waiting)  # type: ignore[misc]
            response = self.ask(router)
            self.assertEqual(self.seen, [])
            if outcome is None:
                waiting.callback(None)
                self.assertEqual(self.successResultOf(response).text, "hi")
            else:
                waiting.errback(outcome)
                self.failureResultOf(response, Refused)
                self.assertEqual(self.seen, [])
            self.seen.clear()

    def test_copy(self) -> None:
        """A copy without some requests has the guards, each once."""
        self.router.guard(self.guard("one"))
        self.router.on(Echo, self.handle)
        self.ask(self.router.without(1))
        self.assertEqual(self.seen, ["one Echo None", "handler one"])

    def test_none(self) -> None:
        """Without a guard the handler is called as it is."""
        self.router.on(Echo, self.handle)
        for router in (self.router, self.router.without(1)):
            self.assertEqual(router.find(Echo.code), (Echo, self.handle))


class RefusalTests(SynchronousTestCase):
    """What an error is answered with."""

    def test_refused(self) -> None:
        """A refusal says its own code and words."""
        response = Router().refusal(Failure(Refused(ResponseCode.SYSTEM_BUSY, "later")))
        self.assertEqual((response.status, response.remark), (2, "later"))

    def test_table(self) -> None:
        """A listed class, and its subclasses, have their code."""
        router = Router({IllegalName: ResponseCode.MESSAGE_ILLEGAL})
        response = router.refusal(Failure(IllegalTopic("x", "it is too short")))
        self.assertEqual(response.status, 13)
        self.assertEqual(
            response.remark, 'the topic "x" is not allowed: it is too short'
        )

    def test_bad_field(self) -> None:
        """A bad field is a system error, as with Apache RocketMQ."""
        response = Router().refusal(Failure(BadField("topic", "missing", "it in X")))
        self.assertEqual(response.status, 1)

    def test_foreseen(self) -> None:
        """Errors of our own that are not listed are answered, not logged."""
        response = Router().refusal(Failure(IllegalTopic("x", "y")))
        self.assertEqual(response.status, 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_unforeseen(self) -> None:
        """What nobody foresaw is logged, and named to the peer."""
        response = Router().refusal(Failure(ZeroDivisionError("by nought")))
        self.assertEqual(
            (response.status, response.remark), (1, "ZeroDivisionError: by nought")
        )
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unforeseen_of_one_peer(self) -> None:
        """Tracebacks that a peer causes are limited like all its lines."""
        clock = Clock()
        router = Router(peers=PeerLog(clock))
        peer, _ = connected(clock)
        for _ in range(50):
            router.without(1).refusal(Failure(ZeroDivisionError("by nought")), peer)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class LaneTests(SynchronousTestCase):
    """When there is a lane."""

    def setUp(self) -> None:
        """Make a router with one."""
        self.router = Router()
        self.router.on(Echo, echo)
        self.lane: Any = object()
        self.router.use_lane(Echo, self.lane)

    def test_used(self) -> None:
        """It is there, and for other ports that handle its requests."""
        self.assertIs(self.router.lane, self.lane)
        self.assertIs(self.router.without(1).lane, self.lane)
        self.assertIsNone(self.router.without(Echo.code).lane)

    def test_guarded(self) -> None:
        """A guard must see every request: there is no lane, before it or after it."""
        self.router.guard(lambda _request, _call: None)
        self.assertIsNone(self.router.lane)
        self.router.use_lane(Echo, self.lane)
        self.assertIsNone(self.router.lane)
        self.assertIsNone(self.router.without(1).lane)

    def test_several_requests(self) -> None:
        """One lane may take several; another handler of any ends that."""
        self.router.on(EndTransaction, lambda _request, _call: None)
        self.router.use_lane(Echo, self.lane, [EndTransaction])
        codes = (int(Echo.code), int(EndTransaction.code))
        starts = tuple(b'{"code":%d,' % code for code in codes)
        starts += tuple(struct.pack(">h", code) for code in codes)
        self.assertEqual(self.router.lane_starts, starts)
        self.assertEqual(self.router.without(1).lane_starts, starts)
        self.assertIsNone(self.router.without(EndTransaction.code).lane)
        self.router.on(EndTransaction, lambda _request, _call: None)
        self.assertIsNone(self.router.lane)

    def test_several_requests_guarded(self) -> None:
        """A guard that reads them lets all of them take the lane, in both forms."""
        self.router.on(EndTransaction, lambda _request, _call: None)
        self.router.guard(lambda _request, _call: None, reader=lambda _peer: None)
        self.router.use_lane(Echo, self.lane, [EndTransaction])
        self.assertIsNotNone(self.router.lane)
        self.assertEqual(len(self.router.lane_starts), 4)

    def test_guarded_partly(self) -> None:
        """A guard of any of its requests counts."""
        self.router.on(EndTransaction, lambda _request, _call: None)
        self.router.use_lane(Echo, self.lane, [EndTransaction])
        self.router.guard(lambda _request, _call: None, frozenset((1,)))
        self.assertIsNotNone(self.router.lane)
        only = frozenset((EndTransaction.code,))
        self.router.guard(lambda _request, _call: None, only)
        self.assertIsNone(self.router.lane)

    def test_another_handler(self) -> None:
        """A new handler of its requests is not passed by."""
        self.router.on(Echo, echo)
        self.assertIsNone(self.router.lane)


def any_lane() -> Lane:
    """Make a lane that takes nothing."""
    return EmptyLane()


class EmptyLane:
    """A lane without requests."""

    starts: tuple[bytes, ...] = ()

    def take(self, *arguments: Any, **more: Any) -> Taken:
        """Take nothing."""
        return Taken()


class Meter:
    """A meter that notes what it sees."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def around(self, code: int, handler: Handler) -> Handler:
        """Note the calls of a handler."""

        def noted(request: Request[Any], call: Call) -> Outcome:
            self.seen.append(code)
            return handler(request, call)

        return noted

    def around_lane(self, lane: Lane) -> Lane:
        """Note that there is a lane."""
        self.seen.append(lane)
        return ConditionalLane(lambda: True, lane)

    def unhandled(self) -> None:
        """Note a request without a handler."""
        self.seen.append("unhandled")

    def flushed(self, code: int, status: int, since: float, count: int) -> None:
        """Note responses that waited."""


class MeterTests(SynchronousTestCase):
    """What sees all requests."""

    def setUp(self) -> None:
        """Measure a router."""
        self.meter = Meter()
        self.router = Router()
        self.router.on(Echo, echo)
        self.router.measure(self.meter)

    def ask(self, router: Router, code: int = Echo.code) -> None:
        """Find a handler and call it."""
        found = router.find(code)
        peer: Any = None
        if found is not None:
            found[1](Echo(text="hi"), Call(Command(), peer, 0.0))

    def test_sees_all(self) -> None:
        """It sees requests with a handler, and those without one."""
        self.ask(self.router)
        self.ask(self.router, 1)
        self.assertEqual(self.meter.seen, [Echo.code, "unhandled"])

    def test_before_guards(self) -> None:
        """What a guard refuses is seen, too, also if the guard came later."""

        def guard(request: Request[Any], call: Call) -> None:
            raise Refused(ResponseCode.NO_PERMISSION, "no")

        self.router.guard(guard)
        self.assertRaises(Refused, self.ask, self.router)
        self.assertEqual(self.meter.seen, [Echo.code])

    def test_later_handler(self) -> None:
        """So is one that is registered later."""
        self.router.on(Echo, echo)
        self.ask(self.router)
        self.assertEqual(self.meter.seen, [Echo.code])

    def test_copy(self) -> None:
        """A copy has the meter, and sees each request once."""
        copy = self.router.without(1)
        self.ask(copy)
        self.ask(copy, 1)
        self.assertEqual(self.meter.seen, [Echo.code, "unhandled"])

    def test_lane(self) -> None:
        """A lane is measured once, also in a copy."""
        router, lane = Router(), any_lane()
        router.on(Echo, echo)
        router.use_lane(Echo, lane)
        meter = Meter()
        router.measure(meter)
        self.assertIs(router.without(1).lane, router.lane)
        self.assertEqual(meter.seen, [lane])

    def test_later_guard_of_a_lane(self) -> None:
        """A guard that comes later takes the lane away; nothing passes it."""
        router = Router()
        router.on(Echo, echo)
        router.use_lane(Echo, any_lane())
        router.measure(Meter())
        router.guard(lambda request, call: None, reader=lambda peer: None)
        self.assertIsNone(router.lane)
