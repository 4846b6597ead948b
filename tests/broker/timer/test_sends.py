"""What is accepted, and how it is stored."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.sends import slot_before
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.recall import decode_handle
from tests.broker.cases import TOPIC, sent
from tests.broker.timer.cases import TimerCase
from tests.store.cases import NOW

TIMER = "rmq_sys_wheel_timer"
BASE = int(NOW * 1000)
DAY_MS = 86_400_000


class SlotTests(SynchronousTestCase):
    """The slot of a time."""

    def test_boundaries(self) -> None:
        """It is always before the time, also if that is a slot's."""
        for deliver_ms, out_ms in ((7000, 6000), (7001, 7000), (7999, 7000), (1, 0)):
            self.assertEqual(slot_before(deliver_ms, 1000), out_ms)
        self.assertEqual(slot_before(7000, 100), 6900)
        self.assertEqual(slot_before(6999, 100), 6900)

    @given(st.integers(1, 1 << 48), st.sampled_from((100, 500, 1000)))
    def test_never_early(self, deliver_ms: int, precision_ms: int) -> None:
        """When the next slot begins, the time has come, less than a step ago."""
        emptied = slot_before(deliver_ms, precision_ms) + precision_ms
        self.assertTrue(deliver_ms <= emptied < deliver_ms + precision_ms)


class AcceptedTests(TimerCase):
    """Three properties."""

    def last(self, **kept: Any) -> StoredMessage:
        """Send, and read the record that was stored."""
        before = self.store.commit_log_max
        self.timed(**kept)
        return self.record_at(before)

    def out(self, **kept: Any) -> str | None:
        """Send, and return the slot; None if it was stored in its own topic."""
        message = self.last(**kept)
        out_ms = message.properties.get("TIMER_OUT_MS")
        self.assertEqual(message.topic, TOPIC if out_ms is None else TIMER)
        return out_ms

    def test_forms(self) -> None:
        """Seconds, milliseconds and a time."""
        self.assertEqual(self.out(TIMER_DELAY_SEC=5), str(BASE + 4000))
        self.assertEqual(self.out(TIMER_DELAY_MS=5300), str(BASE + 5000))
        self.assertEqual(self.out(TIMER_DELIVER_MS=BASE + 5000), str(BASE + 4000))
        self.assertEqual(self.out(TIMER_DELAY_MS="+5300"), str(BASE + 5000))

    def test_first_counts(self) -> None:
        """Seconds before milliseconds before a time; others are not looked at."""
        both = {"TIMER_DELAY_MS": 9000, "TIMER_DELIVER_MS": "x"}
        self.assertEqual(self.out(TIMER_DELAY_SEC=5, **both), str(BASE + 4000))
        self.assertEqual(self.out(**both), str(BASE + 8000))

    def test_due(self) -> None:
        """What is due already goes to its topic, with the property it came with."""
        for kept in (
            {"TIMER_DELAY_SEC": 0},
            {"TIMER_DELAY_MS": -1},
            {"TIMER_DELIVER_MS": BASE},
            {"TIMER_DELIVER_MS": -(1 << 63)},
        ):
            message = self.last(**kept)
            self.assertEqual(message.topic, TOPIC)
            ((name, value),) = kept.items()
            self.assertEqual(message.properties[name], str(value))
            self.assertNotIn("REAL_TOPIC", message.properties)

    def test_record(self) -> None:
        """It keeps what it came with, and says where it goes."""
        message = self.last(TIMER_DELAY_SEC=5, queue_id=3)
        self.assertEqual((message.topic, message.queue_id), (TIMER, 0))
        expected = {"REAL_TOPIC": TOPIC, "REAL_QID": "3", "TIMER_DELAY_SEC": "5"}
        self.assertLessEqual(expected.items(), message.properties.items())

    def test_response(self) -> None:
        """It names the real queue, the offset in the timer's queue, and a handle."""
        self.timed(TIMER_DELAY_SEC=5)
        response = self.timed(b"two", TIMER_DELAY_SEC=5, queue_id=3)
        self.assertEqual((response.queue_id, response.queue_offset), (3, 1))
        parts = decode_handle(response.recall_handle)
        self.assertEqual(parts, (TOPIC, "broker-a", str(BASE + 4001), "two"))

    def test_no_handle(self) -> None:
        """Other messages have none, nor has one that is retried."""
        self.assertIsNone(self.timed().recall_handle)
        self.assertIsNone(self.timed(DELAY=1).recall_handle)
        self.assertIsNone(self.timed(TIMER_DELAY_SEC=0).recall_handle)

    def test_level_before_time(self) -> None:
        """A delay level counts more than a time."""
        message = self.last(DELAY=1, TIMER_DELAY_SEC=9)
        self.assertEqual(message.topic, "SCHEDULE_TOPIC_XXXX")

    def test_delivered_before(self) -> None:
        """What was delivered by a timer once and is sent again is not timed."""
        message = self.last(TIMER_DELAY_SEC=9, TIMER_OUT_MS=1)
        self.assertEqual(message.topic, TOPIC)

    def test_longest(self) -> None:
        """Three days ahead, to the millisecond."""
        self.assertIsNotNone(self.out(TIMER_DELAY_MS=3 * DAY_MS))


class RefusedTests(TimerCase):
    """What cannot be delivered, or would be lost."""

    settings = {"timer_max_delay_sec": 3 * 86_400}

    def refuses(self, code: int, words: str, topic: str = TOPIC, **kept: Any) -> None:
        """Send something that is refused."""
        pairs = {"UNIQ_KEY": "k"} | {name: str(value) for name, value in kept.items()}
        self.refused(code, words, sent(topic, properties=properties.encode(pairs)))

    def test_no_number(self) -> None:
        """The remark is that of Apache RocketMQ."""
        words = (
            "timer message illegal, the delay time should not be bigger than the max"
            " delay 259200000ms; or if set del msg, the delay time should be bigger"
            " than the current time"
        )
        for value in ("x", " 5", "5 ", "5.0", "1e3", "--5", "+", "９", 1 << 63):
            self.refuses(13, words, TIMER_DELAY_MS=value)
        self.refuses(13, words, TIMER_DELAY_MS="1" * 5000)

    def test_too_far(self) -> None:
        """A millisecond more than the limit."""
        self.refuses(13, "max delay 259200000ms", TIMER_DELAY_MS=3 * DAY_MS + 1)
        self.refuses(13, "max delay", TIMER_DELAY_SEC=(1 << 63) - 1)

    def test_cancels_the_past(self) -> None:
        """What is due cannot be cancelled."""
        self.refuses(13, "if set del msg", TIMER_DELAY_SEC=0, TIMER_DEL_UNIQKEY="k")

    def test_no_space(self) -> None:
        """Properties that would be too long when it is delivered are refused now."""
        self.refuses(13, "properties text", TIMER_DELAY_SEC=5, long="x" * 32_560)

    def test_the_timers_queue(self) -> None:
        """Clients do not write there: they could reach any topic."""
        self.refuses(16, "system topic", TIMER)


class LimitTests(TimerCase):
    """Messages of one slot."""

    settings = {"timer_congest_num_each_slot": 3}

    def test_slot_is_full(self) -> None:
        """One more is refused; in another slot it is not."""
        for _ in range(3):
            self.timed(TIMER_DELAY_SEC=5)
        self.wait(0.1)
        text = "UNIQ_KEY\x01k\x02TIMER_DELAY_MS\x014900\x02"
        words = "flow control, max num limit is 3: timerCongestNumEachSlot"
        self.refused(1, words, sent(properties=text))
        self.timed(TIMER_DELAY_SEC=6)
        self.assertEqual(self.stats.gauges["timerSlotRefused"](), 1)

    def test_after_a_restart(self) -> None:
        """What was linked before counts."""
        due_ms = self.now_ms + 50_000
        for _ in range(3):
            self.timed(TIMER_DELIVER_MS=due_ms)
        self.wait(2)
        self.restart()
        self.wait(0.1)
        text = f"UNIQ_KEY\x01k\x02TIMER_DELIVER_MS\x01{due_ms}\x02"
        self.refused(1, "flow control", sent(properties=text))


class LongerTests(TimerCase):
    """The limit by default: forty days."""

    def test_forty_days(self) -> None:
        """Further ahead than the wheel is long, a message is accepted."""
        self.assertIsNotNone(self.timed(TIMER_DELAY_MS=40 * DAY_MS).recall_handle)
        text = f"UNIQ_KEY\x01k\x02TIMER_DELAY_MS\x01{40 * DAY_MS + 1}\x02"
        self.refused(13, "max delay 3456000000ms", sent(properties=text))


class DisabledTests(TimerCase):
    """``timerWheelEnable=false``."""

    settings = {"timer_wheel_enable": False}

    def test_refused(self) -> None:
        """As a broker of Apache RocketMQ does."""
        text = "UNIQ_KEY\x01k\x02TIMER_DELAY_MS\x015000\x02"
        words = "accurate timer message is not enabled, timerWheelEnable is false"
        self.refused(1, words, sent(properties=text))
        self.timed(DELAY=1)
