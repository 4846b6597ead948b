"""The messages that wait, against a small oracle."""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.timer.layout import DELETE, PLAIN, ROLL, Slot
from rocketmq_tw.store.timer.log import TimerLog
from rocketmq_tw.store.timer.placement import Placement
from rocketmq_tw.store.timer.recovery import cut
from rocketmq_tw.store.timer.timers import (
    MAX_PASSED,
    Passed,
    Timers,
    Waiting,
)
from rocketmq_tw.store.timer.wheel import TimerWheel
from tests.store.timer.cases import NOW_MS, SLOTS, empty_wheel, folder, log_in

STEP = 1000
WINDOW = 16


class Queued(msgspec.Struct):
    """A record of the timer's queue: a message, or its rolled copy."""

    message: int
    out_ms: int


class Check(msgspec.Struct, frozen=True):
    """What a check point says."""

    read_ms: int = NOW_MS
    log_end: int = 0
    queue_offset: int = 0
    copies: int = 0
    passed: tuple[Passed, ...] = ()


class Driver:
    """
    Does with timers what a broker does, in its order.

    :ivar queue: the records of the timer's queue.
    :ivar copies: what was stored of them, and from which record: the commit log.
    """

    def __init__(self, wheel: TimerWheel, log: TimerLog) -> None:
        self.wheel, self.log = wheel, log
        self.placement = Placement(STEP, WINDOW)
        self.queue: list[Queued] = []
        self.copies: list[tuple[int, int | None]] = []
        self.times: list[int] = []
        self.known: set[int] = set()
        self.known_from: int | None = None
        self.known_until = 0, 0
        self.check = Check()
        self.now_ms = NOW_MS
        self.queue_offset = 0
        self.slot_from: int | None = None
        self.timers = Timers(wheel, log, self.placement, NOW_MS)

    def link(self, most: int = 1000) -> None:
        """Link what is in the queue."""
        timers, placement = self.timers, self.placement
        write_ms = timers.write_time(self.now_ms)
        if not timers.may_link(write_ms):
            return
        waiting = []
        for at in range(self.queue_offset, min(len(self.queue), most)):
            placed = placement.slot_for(self.queue[at].out_ms, write_ms)
            if placed is None or at in self.known:
                self.store(at, None)
                placed = timers.read_ms - STEP, PLAIN
            waiting.append(Waiting(placed[0], placed[1], at, 1))
            self.queue_offset = at + 1
        timers.link(waiting, write_ms)

    def store(self, source: int, rolled: int | None) -> None:
        """Store a copy of a record of the queue, unless that was done."""
        if source in self.known:
            return
        self.copies.append((source, rolled))
        self.times.append(self.now_ms)

    def empty(self, most: int | None = None) -> None:
        """Deliver what is due, or a part of it."""
        timers = self.timers
        write_ms = timers.write_time(self.now_ms)
        while timers.read_ms < write_ms:
            chain = timers.next_chain(write_ms, 7)
            if chain is None:
                continue
            self.slot_from = len(self.copies)
            while not chain.follow(self.log, 3):
                pass
            for index in reversed(range(len(chain))):
                if most is not None and most <= 0:
                    return
                self.deliver(chain.offsets[index], chain.flags[index])
                most = None if most is None else most - 1
            timers.done(chain)
            self.slot_from = None

    def deliver(self, at: int, flags: int) -> None:
        """Deliver one message of a slot that is due."""
        record = self.queue[at]
        if flags & ROLL:
            if at not in self.known:
                self.queue.append(Queued(record.message, record.out_ms))
            self.store(at, len(self.queue) - 1)
        else:
            assert record.out_ms + STEP <= self.now_ms, "early"
            self.store(at, None)

    def write_check(self) -> None:
        """Write the check point."""
        copies = len(self.copies) if self.slot_from is None else self.slot_from
        read_ms, offset = self.known_until
        if self.timers.read_ms > read_ms and self.queue_offset >= offset:
            self.known, self.known_from = set(), None
        if self.known_from is not None:
            copies = min(copies, self.known_from)
        self.check = Check(
            self.timers.read_ms,
            self.log.end,
            self.queue_offset,
            copies,
            tuple(self.timers.passed),
        )

    def restart(self) -> None:
        """Start again with the last check point."""
        check = self.check
        self.log.end = check.log_end
        for _ in cut(self.wheel, self.log, check.log_end):
            pass
        self.known = {source for source, _ in self.copies[check.copies :]}
        self.known_from = check.copies
        latest = max([self.now_ms, *self.times[check.copies :]])
        self.known_until = self.placement.write_time(latest), len(self.queue)
        self.queue_offset = check.queue_offset
        self.slot_from = None
        self.timers = Timers(
            self.wheel, self.log, self.placement, check.read_ms, check.passed
        )

    def delivered(self) -> list[int]:
        """Return the messages that were delivered."""
        return [
            self.queue[source].message
            for source, rolled in self.copies
            if rolled is None
        ]


class TimersMachine(RuleBasedStateMachine):
    """
    Messages at any time, a clock that is set, stops and kills.

    However it goes: none comes early, and at the end each came once.
    """

    driver: Driver

    @initialize()
    def begin(self) -> None:
        """Start without messages."""
        self.case = SynchronousTestCase()
        self.driver = Driver(empty_wheel(), log_in(folder(self.case)))
        self.sent = 0

    @rule(ahead=st.lists(st.integers(-3000, 50_000), min_size=1, max_size=8))
    def send(self, ahead: list[int]) -> None:
        """Send messages: some are due, some are far beyond the window."""
        driver = self.driver
        for each in ahead:
            out_ms = (driver.now_ms + each - 1) // STEP * STEP
            driver.queue.append(Queued(self.sent, out_ms))
            self.sent += 1

    @rule()
    def link(self) -> None:
        """Link all."""
        self.driver.link()

    @rule(seconds=st.integers(0, 20))
    def later(self, seconds: int) -> None:
        """Deliver after some time, as a broker does."""
        self.driver.now_ms += seconds * STEP + 17
        self.driver.link()
        self.driver.empty()

    @rule(most=st.integers(0, 5))
    def killed(self, most: int) -> None:
        """End in the midst of a slot, and start again."""
        self.driver.now_ms += STEP
        self.driver.link()
        self.driver.empty(most)
        self.driver.restart()

    @rule()
    def check(self) -> None:
        """Write the check point."""
        self.driver.write_check()

    @rule(most=st.integers(0, 5))
    def check_in_a_slot(self, most: int) -> None:
        """Write the check point while a slot is emptied, and end there."""
        self.driver.now_ms += STEP
        self.driver.link()
        self.driver.empty(most)
        self.driver.write_check()
        self.driver.restart()

    @rule(seconds=st.integers(20, 200))
    def away(self, seconds: int) -> None:
        """Stop in good order, and start after a long time."""
        self.driver.write_check()
        self.driver.now_ms += seconds * STEP
        self.driver.restart()
        self.driver.empty()

    @precondition(lambda self: len(self.driver.timers.passed) < MAX_PASSED)
    @rule(seconds=st.integers(1, 30))
    def set_back(self, seconds: int) -> None:
        """Set the clock back."""
        self.driver.now_ms -= seconds * STEP

    @invariant()
    def once(self) -> None:
        """No message was delivered twice."""
        found = self.driver.delivered()
        assert len(found) == len(set(found)), found

    def teardown(self) -> None:
        """In the end all were."""
        if not hasattr(self, "driver"):
            return
        driver = self.driver
        for _ in range(500):
            driver.now_ms += STEP
            driver.link()
            driver.empty()
        assert sorted(driver.delivered()) == list(range(self.sent))
        self.case.doCleanups()


TimersMachineTests = TimersMachine.TestCase
TimersMachineTests.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None
)


class TimersTests(SynchronousTestCase):
    """What the machine's rules are about, one by one."""

    def setUp(self) -> None:
        """Start without messages."""
        self.driver = Driver(empty_wheel(), log_in(folder(self)))
        self.timers = self.driver.timers

    def send(self, *ahead_s: int) -> None:
        """Link messages."""
        for each in ahead_s:
            out_ms = NOW_MS + each * STEP
            self.driver.queue.append(Queued(len(self.driver.queue), out_ms))
        self.driver.link()

    def test_order(self) -> None:
        """Those of one slot come in the order in which they were linked."""
        self.send(3, 2, 3, 2, 3)
        self.driver.now_ms += 4 * STEP
        self.driver.empty()
        self.assertEqual(self.driver.delivered(), [1, 3, 0, 2, 4])

    def test_count(self) -> None:
        """A record that cancels one counts as one less."""
        at = NOW_MS + STEP
        self.timers.link([Waiting(at, PLAIN, 1, 9), Waiting(at, PLAIN, 2, 9)], NOW_MS)
        self.timers.link([Waiting(at, PLAIN | DELETE, 3, 9)], NOW_MS)
        slot = self.timers.wheel.get(at)
        self.assertEqual(slot, Slot(0, 104, 1, 3))

    def test_fullest(self) -> None:
        """No slot has more records than is said, whatever they are."""
        at = NOW_MS + STEP
        self.timers.link([Waiting(at, PLAIN, n, 9) for n in range(3)], NOW_MS)
        self.assertEqual(self.timers.fullest, 3)
        others = [Waiting(at + n * STEP, PLAIN, n, 9) for n in range(2)]
        self.timers.link(others, NOW_MS)
        self.assertEqual(self.timers.fullest, 4)
        self.timers.link([Waiting(at, PLAIN | DELETE, 3, 9)], NOW_MS)
        self.assertEqual(self.timers.fullest, 5)

    def test_fullest_of_before(self) -> None:
        """Of what is in the log at the start, all may be in one slot."""
        self.send(1, 2, 3)
        self.timers.begin()
        self.assertEqual(self.timers.fullest, 3)

    def test_empty_slots(self) -> None:
        """Passing them is bounded in each step."""
        self.send(15)
        write_ms = NOW_MS + 16 * STEP
        self.assertIsNone(self.timers.next_chain(write_ms, 10))
        self.assertEqual(self.timers.read_ms, NOW_MS + 10 * STEP)
        chain = self.timers.next_chain(write_ms, 10)
        assert chain is not None
        self.assertEqual(chain.slot_ms, NOW_MS + 15 * STEP)

    def test_wrap(self) -> None:
        """What is to be emptied is not overwritten when the wheel comes round."""
        self.send(1)
        for ahead, may in ((SLOTS - WINDOW - 2, True), (SLOTS - WINDOW - 1, False)):
            self.assertEqual(self.timers.may_link(NOW_MS + ahead * STEP), may)

    def test_bounded_memory(self) -> None:
        """A message of a slot takes seventeen bytes while the slot is emptied."""
        at = NOW_MS + STEP
        self.timers.link([Waiting(at, PLAIN, n, 9) for n in range(100)], NOW_MS)
        chain = self.timers.next_chain(NOW_MS + 2 * STEP, 10)
        assert chain is not None
        self.assertTrue(chain.follow(self.driver.log, 1000))
        arrays = (chain.offsets, chain.sizes, chain.flags, chain.delays)
        size = sum(each.itemsize for each in arrays)
        self.assertEqual((len(chain), size), (100, 17))

    def test_damaged_chain(self) -> None:
        """A chain that does not lead backwards is not followed for ever."""
        at = NOW_MS + STEP
        self.timers.link([Waiting(at, PLAIN, n, 9) for n in range(3)], NOW_MS)
        self.timers.wheel.put(at, Slot(0, 5200, 3))
        chain = self.timers.next_chain(NOW_MS + 2 * STEP, 10)
        assert chain is not None
        self.assertTrue(chain.follow(self.driver.log, 1000))
        self.assertEqual(len(chain), 0)

    def test_set_back_after_a_kill(self) -> None:
        """What was delivered is known until its slot has passed once more."""
        driver = self.driver
        driver.queue.append(Queued(0, NOW_MS))
        driver.now_ms += 2 * STEP
        driver.link()
        self.assertEqual(driver.delivered(), [0])
        driver.restart()
        driver.now_ms -= 4 * STEP
        for _ in range(8):
            driver.now_ms += STEP
            driver.link()
            driver.empty()
            driver.write_check()
            driver.restart()
        self.assertEqual(driver.delivered(), [0])

    def test_set_back_too_often(self) -> None:
        """After so many times, messages wait until the time is where it was."""
        for number in range(MAX_PASSED + 2):
            self.timers.write_time(NOW_MS - number * STEP)
        self.assertEqual(len(self.timers.passed), MAX_PASSED)
        self.assertEqual(self.timers.read_ms, NOW_MS - MAX_PASSED * STEP)

    def test_set_back_too_far(self) -> None:
        """Slots that come round again would overwrite what waits; so it waits."""
        self.send(WINDOW - 1)
        for back in (SLOTS - WINDOW - 2, SLOTS - WINDOW - 3):
            self.timers.write_time(NOW_MS - back * STEP)
            moved = back == SLOTS - WINDOW - 3
            self.assertEqual(self.timers.read_ms < NOW_MS, moved)

    def test_set_back_twice_within_a_slot(self) -> None:
        """What was linked between that is not taken for delivered."""
        self.send(14)
        driver, timers = self.driver, self.timers
        driver.now_ms += 15 * STEP
        chain = None
        while chain is None:
            chain = timers.next_chain(timers.write_time(driver.now_ms), 7)
        while not chain.follow(driver.log, 3):
            pass
        driver.now_ms = NOW_MS + 8 * STEP
        self.send(12)
        driver.now_ms = NOW_MS + 4 * STEP
        timers.write_time(driver.now_ms)
        driver.store(0, None)
        timers.done(chain)
        driver.now_ms = NOW_MS + 30 * STEP
        driver.empty()
        self.assertEqual(driver.delivered(), [0, 1])
