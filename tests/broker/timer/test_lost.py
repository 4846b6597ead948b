"""Tests of what is logged about timed messages that cannot be delivered."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.lost import LINES, PERIOD, LostMessages


class LostTests(SynchronousTestCase):
    """As many as a slot may have."""

    def test_some_lines(self) -> None:
        """A period has a few lines; the next one says how many others there were."""
        clock = Clock()
        lost = LostMessages(clock)
        with capturedLogs() as events:
            for offset in range(100_000):
                lost.add(offset, ValueError("it is damaged"))
        self.assertEqual([event["offset"] for event in events], list(range(LINES)))
        clock.advance(PERIOD)
        with capturedLogs() as events:
            lost.add(7, ValueError("it is damaged"))
        self.assertEqual(
            [(event.get("count"), event.get("offset")) for event in events],
            [(100_000 - LINES, None), (None, 7)],
        )
        self.assertEqual((events[0]["total"], lost.count), (100_001, 100_001))

    def test_report(self) -> None:
        """Without others nothing more is logged."""
        lost = LostMessages(Clock())
        lost.add(7, ValueError("it is damaged"))
        with capturedLogs() as events:
            lost.report()
        self.assertEqual(events, [])
