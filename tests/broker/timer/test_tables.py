"""What slaves ask about timed messages."""

from __future__ import annotations

import json

from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.requests.replication import (
    GetTimerCheckPoint,
    GetTimerMetrics,
)
from tests.broker.cases import TOPIC
from tests.broker.timer.cases import TimerCase
from tests.store.cases import NOW

BASE = int(NOW * 1000)


class TimerTablesTests(TimerCase):
    """Requests of a slave to its master."""

    def test_check_point_of_none(self) -> None:
        """Seven numbers; the first is the time of day, in whole seconds."""
        body = self.ask(GetTimerCheckPoint()).body
        numbers = [int.from_bytes(body[at : at + 8], "big") for at in range(0, 56, 8)]
        now = int(self.clock.seconds())
        self.assertEqual((len(body), numbers), (56, [now * 1000, *[0] * 6]))

    def test_metrics_of_none(self) -> None:
        """An empty table with a version, which Java would make up otherwise."""
        found = json.loads(self.ask(GetTimerMetrics()).body)
        version = {"counter": 0, "stateVersion": 0, "timestamp": 0}
        self.assertEqual(found, {"dataVersion": version, "timingCount": {}})

    def test_check_point(self) -> None:
        """It says up to where messages are linked, and which are delivered."""
        for seconds in (2, 9):
            self.timed(TIMER_DELAY_SEC=seconds)
        self.wait(3.1)
        found = TimerCheckPoint.decode(self.ask(GetTimerCheckPoint()).body)
        self.assertEqual(found.last_read_ms, BASE + 3000)
        self.assertEqual((found.log_position, found.queue_offset), (104, 2))
        self.assertEqual(found.master_queue_offset, 2)
        self.assertGreater(found.version.counter, 0)

    def test_metrics(self) -> None:
        """It counts the messages that wait, by topic."""
        for seconds in (2, 9):
            self.timed(TIMER_DELAY_SEC=seconds)
        self.wait(3.1)
        found = json.loads(self.ask(GetTimerMetrics()).body)["timingCount"]
        self.assertEqual(found[TOPIC]["count"], 1)
