"""Tests of sharing the reactor's iterations among requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyWaiting
from rocketmq_tw.broker.pacing import (
    FREQUENT,
    STEP,
    TIME,
    UNITS,
    Pacer,
    Steps,
    encode_each,
    responding,
)
from rocketmq_tw.broker.waiting import WaitingRequests
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import DECLARED, Response
from rocketmq_tw.wire.requests.group import GetAllGroups
from tests.broker.cases import BrokerCase, Peer
from tests.broker.doubles import call_from

#: The steps of an iteration on a clock that stands still.
STEPS = UNITS // STEP

#: A request of a tool, and one that is always handled at once.
ASKED = DECLARED[RequestCode.GET_BROKER_RUNTIME_INFO]
OFTEN = DECLARED[min(FREQUENT)]


class Named:
    """A request that can be told from others, with a body of 100 bytes."""

    def __init__(self, name: object) -> None:
        self.name = name
        self.body = bytes(100)


class PacerTests(SynchronousTestCase):
    """Requests of some connections, on a clock that stands still."""

    def setUp(self) -> None:
        """Note what is done."""
        self.clock = Clock()
        self.pacer = Pacer(self.clock)
        self.peer, self.other = Peer(), Peer()
        self.done: list[Any] = []

    def steps(self, name: str, count: int) -> Steps[str]:
        """Take so many steps, and return the name."""
        for number in range(count):
            self.done.append((name, number))
            if number + 1 < count:
                yield None
        return name

    def handler(self, handle: Callable[[Any], Any] | None = None) -> Any:
        """Wrap a handler that notes its requests."""
        handle = handle or (lambda request: self.done.append(request) or Response())
        wrapped = self.pacer.wrap(ASKED, lambda request, call: handle(request.name))
        return lambda name, peer: wrapped(Named(name), call_from(peer, 0.0))

    def iterate(self) -> None:
        """Run what is scheduled for the next iteration of the reactor, and no more."""
        (call,) = self.clock.getDelayedCalls()
        function = call.func
        call.cancel()
        function()

    def test_few_are_handled_at_once(self) -> None:
        """Nothing waits, and nothing is scheduled for long."""
        handle = self.handler()
        for number in range(UNITS):
            self.assertIsInstance(handle(number, self.peer), Response)
        self.clock.advance(0)
        self.assertEqual((len(self.pacer), self.clock.getDelayedCalls()), (0, []))

    def test_many_wait_in_order(self) -> None:
        """An iteration handles so many; later ones do not pass those that wait."""
        handle = self.handler()
        answers = [handle(number, self.peer) for number in range(2 * UNITS + 1)]
        self.assertEqual(len(self.done), UNITS)
        self.iterate()
        self.assertEqual(len(self.done), 2 * UNITS)
        handle("last", self.peer)
        self.iterate()
        self.assertEqual(self.done, [*range(2 * UNITS + 1), "last"])
        self.assertIsInstance(self.successResultOf(answers[-1]), Response)

    def test_time_of_an_iteration(self) -> None:
        """Where handlers take long, fewer of them are handled."""

        def slow(request: object) -> Response:
            self.done.append(request)
            self.clock.rightNow += TIME / 2
            return Response()

        handle = self.handler(slow)
        for number in range(5):
            handle(number, self.peer)
        self.assertEqual(self.done, [0, 1])
        self.iterate()
        self.assertEqual(self.done, [0, 1, 2, 3])

    def test_frequent_requests_never_wait(self) -> None:
        """Their handlers are not even wrapped."""

        def handler(request: object, call: object) -> Response:
            return Response()

        self.assertIs(self.pacer.wrap(OFTEN, handler), handler)

    def test_short_work_is_done_at_once(self) -> None:
        """The result is no Deferred."""
        self.assertEqual(self.pacer.run(self.steps("a", 2), self.peer), "a")

    def test_long_work(self) -> None:
        """Each iteration takes some steps."""
        result = self.pacer.run(self.steps("a", 2 * STEPS + 1), self.peer)
        self.assertEqual(len(self.done), STEPS)
        self.iterate()
        self.assertEqual(len(self.done), 2 * STEPS)
        assert isinstance(result, Deferred)
        self.assertNoResult(result)
        self.iterate()
        self.assertEqual(self.successResultOf(result), "a")

    def test_connections_alternate(self) -> None:
        """Work of one does not wait for all work of another."""
        for name in ("a", "b"):
            self.pacer.run(self.steps(name, 3 * STEPS), self.peer)
        self.done.clear()
        self.pacer.run(self.steps("c", STEPS), self.other)
        self.iterate()
        of_other = [step for step in self.done if step[0] == "c"]
        self.assertEqual((len(self.done), len(of_other)), (STEPS, STEPS // 2))

    def test_a_peer_that_does_not_read(self) -> None:
        """Nothing more is made for it until it reads; others are not delayed."""
        handle = self.handler()
        for number in range(UNITS + 2):
            handle(number, self.peer)
        handle("other", self.other)
        self.peer.is_write_blocked = True
        self.done.clear()
        self.iterate()
        self.assertEqual(self.done, ["other"])
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        handle("behind", self.peer)
        self.peer.drain()
        self.clock.advance(0)
        self.assertEqual(self.done, ["other", UNITS, UNITS + 1, "behind"])

    def test_a_peer_that_is_gone(self) -> None:
        """Its requests are dropped, in slices too, and count no longer."""
        result = self.pacer.run(self.steps("a", 3 * STEPS), self.peer)
        self.peer.is_connected = False
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.assertIsNone(self.successResultOf(result))
        self.assertEqual((len(self.done), len(self.pacer)), (STEPS, 0))

    def test_waiting_for_the_disk(self) -> None:
        """Other work goes on; the steps are sent what they waited for."""
        disk: Deferred[int] = Deferred()

        def steps() -> Steps[int]:
            found: int = yield disk
            return found + 1

        result = self.pacer.run(steps(), self.peer)
        self.assertEqual(self.pacer.run(self.steps("a", 1), self.peer), "a")
        disk.callback(6)
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.assertEqual(self.successResultOf(result), 7)

    def test_failures(self) -> None:
        """What steps wait for may fail, and so may steps."""
        disk: Deferred[int] = Deferred()

        def steps() -> Steps[int]:
            for _ in range(2 * STEPS):
                yield None
            found: int = yield disk
            return found

        result = self.pacer.run(steps(), self.peer)
        self.clock.advance(0)
        disk.errback(OSError("gone"))
        self.clock.advance(0)
        assert isinstance(result, Deferred)
        self.failureResultOf(result, OSError)

    def test_handlers_that_wait(self) -> None:
        """A handler that waited for its iteration may return a Deferred."""
        answer: Deferred[Response] = Deferred()
        handle = self.handler(lambda request: answer)
        for _ in range(UNITS):
            handle(0, self.other)
        result = handle(1, self.peer)
        self.clock.advance(0)
        self.assertNoResult(result)
        answer.callback(Response())
        self.assertIsInstance(self.successResultOf(result), Response)

    def test_counted_while_it_waits(self) -> None:
        """A request counts with its bytes until it is handled, or its peer is gone."""
        waiting = WaitingRequests(limit_per_connection=2)
        self.pacer = Pacer(self.clock, waiting)
        handle = self.handler()
        for number in range(UNITS + 2):
            handle(number, self.peer)
        self.assertEqual((len(waiting), waiting.size), (2, 200))
        self.assertRaises(TooManyWaiting, handle, "more", self.peer)
        self.iterate()
        self.assertEqual((len(waiting), waiting.size), (0, 0))
        for number in range(UNITS):
            handle(number, self.peer)
        self.peer.is_connected = False
        self.clock.advance(0)
        self.assertEqual((len(waiting), waiting.size), (0, 0))

    def test_stop(self) -> None:
        """Nothing is scheduled any more."""
        self.pacer.run(self.steps("a", 3 * STEPS), self.peer)
        self.pacer.stop()
        self.assertEqual((len(self.pacer), self.clock.getDelayedCalls()), (0, []))
        Pacer(self.clock).stop()

    def test_encode_each(self) -> None:
        """So many at each step, joined by commas."""
        steps = responding(encode_each("abcde", str.encode, 2))
        self.assertIsNone(next(steps))
        self.assertIsNone(next(steps))
        end = self.assertRaises(StopIteration, next, steps)
        self.assertEqual(end.value.body, b"a,b,c,d,e")
        end = self.assertRaises(StopIteration, next, encode_each("", str.encode, 2))
        self.assertEqual(end.value, b"")


class PacedBrokerTests(BrokerCase):
    """A broker of which much is asked in one read."""

    def test_many_requests_of_one_read(self) -> None:
        """An iteration handles some; all of them get their responses."""
        answers = [self.ask(GetAllGroups()) for _ in range(3 * UNITS)]
        at_once = [each for each in answers if isinstance(each, Response)]
        self.assertLess(len(at_once), UNITS)
        self.clock.advance(0)
        late = [self.successResultOf(a) for a in answers if isinstance(a, Deferred)]
        self.assertEqual({each.body for each in late}, {at_once[0].body})

    def test_all_others_are_paced(self) -> None:
        """No handler runs in an iteration that is used up, except the frequent ones."""
        wrapped = self.broker.pacer.wrap(GetAllGroups, lambda request, call: None)
        for _ in range(UNITS):
            wrapped(GetAllGroups(), call_from(Peer(), 0.0))
        waiting = set()
        for code in DECLARED.keys() - FREQUENT:
            found = self.router.find(code)
            if found is not None:
                before = len(self.broker.pacer)
                found[1](GetAllGroups(), call_from(Peer(), 0.0)).addErrback(
                    lambda failure: None
                )
                self.assertEqual(len(self.broker.pacer), before + 1, code)
                waiting.add(code)
        self.assertIn(RequestCode.CONSUMER_SEND_MSG_BACK, waiting)
        self.assertGreater(len(waiting), 20)
        self.broker.pacer.stop()
