"""Timed messages are delivered in their time, once."""

from __future__ import annotations

import os

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.timer import feature as timer
from rocketmq_tw.broker.timer.service import BACKOFF
from rocketmq_tw.broker.timer.slots import BYTES_AT_ONCE, MESSAGES_AT_ONCE
from rocketmq_tw.store.errors import DiskFull, StoreNotWriteable
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import TOPIC, sent
from tests.broker.timer.cases import TimerCase
from tests.store.cases import NOW


class DeliveryTests(TimerCase):
    """From one topic to the other."""

    def test_never_early(self) -> None:
        """A message comes at the next full second after its time, not before it."""
        for ahead_ms, at in ((7000, 7.0), (5300, 6.0), (1, 1.0), (1000, 1.0)):
            start, seen = self.clock.seconds(), len(self.bodies())
            self.timed(TIMER_DELAY_MS=ahead_ms)
            self.clock.pump([0.1] * round(at * 10 - 1) + [0.099])
            self.assertEqual(len(self.bodies()), seen, ahead_ms)
            self.clock.pump([0.001, 0.002, 0.01])
            self.assertEqual(len(self.bodies()), seen + 1, ahead_ms)
            self.wait(8 - (self.clock.seconds() - start), 0.01)
            self.clock.rightNow = round(self.clock.rightNow)

    def test_record(self) -> None:
        """It is what was sent, in its queue, and says when it waited."""
        self.timed(queue_id=2, TIMER_DELAY_SEC=3)
        self.wait(3.1)
        (message,) = self.messages(TOPIC, 2)
        base = int(NOW * 1000)
        self.assertEqual(message.body, b"Hello")
        self.assertEqual(message.born_host, "10.0.0.9:4000")
        expected = {
            "TIMER_DELAY_SEC": "3",
            "TIMER_OUT_MS": str(base + 2000),
            "TIMER_ENQUEUE_MS": str(base),
            "REAL_TOPIC": TOPIC,
            "REAL_QID": "2",
            "TAGS": "TagA",
        }
        self.assertLessEqual(expected.items(), message.properties.items())
        self.assertGreaterEqual(
            int(message.properties["TIMER_DEQUEUE_MS"]), base + 3000
        )

    def test_properties(self) -> None:
        """Those of the sender, with any characters, stay as they are."""
        self.timed("grün".encode(), TIMER_DELAY_SEC=1, color="grün", KEYS="a b")
        self.wait(1.2)
        (message,) = self.messages(TOPIC)
        self.assertEqual(message.properties["color"], "grün")
        self.assertEqual(message.keys, ("a", "b"))

    def test_other_topics(self) -> None:
        """Each goes to its own."""
        for number in range(6):
            topic = f"T{number % 2}"
            self.timed(b"%d" % number, topic, number % 3, TIMER_DELAY_SEC=2)
        self.wait(2.2)
        self.assertEqual(self.bodies("T0", 2), [b"2"])
        self.assertEqual(self.bodies("T1", 0), [b"3"])

    def test_due_when_read(self) -> None:
        """What is due before it is linked is delivered at once, and says so."""
        self.timed(TIMER_DELAY_SEC=1)
        self.parts.service.stop()
        self.clock.advance(30)
        self.parts.service.start()
        self.wait(0.1)
        (message,) = self.messages(TOPIC)
        self.assertEqual(message.properties["TIMER_ENQUEUE_MS"], str((1 << 63) - 1))
        self.kill()
        self.wait(2)
        self.assertEqual(self.bodies(), [b"Hello"])

    def test_restart(self) -> None:
        """What waits over a restart is delivered, once."""
        for number in range(50):
            self.timed(b"%d" % number, TIMER_DELAY_MS=100 * number)
        self.wait(2)
        self.restart()
        self.wait(4)
        self.assertCountEqual(self.bodies(), [b"%d" % n for n in range(50)])
        self.restart()
        self.wait(2)
        self.assertEqual(len(self.bodies()), 50)


class RestTests(TimerCase):
    """How much is done, and when."""

    def test_nothing_without_messages(self) -> None:
        """A broker without timed messages has no files for them, and does nothing."""
        self.ask(sent())
        self.wait(3)
        self.assertIsNone(self.made[timer.install].parts)
        names = ("timerwheel", "timerlog", "config/timercheck")
        there = [os.path.exists(os.path.join(self.root, name)) for name in names]
        self.assertEqual(there, [False] * 3)

    def test_no_room_for_offsets(self) -> None:
        """How many messages wait is written though no more offsets are kept."""
        self.tables.offsets.limit = 0
        self.timed(TIMER_DELAY_SEC=100)
        self.wait(2)
        self.made[timer.install].save()
        with open(os.path.join(self.root, "config", "timermetrics")) as file:
            self.assertIn(TOPIC, file.read())

    def test_a_pass_a_second(self) -> None:
        """However many wait, one slot is looked at each second."""
        for number in range(200):
            self.timed(b"%d" % number, TIMER_DELAY_SEC=1000 + number)
        self.wait(1)
        wheel = self.parts.service.timers.wheel
        looked, get = [], wheel.get

        def count(time_ms: int) -> object:
            looked.append(time_ms)
            return get(time_ms)

        wheel.get = count
        self.wait(20, 0.01)
        self.assertLessEqual(len(looked), 22)

    def test_in_steps(self) -> None:
        """Many of one slot come some at a time, and others are served meanwhile."""
        for number in range(1000):
            self.timed(b"%d" % number, TIMER_DELAY_SEC=2)
        self.wait(1)
        service = self.parts.service
        service.stop()
        service._is_running = True
        self.clock.advance(1.002)
        seen = 0
        for _ in service._pass():
            stored = self.store.max_offset(TOPIC, 0)
            self.assertLessEqual(stored - seen, MESSAGES_AT_ONCE)
            seen = stored
        self.assertEqual(self.bodies(), [b"%d" % number for number in range(1000)])

    def test_disk_full(self) -> None:
        """While the store accepts nothing, it is tried again; none is lost or twice."""
        for number in range(10):
            self.timed(b"%d" % number, TIMER_DELAY_SEC=2)
        self.wait(1)
        put, emptying = self.store.put, self.parts.emptying
        accepted = 4

        def fails(draft: Draft, now: float) -> object:
            nonlocal accepted
            accepted -= 1
            if accepted < 0:
                raise DiskFull("/data") if accepted % 2 else StoreNotWriteable("it")
            return put(draft, now)

        emptying._put, emptying._runs = fails, None
        self.wait(3)
        self.assertEqual(len(self.bodies()), 4)
        emptying._put = put
        self.wait(BACKOFF + 0.2)
        self.assertEqual(self.bodies(), [b"%d" % number for number in range(10)])

    def test_lost_records(self) -> None:
        """A message whose record is gone is left out; the others come."""
        for number in range(3):
            self.timed(b"%d" % number, TIMER_DELAY_SEC=2)
        self.wait(1)
        read = self.store.records_at

        def records_at(offsets: list[int], sizes: list[int]) -> object:
            found = read(offsets, sizes)
            found[1] = None
            return found

        self.store.records_at = records_at
        self.wait(2)
        del self.store.records_at
        self.assertEqual(self.bodies(), [b"0", b"2"])
        self.assertEqual(self.stats.gauges["timerLost"](), 1)


class LargeTests(TimerCase):
    """Messages of which few are as large as one step may be."""

    settings = {"mapped_file_size_commit_log": 2 << 20, "max_message_size": 1 << 17}

    def largest_step(self, cancels: str) -> int:
        """Let large messages be due; return how many bytes were read at a time."""
        size = BYTES_AT_ONCE // 4
        for number in range(20):
            text = f"UNIQ_KEY\x01{number}\x02TIMER_DELAY_SEC\x012\x02{cancels}"
            request = sent(body=b"%d" % (number % 10) * size, properties=text)
            answer = self.ask(request)
            self.assertEqual((answer.status, answer.remark), (0, None))
        self.wait(1)
        asked: list[int] = []
        read = self.store.records_at

        def records_at(offsets: list[int], sizes: list[int]) -> object:
            asked.append(sum(sizes))
            return read(offsets, sizes)

        self.store.records_at = records_at
        self.wait(2)
        del self.store.records_at
        return max(asked)

    def test_delivered(self) -> None:
        """A step delivers fewer of them: their bytes are bounded, but for one."""
        self.assertLessEqual(self.largest_step(""), BYTES_AT_ONCE)
        self.assertEqual(len(self.bodies()), 20)

    def test_cancelling(self) -> None:
        """So are those of records that cancel others."""
        cancels = "TIMER_DEL_UNIQKEY\x01k\x02"
        self.assertLessEqual(self.largest_step(cancels), BYTES_AT_ONCE)
        self.assertEqual(self.bodies(), [])


class ClockTests(TimerCase):
    """The time of day is set while messages wait."""

    def test_set_forward(self) -> None:
        """What is due then is delivered within a second."""
        self.timed(TIMER_DELAY_SEC=1000)
        self.wait(1)
        self.clock.shift_wall_time(1000)
        self.wait(1.1)
        self.assertEqual(self.bodies(), [b"Hello"])

    def test_set_back(self) -> None:
        """Nothing is delivered twice, nothing early, and nothing is forgotten."""
        self.timed(b"before", TIMER_DELAY_SEC=2)
        self.wait(3)
        later = self.timed(b"later", TIMER_DELIVER_MS=self.now_ms + 5000)
        self.assertIsNotNone(later.recall_handle)
        self.wait(1)
        self.clock.shift_wall_time(-3600)
        self.timed(b"after", TIMER_DELAY_SEC=2)
        self.wait(1.9)
        self.assertEqual(self.bodies(), [b"before"])
        self.wait(1.2)
        self.assertEqual(self.bodies(), [b"before", b"after"])
        self.restart()
        self.wait(3600 + 10, 0.5)
        self.assertEqual(self.bodies(), [b"before", b"after", b"later"])


class LoweredLimitTests(TimerCase):
    """With a lower ``maxMessageSize`` than when messages were accepted."""

    def test_too_long(self) -> None:
        """What is too long now is lost, says the log; the others are delivered."""
        for body in (b"long" * 5, b"short", b"longer" * 4, b"ten bytes!"):
            self.timed(body, TIMER_DELAY_SEC=4)
        self.wait(0.1)
        self.settings = {**self.settings, "max_message_size": 10}
        self.restart()
        with capturedLogs() as events:
            self.wait(5)
        self.assertEqual(self.bodies(), [b"short", b"ten bytes!"])
        self.assertEqual(self.stats.gauges["timerLost"](), 2)
        lines = [formatEvent(each) for each in events]
        found = [each for each in lines if "cannot be delivered" in each]
        self.assertEqual(len(found), 2)


class FlushedTests(TimerCase):
    """With SYNC_FLUSH."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def test_delivered(self) -> None:
        """The first timed message is found once it can be read."""
        text = "UNIQ_KEY\x01k\x02TIMER_DELAY_SEC\x012\x02"
        self.threads.hold()
        answer = self.ask(sent(properties=text))
        self.wait(0.5)
        self.threads.release()
        self.wait(3)
        self.assertEqual(self.successResultOf(answer).status, 0)
        self.assertEqual(self.bodies(), [b"Hello"])


class FinerTests(TimerCase):
    """Slots of a tenth of a second."""

    settings = {"timer_precision_ms": 100}

    def test_precise(self) -> None:
        """A message comes within a tenth of a second after its time."""
        self.timed(TIMER_DELAY_MS=1230)
        self.clock.pump([0.01] * 129)
        self.assertEqual(self.bodies(), [])
        self.clock.pump([0.01] * 2)
        self.assertEqual(self.bodies(), [b"Hello"])


class MemoryTests(TimerCase):
    """A broker that keeps messages in memory."""

    settings = {"memory_store_size": 1 << 20}

    def test_delivered(self) -> None:
        """Timed messages are delivered there, too."""
        self.timed(TIMER_DELAY_SEC=2)
        self.wait(2.2)
        self.assertEqual(self.bodies(), [b"Hello"])


class DamagedCountsTests(TimerCase):
    """The file of counts, and its backup, are damaged."""

    def damage(self) -> None:
        """Damage them."""
        folder = os.path.join(self.root, "config")
        os.makedirs(folder, exist_ok=True)
        for name in ("timermetrics", "timermetrics.bak"):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"{not json")

    def test_first_message(self) -> None:
        """The first timed message is delivered, and counted."""
        self.damage()
        with capturedLogs() as events:
            self.timed(TIMER_DELAY_SEC=3)
        text = " ".join(formatEvent(event) for event in events)
        self.assertIn("timermetrics cannot be used", text)
        self.assertIn("is counted from now on", text)
        self.wait(1)
        self.assertEqual(self.stats.gauges["timerMessages"](), 1)
        self.wait(2.1)
        self.assertEqual(self.bodies(), [b"Hello"])

    def test_start(self) -> None:
        """A broker with messages that wait starts, and delivers them."""
        self.timed(TIMER_DELAY_SEC=3)
        self.wait(1)
        self.stop()
        self.damage()
        self.start()
        self.wait(3)
        self.assertEqual(self.bodies(), [b"Hello"])
