"""Wheel and log agree again, whoever wrote them last."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.timer.layout import PLAIN, Slot
from rocketmq_tw.store.timer.placement import Placement
from rocketmq_tw.store.timer.recovery import check_precision, cut, relink
from rocketmq_tw.store.timer.timers import Timers, Waiting
from rocketmq_tw.store.timer.wheel import TimerWheel
from tests.store.timer.cases import NOW_MS, SLOTS, empty_wheel, folder, log_in


def run(work: Any) -> Any:
    """Take all slices; return the result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


class RecoveryCase(SynchronousTestCase):
    """Thirty messages in five slots."""

    def setUp(self) -> None:
        """Link them one by one."""
        self.wheel = empty_wheel()
        self.log = log_in(folder(self))
        timers = Timers(self.wheel, self.log, Placement(1000, 16), NOW_MS)
        self.positions = []
        for number in range(30):
            self.positions.append(self.log.next_position(self.log.end))
            slot_ms = NOW_MS + number % 5 * 1000
            timers.link([Waiting(slot_ms, PLAIN, number, 9)], NOW_MS)

    def chains(self, wheel: TimerWheel) -> dict[int, list[int]]:
        """Return the messages of each slot."""
        found = {}
        for slot_ms, _ in wheel.used(0, SLOTS):
            timers = Timers(wheel, self.log, Placement(1000, 16), slot_ms)
            chain = timers.next_chain(slot_ms + 1000, 1)
            assert chain is not None
            chain.follow(self.log, 1000)
            found[(slot_ms - NOW_MS) // 1000] = chain.offsets.tolist()
        return found

    def expected(self, count: int) -> dict[int, list[int]]:
        """Return what is there of the first messages."""
        slots: dict[int, list[int]] = {}
        for number in range(count):
            slots.setdefault(number % 5, []).insert(0, number)
        return slots


class RelinkTests(RecoveryCase):
    """Slots from records."""

    def test_new_wheel(self) -> None:
        """A wheel is made from the log alone."""
        wheel = empty_wheel()
        last = run(relink(wheel, self.log, 0))
        self.assertEqual(last.offset, 29)
        self.assertEqual(self.chains(wheel), self.expected(30))

    def test_from_the_middle(self) -> None:
        """Chains go on before the position where the reading begins."""
        run(relink(self.wheel, self.log, self.positions[20]))
        self.assertEqual(self.chains(self.wheel), self.expected(30))

    def test_done(self) -> None:
        """Slots that are done stay as they are."""
        wheel = empty_wheel()
        run(relink(wheel, self.log, 0, NOW_MS + 3000))
        self.assertEqual(sorted(self.chains(wheel)), [3, 4])

    def test_behind_the_log(self) -> None:
        """The wheel has records that the log lost: those before them are found."""
        end = self.positions[17]
        self.log.truncate(end)
        run(cut(self.wheel, self.log, end))
        self.assertEqual(self.chains(self.wheel), self.expected(17))


class CutTests(RecoveryCase):
    """The log is cut where the check point says."""

    def test_everywhere(self) -> None:
        """What stays is linked as it was before the rest came."""
        for count in reversed(range(30)):
            end = self.positions[count]
            run(cut(self.wheel, self.log, end))
            self.assertEqual(self.log.end, end)
            self.assertEqual(self.chains(self.wheel), self.expected(count))

    def test_counts(self) -> None:
        """The numbers of messages follow."""
        run(cut(self.wheel, self.log, self.positions[10]))
        counts = [slot.count for _, slot in self.wheel.used(0, SLOTS)]
        self.assertEqual(counts, [2] * 5)

    def test_lost_bytes(self) -> None:
        """Where what is cut off is lost, the slots are found in what stays."""
        for count in (29, 17, 6, 5):
            end = self.positions[count]
            self.log.truncate(end)
            run(cut(self.wheel, self.log, end))
            self.assertEqual(self.chains(self.wheel), self.expected(count))

    def test_beyond(self) -> None:
        """A slot that leads beyond all files is found, too."""
        self.wheel.put(NOW_MS, Slot(0, 1 << 40, 6))
        run(cut(self.wheel, self.log, self.log.end))
        self.assertEqual(self.chains(self.wheel), self.expected(30))

    def test_nothing(self) -> None:
        """A log without records has no slots."""
        run(cut(self.wheel, self.log, 0))
        self.assertEqual(list(self.wheel.used(0, SLOTS)), [])


class PrecisionTests(RecoveryCase):
    """The times in a wheel say how long a slot is."""

    def test_same(self) -> None:
        """Its own precision is accepted, also after a long time."""
        run(check_precision("wheel", self.wheel, 1000, NOW_MS))
        run(check_precision("wheel", self.wheel, 1000, NOW_MS + 10**10))

    def test_other(self) -> None:
        """Another one is refused, with a sentence."""
        wheel = TimerWheel(self.wheel._buffer, 100, SLOTS)
        error = self.assertRaises(
            StoreUnreadable, run, check_precision("wheel", wheel, 100, NOW_MS)
        )
        self.assertIn("another timerPrecisionMs than 100", str(error))
