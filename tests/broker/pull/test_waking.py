"""Requests that wait are woken in slices."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.pull.due import RESPONSES
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable
from rocketmq_tw.broker.pull.waking import MATCHES, Arrivals, Waking
from rocketmq_tw.wire.fields import Response
from tests.broker.cases import Peer
from tests.broker.pull.test_held import StepClock

KEY = (b"T", 0)


class ArrivalsTests(SynchronousTestCase):
    """What has arrived at queues."""

    def test_few(self) -> None:
        """Each code is kept once, until it is taken."""
        arrivals = Arrivals()
        self.assertTrue(arrivals.note(KEY, 1))
        self.assertFalse(arrivals.note(KEY, 2))
        self.assertFalse(arrivals.note(KEY, 1))
        self.assertEqual(arrivals.take(KEY), {1, 2})
        self.assertTrue(arrivals.note(KEY, 3))

    def test_many(self) -> None:
        """After many different codes all count as arrived."""
        arrivals = Arrivals()
        for code in range(65):
            arrivals.note(KEY, code)
        self.assertIsNone(arrivals.take(KEY))


class WakingTests(SynchronousTestCase):
    """The slices of one reactor iteration each."""

    def setUp(self) -> None:
        """Have a table, and what wakes its requests."""
        self.clock = StepClock()
        self.table = HeldPullTable(limit=1000, limit_per_connection=1000, max_tags=1000)
        self.waking = Waking(table=self.table, clock=self.clock, wake=self.wake)
        self.responded = 0

    def wake(self, held: HeldPull) -> None:
        """Make a request due."""
        self.table.wake(held)
        self.waking.add(held)

    def hold(self, count: int) -> list[HeldPull]:
        """Let requests wait; count those that respond."""

        def count_one(_: object) -> None:
            self.responded += 1

        made = []
        for _ in range(count):
            response: Deferred[Response | None] = Deferred()
            response.addCallback(count_one)
            held = HeldPull(
                key=KEY,
                peer=Peer(),
                last_tick=1,
                matches=None,
                read=Response,
                response=response,
                tags=0,
            )
            self.table.add(held)
            made.append(held)
        return made

    def test_steps(self) -> None:
        """So many steps are taken at a time, whatever they look through."""
        taken = 0

        def steps() -> Iterator[None]:
            nonlocal taken
            while True:
                taken += 1
                yield

        self.waking.scan(steps())
        for iteration in range(1, 4):
            self.clock.step()
            self.assertEqual(taken, MATCHES * iteration)
        self.waking.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_over(self) -> None:
        """Those whose time is over respond a hundred at a time."""
        self.waking.scan(self.waking.wake_each(self.hold(RESPONSES * 2 + 1)))
        for expected in (RESPONSES, RESPONSES * 2, RESPONSES * 2 + 1):
            self.clock.step()
            self.assertEqual(self.responded, expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_finish(self) -> None:
        """Few steps are taken at once, many later."""
        few, many = iter([None] * 3), iter([None] * 3)
        self.waking.finish(few, 3)
        self.assertEqual(list(few), [])
        self.waking.finish(many, RESPONSES + 1)
        self.assertEqual(next(many, "end"), None)

    def test_all(self) -> None:
        """All respond; nothing is scheduled behind them."""
        self.hold(RESPONSES + 5)
        done = self.waking.stop()
        while not done.called:
            self.clock.step()
        self.assertEqual(self.responded, RESPONSES + 5)
        self.assertEqual(self.clock.getDelayedCalls(), [])
