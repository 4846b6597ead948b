"""What was delivered since the last check point."""

from __future__ import annotations

from twisted.logger import capturedLogs

from rocketmq_tw.broker.timer import deliveries
from rocketmq_tw.broker.timer.copies import delivered, rolled
from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.remoting.pacing import all_at_once
from tests.broker.cases import TOPIC
from tests.broker.timer.cases import TimerCase
from tests.broker.timer.test_copies import record
from tests.store.cases import NOW, draft


class DeliveriesTests(TimerCase):
    """Files of 64 KiB, each with filler at its end."""

    def read(self, start: int) -> Deliveries:
        """Read the commit log from an offset on."""
        found = Deliveries()
        all_at_once(found.read(self.store, start, 64 << 10))
        return found

    def test_found(self) -> None:
        """Copies of timed messages are found among others, over all files."""
        self.topic("T")
        middle = 0
        for number in range(400):
            if number == 200:
                middle = self.store.commit_log_max
            self.store.put(draft(bytes(900)), NOW)
            copy = delivered(record(), number, linked_ms=1, now_ms=2)
            if number % 2:
                copy = rolled(record(), number)
            self.store.put(copy.draft, NOW)
        self.assertGreater(self.store.commit_log_max, 5 << 16)
        all_of, half = self.read(0), self.read(middle)
        self.assertEqual((len(all_of), len(half)), (400, 200))
        self.assertIn(0, all_of)
        self.assertNotIn(199, half)
        self.assertIn(200, half)
        self.assertEqual((all_of.start, half.start), (0, middle))

    def test_forgotten(self) -> None:
        """What the check point counts is not kept."""
        copy = delivered(record(), 7, linked_ms=1, now_ms=2)
        self.store.put(copy.draft, NOW)
        found = self.read(0)
        self.assertIn(7, found)
        found.forget()
        self.assertNotIn(7, found)
        self.assertIsNone(found.start)

    def test_added(self) -> None:
        """What is delivered before it is linked is known in between."""
        found = self.read(0)
        found.add(9)
        self.assertIn(9, found)
        found.discard([9])
        self.assertNotIn(9, found)

    def test_nothing(self) -> None:
        """A log that is shorter than the check point says has none."""
        self.store.put(draft(topic=TOPIC.encode()), NOW)
        self.assertEqual(len(self.read(self.store.commit_log_max + 1000)), 0)

    def test_superseded(self) -> None:
        """What rolled before is kept up to a limit, and a line says so."""
        found = Deliveries()
        self.patch(deliveries, "MAX_SUPERSEDED", 2)
        with capturedLogs() as events:
            for offset in (5, 6, 7, 8):
                found.supersede(offset)
        self.assertEqual([each in found for each in (5, 6, 7)], [True, True, False])
        self.assertEqual((len(found), found.superseded_over, len(events)), (2, 2, 1))
