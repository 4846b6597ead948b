"""Messages beyond the window of the wheel."""

from __future__ import annotations

from rocketmq_tw.wire.requests.recall import RecallMessage
from tests.broker.cases import TOPIC
from tests.broker.timer.cases import TimerCase

TIMER = "rmq_sys_wheel_timer"


class RollTests(TimerCase):
    """A window of ten seconds."""

    settings = {"timer_roll_window_slot": 10}

    def test_rolled(self) -> None:
        """It is stored again on the way, and comes in its time, once."""
        self.timed(TIMER_DELAY_SEC=37)
        self.wait(36.9)
        self.assertEqual(self.bodies(), [])
        self.wait(0.2)
        (message,) = self.messages(TOPIC)
        # 36 slots ahead: after 10, 10 and 10 it is in the window.
        self.assertEqual(message.properties["TIMER_ROLL_TIMES"], "3")
        times = [m.properties.get("TIMER_ROLL_TIMES") for m in self.messages(TIMER)]
        self.assertEqual(times, [None, "1", "2", "3"])

    def test_kill_at_rolls(self) -> None:
        """A copy that is there already is not made again."""
        for number in range(20):
            self.timed(b"%d" % number, TIMER_DELAY_SEC=20 + number)
        for _ in range(12):
            self.wait(3.3)
            self.kill()
        self.wait(10)
        self.assertEqual(sorted(self.bodies(), key=int), [b"%d" % n for n in range(20)])

    def test_recalled(self) -> None:
        """A recall rolls with its message, and arrives in the same slot."""
        self.topic()
        text = self.timed(TIMER_DELAY_SEC=37).recall_handle
        self.timed(b"other", TIMER_DELAY_SEC=37)
        self.wait(3)
        self.assertEqual(self.ask(RecallMessage(TOPIC, text)).status, 0)
        self.wait(40)
        self.assertEqual(self.bodies(), [b"other"])

    def test_counted_once(self) -> None:
        """However often it rolls, one message waits."""
        self.timed(TIMER_DELAY_SEC=37)
        for _ in range(3):
            self.wait(12)
            self.assertEqual(self.stats.gauges["timerMessages"](), 1)
        self.wait(2)
        self.assertEqual(self.stats.gauges["timerMessages"](), 0)

    def test_count_of_a_sender(self) -> None:
        """A sender's own count, however long, does not hold up the others."""
        self.timed(b"a", TIMER_DELAY_SEC=13, TIMER_ROLL_TIMES="1" * 5000)
        self.timed(b"b", TIMER_DELAY_SEC=13)
        self.wait(13.2)
        self.assertEqual(self.bodies(), [b"a", b"b"])


class LateCheckPointTests(TimerCase):
    """A broker whose check point is written at its stop only."""

    settings = {"timer_roll_window_slot": 10, "timer_flush_interval_ms": 1_000_000}

    def test_linked_again_after_its_roll(self) -> None:
        """One that was rolled before a kill is not delivered besides its copy."""
        self.timed(TIMER_DELAY_SEC=12)
        self.wait(6.5)
        self.assertEqual(len(self.messages(TIMER)), 2)
        self.kill()
        self.wait(2)
        self.restart()
        self.wait(10)
        self.assertEqual(self.bodies(), [b"Hello"])
