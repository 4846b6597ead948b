"""Tests of rocketmq_tw.broker.pop.in_flight."""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.errors import TooManyInFlight
from rocketmq_tw.broker.pop.in_flight import TICK_MS, InFlight, Key, Popped
from rocketmq_tw.wire.bodies.revive import AckRecord, CheckPoint
from tests.fuzz.cost import measure

NOW = 1_800_000_000_000


def popped(**values: Any) -> Popped:
    """Make a check point of three messages, popped now for a second."""
    offsets = values.setdefault("offsets", range(5, 8))
    defaults: dict[str, Any] = {
        "topic": "T",
        "group": "G",
        "queue_id": 0,
        "start_offset": offsets[0],
        "pop_time_ms": NOW,
        "invisible_ms": 1000,
        "pending": (1 << len(offsets)) - 1,
        "position": 0,
    }
    return Popped(**defaults | values)


class InFlightTests(SynchronousTestCase):
    """What is in flight, what is due, and what a limit refuses."""

    def setUp(self) -> None:
        """Have nothing in flight."""
        self.table = InFlight(limit=3, limit_per_group=2)

    def test_late(self) -> None:
        """What is due is counted by queues of the log, until it is taken."""
        self.table.add(popped())
        self.table.add(popped(pop_time_ms=NOW + 500, group="H", revive_queue=2))
        self.table.add(popped(pop_time_ms=NOW + 9000, group="I"))
        self.assertEqual(self.table.late(NOW + 999), {})
        found = self.table.late(NOW + 1600)
        self.assertEqual(found, {0: (1, NOW + 1000), 2: (1, NOW + 1500)})
        self.table.take_due(NOW + 1600, 1)
        self.assertEqual(self.table.late(NOW + 1600), {2: (1, NOW + 1500)})

    def test_acknowledged_messages_are_not_due(self) -> None:
        """Only the others come again, once their time is over."""
        one = popped()
        self.table.add(one)
        self.assertEqual(self.table.acknowledge(one.key, [6, 6, 99]), [6])
        self.assertEqual(self.table.take_due(NOW + 999, 10), [])
        self.assertEqual(self.table.take_due(NOW + 1000, 10), [one])
        self.assertEqual(one.unacknowledged(), [5, 7])
        self.assertEqual(self.table.take_due(NOW + 5000, 10), [])

    def test_the_last_acknowledgement_ends_it(self) -> None:
        """Then nothing is left of it, and it is never due."""
        one = popped()
        self.table.add(one)
        self.table.acknowledge(one.key, [5, 6, 7])
        self.assertEqual(len(self.table), 0)
        self.assertNotIn(one.key, self.table)
        self.assertEqual(self.table.take_due(NOW + 5000, 10), [])
        self.assertIsNone(self.table.first_position(0))

    def test_unknown_keys_change_nothing(self) -> None:
        """A receipt of another group, queue or time acknowledges nothing."""
        one = popped()
        self.table.add(one)
        for number, other in enumerate(("X", "X", 1, 1, 1)):
            key = (*one.key[:number], other, *one.key[number + 1 :])
            self.assertEqual(self.table.acknowledge(key, [5]), [])
            self.assertFalse(self.table.is_in_flight(key, 5))
        self.assertTrue(self.table.is_in_flight(one.key, 5))
        self.assertFalse(self.table.is_in_flight(one.key, 8))

    def test_postponed(self) -> None:
        """What could not be copied is due again; what was acknowledged is not."""
        one = popped()
        self.table.add(one)
        self.table.take_due(NOW + 1000, 10)
        self.table.postpone(one, NOW + 3000)
        self.assertEqual(self.table.take_due(NOW + 2900, 10), [])
        self.assertEqual(self.table.take_due(NOW + 3000, 10), [one])
        self.table.acknowledge(one.key, [5, 6, 7])
        self.table.postpone(one, NOW + 4000)
        self.assertEqual(self.table.take_due(NOW + 9000, 10), [])

    def test_limits(self) -> None:
        """A group has its limit, and all groups together have theirs."""
        for number in range(2):
            self.table.check_capacity("G")
            self.table.add(popped(queue_id=number, position=number))
        error = self.assertRaises(TooManyInFlight, self.table.check_capacity, "G")
        self.assertIn("maxPopCheckPointsPerGroup", str(error))
        self.table.check_capacity("H")
        self.table.add(popped(group="H", position=2))
        error = self.assertRaises(TooManyInFlight, self.table.check_capacity, "I")
        self.assertIn("maxPopCheckPoints ", str(error))
        self.assertEqual(self.table.refused, 2)
        self.table.acknowledge(popped(group="H").key, [5, 6, 7])
        self.table.check_capacity("I")

    def test_endless_time(self) -> None:
        """The largest invisible time is not past the end of time."""
        one = popped(invisible_ms=(1 << 63) - 1)
        self.table.add(one)
        self.assertEqual(one.visible_at_ms, (1 << 63) - 1)
        self.assertEqual(self.table.take_due(NOW + (1 << 50), 10), [])

    def test_the_oldest_hold_the_log(self) -> None:
        """The oldest position moves on with what is done, or written again."""
        ones = [popped(queue_id=each, position=each) for each in range(3)]
        for one in ones:
            self.table.add(one)
        self.assertEqual(self.table.first_position(0), 0)
        self.assertEqual(self.table.before(0, 2, 10), ones[:2])
        self.table.move(ones[0], 9)
        self.table.acknowledge(ones[1].key, [5, 6, 7])
        self.assertEqual(self.table.first_position(0), 2)

    def test_work_is_linear(self) -> None:
        """Many check points of one moment cost each the same."""

        def work(count: int) -> int:
            table = InFlight(limit=count, limit_per_group=count)
            ones = [popped(queue_id=n, position=n) for n in range(count)]

            def run() -> None:
                for one in ones:
                    table.add(one)
                while table.take_due(NOW + 1000, 10):
                    pass

            return measure(run)[0].work

        self.assertLess(work(4000), 5 * work(1000))

    def test_times_that_nobody_waits_for_are_dropped(self) -> None:
        """Pops of ever other times that are acknowledged at once leave nothing."""
        for number in range(5000):
            one = popped(position=number, invisible_ms=1000 + number * TICK_MS)
            self.table.add(one)
            self.table.acknowledge(one.key, one.offsets)
        self.assertLess(len(self.table._ticks), 1100)


class RecordTests(SynchronousTestCase):
    """Records of the log that could not have been written."""

    def test_no_messages(self) -> None:
        """A check point without messages, or with too many, is left out."""
        table = InFlight()
        for count in (0, -1, 33, 1 << 40):
            record = CheckPoint(
                group="G",
                topic="T",
                invisible_ms=1,
                count=count,
                pop_time_ms=NOW,
                queue_id=0,
                start_offset=0,
            )
            self.assertIsNone(table.apply_check_point(record, 0, 0))
        self.assertEqual(len(table), 0)


#: A queue and a queue offset.
Message = tuple[int, int]


class PopMachine(RuleBasedStateMachine):
    """
    Pops, acknowledgements, changes, passing time and crashes, in any order.

    The oracle knows of each message only whether it is in flight, until when and under
    which receipt. The log has the records that a broker would have written.
    """

    receipts = Bundle("receipts")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.table = InFlight()
        self.log: list[CheckPoint | AckRecord] = []
        self.ends = {0: 0, 1: 0}
        self.oracle: dict[Message, tuple[Key, int]] = {}
        self.done: set[Message] = set()

    def write(self, one: Popped) -> None:
        """Write a check point, and let it be in flight."""
        one.position = len(self.log)
        start = one.start_offset
        self.log.append(
            CheckPoint(
                group=one.group,
                topic=one.topic,
                queue_id=one.queue_id,
                start_offset=start,
                differences=[each - start for each in one.offsets],
                count=len(one.offsets),
                pop_time_ms=one.pop_time_ms,
                invisible_ms=one.invisible_ms,
            )
        )

    def write_acks(self, key: Key, offsets: list[int]) -> None:
        """Write acknowledgements."""
        topic, group, queue_id, start, pop_time = key
        self.log.append(
            AckRecord(
                offset=-1,
                offsets=offsets,
                topic=topic,
                group=group,
                queue_id=queue_id,
                start_offset=start,
                pop_time_ms=pop_time,
            )
        )

    @rule(
        target=receipts,
        queue_id=st.sampled_from((0, 1)),
        skipped=st.integers(0, 2),
        steps=st.lists(st.integers(1, 3), min_size=1, max_size=4),
        invisible_ms=st.integers(-100, 5000),
    )
    def pop(
        self, queue_id: int, skipped: int, steps: list[int], invisible_ms: int
    ) -> Any:
        """Messages are handed out, some of the queue being left out by a filter."""
        start = self.ends[queue_id]
        at = start + skipped
        offsets = []
        for step in steps:
            offsets.append(at)
            at += step
        self.ends[queue_id] = offsets[-1] + 1
        one = popped(
            queue_id=queue_id,
            start_offset=start,
            offsets=tuple(offsets),
            pop_time_ms=self.now,
            invisible_ms=invisible_ms,
        )
        self.write(one)
        self.table.add(one)
        for offset in offsets:
            self.oracle[queue_id, offset] = one.key, one.visible_at_ms
        return multiple(*((one.key, offset) for offset in offsets))

    @rule(receipt=receipts)
    def acknowledge(self, receipt: tuple[Key, int]) -> None:
        """A receipt counts while it is that of its message."""
        key, offset = receipt
        message = key[2], offset
        counts = self.oracle.get(message, (None, 0))[0] == key
        done = self.table.acknowledge(key, [offset])
        assert done == ([offset] if counts else [])
        if counts:
            self.write_acks(key, done)
            del self.oracle[message]
            self.done.add(message)

    @rule(target=receipts, receipt=consumes(receipts), invisible_ms=st.integers(0, 999))
    def change(self, receipt: tuple[Key, int], invisible_ms: int) -> Any:
        """A message in flight gets another time and receipt."""
        key, offset = receipt
        if not self.table.is_in_flight(key, offset):
            assert self.oracle.get((key[2], offset), (None, 0))[0] != key
            return multiple()
        one = popped(
            queue_id=key[2],
            offsets=range(offset, offset + 1),
            pop_time_ms=self.now,
            invisible_ms=invisible_ms,
        )
        while one.key in self.table:
            one.pop_time_ms += 1
        self.write(one)
        self.table.add(one)
        self.write_acks(key, self.table.acknowledge(key, [offset]))
        self.oracle[key[2], offset] = one.key, one.visible_at_ms
        return one.key, offset

    @rule(passed=st.integers(0, 3000), count=st.integers(1, 5))
    def pass_time(self, passed: int, count: int) -> None:
        """What is due gets copies, and is not in flight then."""
        self.now += passed
        while True:
            due = self.table.take_due(self.now, count)
            for one in due:
                offsets = one.unacknowledged()
                for offset in offsets:
                    key, until = self.oracle.pop((one.queue_id, offset))
                    assert key == one.key and until <= self.now
                    self.done.add((one.queue_id, offset))
                self.write_acks(one.key, offsets)
                self.table.acknowledge(one.key, offsets)
            if not due:
                break
        assert all(until > self.now - TICK_MS for _, until in self.oracle.values())

    @rule(count=st.integers(1, 3))
    def write_again(self, count: int) -> None:
        """Old check points are written once more, with what is done of them."""
        for one in self.table.before(0, len(self.log), count):
            pending = one.unacknowledged()
            done = [each for each in one.offsets if each not in pending]
            before = one.position
            self.write(one)
            after, one.position = one.position, before
            self.table.move(one, after)
            if done:
                self.write_acks(one.key, done)

    @rule()
    def crash(self) -> None:
        """The records from the oldest check point on make the same state."""
        first = self.table.first_position(0)
        self.table = InFlight()
        for position in range(len(self.log) if first is None else first, len(self.log)):
            record = self.log[position]
            if isinstance(record, CheckPoint):
                self.table.apply_check_point(record, 0, position)
            else:
                self.table.apply_ack(record)

    @invariant()
    def in_flight_is_what_the_oracle_says(self) -> None:
        """No message is lost, and none that is done is in flight."""
        found = {
            (one.queue_id, offset): (one.key, one.visible_at_ms)
            for one in self.table._by_key.values()
            for offset in one.unacknowledged()
        }
        assert found == self.oracle
        assert not self.done & found.keys()


class PopMachineTests(PopMachine.TestCase):  # type: ignore[name-defined, misc]
    """Runs the machine."""

    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


assert issubclass(PopMachineTests, TestCase)
