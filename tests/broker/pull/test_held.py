"""Pulls that wait: who is woken, when, and what becomes of the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pull.due import RESPONSES, SLICE
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.pull.waking import MATCHES
from rocketmq_tw.wire.fields import Response
from tests.broker.doubles import MemoryConnection
from tests.store.cases import DRAFT, NOW, StoreCase


class Listening:
    """The part of a store that notifies of arrivals."""

    def __init__(self) -> None:
        """Begin without a listener."""
        self.listeners: list[Any] = []

    def add_listener(self, listener: Any) -> None:
        """Notify a listener, once."""
        if listener not in self.listeners:
            self.listeners.append(listener)

    def remove_listener(self, listener: Any) -> None:
        """Notify a listener no more."""
        if listener in self.listeners:
            self.listeners.remove(listener)

    def arrive(self, topic: bytes = b"T", queue_id: int = 0, code: int = 0) -> None:
        """Notify of a message, if anybody listens."""
        for listener in list(self.listeners):
            listener(topic, queue_id, 1, code, 0)


class HeldPullsTests(SynchronousTestCase):
    """Pulls, and messages that come or do not come."""

    def setUp(self) -> None:
        """Watch the deadlines of none."""
        self.clock = Clock()
        self.store = Listening()
        self.held = HeldPulls(store=self.store, clock=self.clock)  # type: ignore[arg-type]
        self.held.start()
        self.calls = 0

    def tearDown(self) -> None:
        """Nothing is left to be called."""
        self.held.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def hold(
        self,
        topic: str = "T",
        queue_id: int = 0,
        timeout: float = 10.0,
        connection: MemoryConnection | None = None,
        matches: Callable[[int], bool] | None = None,
    ) -> Deferred[Any]:
        """Hold a pull whose response carries the number of its call."""

        def read() -> Response:
            self.calls += 1
            return Response(status=self.calls)

        return self.held.hold(
            topic,
            queue_id,
            timeout=timeout,
            peer=connection or MemoryConnection(),
            matches=matches,
            read=read,
        )

    def test_arrival(self) -> None:
        """A message in its queue wakes it, at the end of the iteration."""
        response = self.hold()
        self.store.arrive()
        self.assertNoResult(response)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 1)
        self.assertEqual(self.store.listeners, [])

    def test_many_arrivals(self) -> None:
        """Several messages of one iteration wake it once."""
        self.hold()
        for _ in range(3):
            self.store.arrive()
        self.clock.advance(0)
        self.assertEqual(self.calls, 1)

    def test_elsewhere(self) -> None:
        """Other topics, queues and tags do not."""
        response = self.hold(matches=lambda code: code == 7)
        self.store.arrive(b"U")
        self.store.arrive(queue_id=1)
        self.store.arrive(code=8)
        self.clock.advance(0)
        self.assertNoResult(response)
        self.store.arrive(code=7)
        self.clock.advance(0)
        self.successResultOf(response)

    def test_some_of_a_queue(self) -> None:
        """Of several that wait at one queue, those wake that want the message."""
        wanting = [self.hold(matches=lambda c, n=n: c == n) for n in range(3)]
        self.store.arrive(code=1)
        self.clock.advance(0)
        self.successResultOf(wanting[1])
        self.assertEqual(len(self.held), 2)
        self.assertNoResult(wanting[0])
        self.assertNoResult(wanting[2])

    def test_time_is_up(self) -> None:
        """Each gets its response within a second after its time."""
        short, long = self.hold(timeout=1.5), self.hold(timeout=3)
        self.clock.pump([1.0, 1.0, 0])
        self.successResultOf(short)
        self.assertNoResult(long)
        self.clock.pump([1.0, 0])
        self.successResultOf(long)
        self.assertEqual(self.store.listeners, [])

    def test_times_beyond_reason(self) -> None:
        """A time long past is up at once; one never over harms nobody."""
        past, never = self.hold(timeout=-(2.0**60)), self.hold(timeout=2.0**60)
        self.clock.pump([1.0, 0])
        self.successResultOf(past)
        self.assertNoResult(never)

    def test_connection_lost(self) -> None:
        """What was held for a connection is let go, also when it was just woken."""
        mine, other = MemoryConnection(), MemoryConnection()
        waiting = self.hold(connection=mine)
        woken = self.hold(queue_id=1, connection=mine)
        others = self.hold(connection=other)
        self.store.arrive(queue_id=1)
        self.held.connection_lost(mine)
        self.assertIsNone(self.successResultOf(waiting))
        self.assertIsNone(self.successResultOf(woken))
        self.clock.advance(0)
        self.assertEqual(self.calls, 0)
        self.assertNoResult(others)

    def test_slow_reader(self) -> None:
        """Nothing is read for a client that has not taken what it got before."""
        slow = MemoryConnection()
        responses = [self.hold(connection=slow) for _ in range(3)]
        other = self.hold()
        slow.is_write_blocked = True
        self.store.arrive()
        self.clock.advance(0)
        self.successResultOf(other)
        self.assertEqual(self.calls, 1)
        slow.drain()
        self.clock.advance(0)
        for response in responses:
            self.successResultOf(response)

    def test_slow_reader_is_lost(self) -> None:
        """What waited for a client that went is not read any more."""
        slow = MemoryConnection()
        response = self.hold(connection=slow)
        slow.is_write_blocked = True
        self.store.arrive()
        self.clock.advance(0)
        slow.is_connected = False
        slow.drain()
        self.clock.advance(0)
        self.assertIsNone(self.successResultOf(response))
        self.assertEqual(self.calls, 0)

    def test_stop(self) -> None:
        """All get their responses when the broker stops, once each."""
        waiting, woken = self.hold(), self.hold(queue_id=1)
        self.store.arrive(queue_id=1)
        self.held.stop()
        self.successResultOf(waiting)
        self.successResultOf(woken)
        self.assertEqual((self.calls, len(self.held)), (2, 0))
        self.assertEqual(self.store.listeners, [])
        self.held.stop()

    def test_failure(self) -> None:
        """One that fails fails alone."""

        def again() -> Response:
            raise OSError("the disk is gone")

        failing = self.held.hold(
            "T", 0, timeout=1.0, peer=MemoryConnection(), matches=None, read=again
        )
        other = self.hold()
        self.store.arrive()
        self.clock.advance(0)
        self.failureResultOf(failing, OSError)
        self.successResultOf(other)

    def test_held_again(self) -> None:
        """A client that pulls again when it is answered is held again."""
        again: list[Deferred[Any]] = []
        self.hold().addCallback(lambda _: again.append(self.hold()))
        self.store.arrive()
        self.clock.advance(0)
        self.assertNoResult(again[0])
        self.assertEqual(len(self.store.listeners), 1)
        self.store.arrive()
        self.clock.advance(0)
        self.successResultOf(again[0])


class StepClock(Clock):
    """A clock whose calls can be run one by one."""

    def step(self) -> None:
        """Run the next call, whatever its time."""
        call = self.calls.pop(0)
        call.called = 1
        call.func(*call.args, **call.kw)


class ManyTests(SynchronousTestCase):
    """Thousands of pulls of one queue: what each reactor iteration costs."""

    COUNT = 4000

    def setUp(self) -> None:
        """Count tests of tags codes and reads of the store."""
        self.clock = StepClock()
        self.store = Listening()
        self.held = HeldPulls(store=self.store, clock=self.clock)  # type: ignore[arg-type]
        self.tests = 0
        self.reads = 0
        self.responses: list[Any] = []

    def hold(
        self, peer: MemoryConnection, wanted: int | None = 0, timeout: float = 10.0
    ) -> None:
        """Hold a pull that wants one tags code, or all."""

        def matches(code: int) -> bool:
            self.tests += 1
            return code == wanted

        def read() -> Response:
            self.reads += 1
            return Response()

        response = self.held.hold(
            "T",
            0,
            timeout=timeout,
            peer=peer,  # type: ignore[arg-type]
            matches=None if wanted is None else matches,
            read=read,
        )
        response.addBoth(self.responses.append)

    def hold_many(self, wanted: int | None = 0) -> list[MemoryConnection]:
        """Hold thousands, of ten connections."""
        peers = [MemoryConnection() for _ in range(10)]
        for number in range(self.COUNT):
            self.hold(peers[number % 10], wanted)
        return peers

    def assert_slices(self) -> int:
        """Expect little work in each iteration. :returns: how many there were."""
        iterations = 0
        while self.clock.getDelayedCalls():
            tests, reads = self.tests, self.reads
            self.clock.step()
            self.assertLessEqual(self.tests - tests, MATCHES)
            self.assertLessEqual(self.reads - reads, RESPONSES)
            iterations += 1
        return iterations

    def test_all_are_woken(self) -> None:
        """A message tests none of them by itself; all have a response in the end."""
        self.hold_many()
        self.store.arrive()
        self.assertEqual((self.tests, self.reads), (0, 0))
        self.assertGreaterEqual(self.assert_slices(), self.COUNT // RESPONSES)
        self.assertEqual((self.tests, self.reads), (self.COUNT, self.COUNT))
        self.assertEqual((len(self.held), len(self.responses)), (0, self.COUNT))
        self.assertEqual(self.store.listeners, [])

    def test_none_is_woken(self) -> None:
        """Messages that nobody wants are tested once for each kind."""
        self.hold_many(wanted=7)
        for code in (1, 2, 1, 2):
            self.store.arrive(code=code)
        self.assert_slices()
        self.assertEqual((self.tests, self.reads), (2 * self.COUNT, 0))
        self.assertEqual(len(self.held), self.COUNT)

    def test_too_many_kinds(self) -> None:
        """More kinds of messages than can be tested wake all."""
        self.hold_many(wanted=-1)
        for code in range(1000):
            self.store.arrive(code=code)
        self.assert_slices()
        self.assertEqual((self.tests, self.reads), (0, self.COUNT))

    def test_arrival_during_the_tests(self) -> None:
        """Pulls that were tested already are tested for what comes meanwhile."""
        self.hold_many(wanted=7)
        self.store.arrive(code=1)
        self.clock.step()
        self.store.arrive(code=7)
        self.assert_slices()
        self.assertEqual(len(self.responses), self.COUNT)

    def test_time_is_up(self) -> None:
        """Deadlines that are over at once are responded to in slices."""
        self.held.start()
        self.hold_many(wanted=7)
        for _ in range(10):
            self.assertEqual(self.reads, 0)
            self.clock.rightNow += 1
            self.clock.step()
        self.held._tick.stop()
        self.assert_slices()
        self.assertEqual((self.tests, self.reads), (0, self.COUNT))

    def test_other_deadlines_cost_nothing(self) -> None:
        """The pull whose time is up is found without a look at the others."""
        self.held.start()
        self.hold_many()
        self.hold(MemoryConnection(), timeout=1.0)
        self.assertLess(calls_of(lambda: self.clock.pump([1.0, 0])), 300)
        self.assertEqual(self.reads, 1)
        self.held._tick.stop()

    def test_lost_connection_costs_its_own(self) -> None:
        """Nothing is looked at but the pulls of the connection."""
        self.hold_many()
        lost = MemoryConnection()
        self.hold(lost)
        calls = calls_of(lambda: self.held.connection_lost(lost))  # type: ignore[arg-type]
        self.assertLess(calls, 100)
        self.assertEqual((len(self.responses), len(self.held)), (1, self.COUNT))

    def test_many_of_a_lost_connection(self) -> None:
        """They are dropped in slices; the connection's end waits for none of them."""
        lost = MemoryConnection()
        for _ in range(self.COUNT):
            self.hold(lost)
        lost.is_connected = False
        calls = calls_of(lambda: self.held.connection_lost(lost))  # type: ignore[arg-type]
        self.assertLess(calls, 50)
        self.assertEqual(self.assert_slices(), self.COUNT // MATCHES + 1)
        self.assertEqual(self.responses, [None] * self.COUNT)
        self.assertEqual((self.reads, len(self.held)), (0, 0))
        self.assertEqual(self.store.listeners, [])

    def test_costly_tests(self) -> None:
        """What takes long is done in more iterations."""

        def costly(_code: int) -> bool:
            self.clock.rightNow += SLICE / 100
            return False

        for _ in range(1000):
            self.held.hold(
                "T",
                0,
                timeout=10.0,
                peer=MemoryConnection(),  # type: ignore[arg-type]
                matches=costly,
                read=Response,
            )
        self.store.arrive()
        self.assertGreaterEqual(self.assert_slices(), 10)

    def test_costly_responses(self) -> None:
        """Large messages are read for a few pulls in an iteration."""

        def costly() -> Response:
            self.clock.rightNow += SLICE / 2
            return Response()

        for _ in range(20):
            response = self.held.hold(
                "T",
                0,
                timeout=10.0,
                peer=MemoryConnection(),  # type: ignore[arg-type]
                matches=None,
                read=costly,
            )
            response.addBoth(self.responses.append)
        self.store.arrive()
        self.assertGreaterEqual(self.assert_slices(), 10)
        self.assertEqual(len(self.responses), 20)

    def test_stop_while_all_are_due(self) -> None:
        """They get their responses in slices, as others do."""
        self.hold_many(wanted=None)
        for pull in list(self.held._table.by_queue[b"T", 0]):
            self.held._wake(pull)
        stopped = self.held.stop()
        self.assertGreaterEqual(self.assert_slices(), self.COUNT // RESPONSES - 1)
        self.successResultOf(stopped)
        self.assertEqual(len(self.responses), self.COUNT)

    def test_lost_while_due(self) -> None:
        """A connection that is lost between two slices is not read for."""
        peers = self.hold_many(wanted=None)
        self.store.arrive()
        self.clock.step()
        for peer in peers:
            peer.is_connected = False
            self.held.connection_lost(peer)  # type: ignore[arg-type]
        self.assert_slices()
        self.assertEqual((self.reads, len(self.held)), (RESPONSES, 0))
        self.assertEqual(len(self.responses), self.COUNT)

    def test_slow_reader_of_many(self) -> None:
        """A connection that reads again gets its responses in slices."""
        slow = MemoryConnection()
        for _ in range(1000):
            self.hold(slow, None)
        slow.is_write_blocked = True
        self.store.arrive()
        self.assert_slices()
        self.assertEqual(self.reads, 0)
        slow.drain()
        self.assertEqual(self.reads, 0)
        self.assert_slices()
        self.assertEqual(self.reads, 1000)

    def test_stop(self) -> None:
        """Between two slices: all get a response, in slices, and nothing is left."""
        self.hold_many()
        self.store.arrive()
        self.clock.step()
        stopped = self.held.stop()
        self.assertNoResult(stopped)
        self.assertGreaterEqual(self.assert_slices(), self.COUNT // RESPONSES // 2)
        self.successResultOf(stopped)
        self.assertEqual((len(self.responses), len(self.held)), (self.COUNT, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])


def calls_of(function: Callable[[], object]) -> int:
    """Count the calls that a function makes, of Python and of C."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


class BatchTests(StoreCase):
    """Pulls that wait at a real store."""

    def test_first_of_a_batch(self) -> None:
        """A batch whose first message wakes the last that waits is stored whole."""
        store = self.open()
        held = HeldPulls(store=store, clock=self.clock)
        response = held.hold(
            "TopicTest",
            0,
            timeout=1.0,
            peer=MemoryConnection(),
            matches=None,
            read=Response,
        )
        stored = store.put_batch([DRAFT, DRAFT, DRAFT], NOW)
        self.assertEqual(len(stored), 3)
        self.clock.advance(0)
        self.successResultOf(response)
        self.assertEqual(store._dispatcher.listeners, ())
