"""The files are opened, whoever wrote them last, and however that ended."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Sequence

import msgspec

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.store.run import CopyMessage
from rocketmq_tw.store.timer.checkpoint import OwnCheck
from tests.broker.cases import TOPIC
from tests.broker.timer.cases import TimerCase

ALL = [b"%d" % number for number in range(40)]


class OpeningCase(TimerCase):
    """Forty messages, one due each quarter of a second."""

    def setUp(self) -> None:
        """Send them, and deliver about a half."""
        super().setUp()
        for number, body in enumerate(ALL):
            self.timed(body, TIMER_DELAY_MS=250 * number + 1)

    def path(self, name: str) -> str:
        """Return the path of a file in the store's folder."""
        return os.path.join(self.root, name)

    def forget_own(self) -> None:
        """Leave only the numbers that another broker writes."""
        path = self.path("config/timercheck")
        with open(path, "rb") as file:
            data = file.read(56)
        with open(path, "wb") as file:
            file.write(data.ljust(4096, b"\0"))

    def remove_log(self) -> None:
        """Remove all files of the log."""
        for name in os.listdir(self.path("timerlog")):
            os.remove(self.path(f"timerlog/{name}"))

    def fails_to_start(self, words: str) -> None:
        """Start; it is refused with a sentence."""
        error = self.assertRaises(RocketMQError, self.start)
        self.assertIn(words, str(error))

    def assert_all_once(self) -> None:
        """Wait; all were delivered once."""
        self.wait(12)
        self.assertEqual(sorted(self.bodies(), key=int), ALL)


class KillTests(OpeningCase):
    """Without a stop."""

    def test_at_any_moment(self) -> None:
        """Nothing is lost, nothing is delivered twice."""
        for pause in (0.05, 0.3, 0.95, 1.01, 0.5, 1.3, 0.02, 2.0):
            self.wait(pause, 0.01)
            self.kill()
        self.assert_all_once()

    def test_within_a_run(self) -> None:
        """Of a slot whose first messages were stored as a run, the others follow."""
        for number in range(200):
            self.timed(b"%d" % (100 + number), TIMER_DELAY_SEC=4)
        self.wait(2)
        runs = self.parts.emptying._runs
        assert runs is not None
        put = runs.put_copies

        def dies(run: Sequence[CopyMessage], now: float) -> int:
            if len(run) > 100:
                self.parts.service.stop()
            return put(run, now)

        runs.put_copies = dies  # type: ignore[method-assign, assignment]
        self.wait(3)
        seen = len(self.bodies())
        self.assertTrue(100 < seen < 200, seen)
        self.kill()
        self.assertEqual(len(self.bodies()), seen)
        self.wait(12)
        expected = ALL + [b"%d" % (100 + number) for number in range(200)]
        self.assertEqual(sorted(self.bodies(), key=int), expected)

    def test_within_a_slot(self) -> None:
        """What was delivered of a slot is not delivered again."""
        for number in range(200):
            self.timed(b"%d" % (100 + number), TIMER_DELAY_SEC=4)
        self.wait(2)
        put, emptying, count = self.store.put, self.parts.emptying, 0

        def dies(draft: object, now: float) -> object:
            nonlocal count
            count += 1
            if count == 50:
                self.parts.service.stop()
            return put(draft, now)

        emptying._put, emptying._runs = dies, None
        self.wait(3)
        self.assertGreaterEqual(count, 50)
        seen = len(self.bodies())
        self.assertLess(seen, 216)
        self.kill()
        self.assertEqual(len(self.bodies()), seen)
        self.wait(12)
        expected = ALL + [b"%d" % (100 + number) for number in range(200)]
        self.assertEqual(sorted(self.bodies(), key=int), expected)

    def test_before_the_first_check_point(self) -> None:
        """The files of the first moment are enough to start with."""
        self.wait(0.02, 0.01)
        self.kill()
        self.assert_all_once()

    def test_power_cut(self) -> None:
        """The wheel was written, but not what was appended to the log since."""
        self.wait(1.2)
        with open(self.path("config/timercheck"), "rb") as file:
            check = file.read()
        end = struct.unpack_from(">q", check, 8)[0]
        for body in (b"100", b"101"):
            self.timed(body, TIMER_DELAY_SEC=9)
        self.wait(0.3)
        self.parts.service.stop()
        log = self.path("timerlog/00000000000000000000")
        with open(log, "r+b") as file:
            file.seek(end)
            file.write(bytes(52 * 2))
        self.kill()
        self.wait(12)
        self.assertEqual(sorted(self.bodies(), key=int), [*ALL, b"100", b"101"])


class AnotherTests(OpeningCase):
    """The files of another broker, which says less."""

    def test_clean(self) -> None:
        """After a stop nothing is lost or repeated."""
        self.wait(4)
        self.stop()
        self.forget_own()
        self.start()
        self.assert_all_once()

    def test_wheel_missing(self) -> None:
        """It is made again from the log."""
        for own in (True, False):
            self.wait(2)
            self.stop()
            os.remove(self.path("timerwheel"))
            if not own:
                self.forget_own()
            self.start()
        self.assert_all_once()

    def test_log_missing(self) -> None:
        """What is due since the check point is read from the queue."""
        self.wait(4)
        self.stop()
        self.remove_log()
        os.remove(self.path("timerwheel"))
        self.start()
        self.kill()
        self.assert_all_once()

    def test_log_missing_again(self) -> None:
        """What was delivered since the first time does not come again."""
        for _ in range(2):
            self.wait(3)
            self.stop()
            self.remove_log()
            os.remove(self.path("timerwheel"))
            self.start()
        self.assert_all_once()

    def test_of_a_slave(self) -> None:
        """A slave has the queue and the check point: what is due comes once."""
        self.wait(4)
        self.stop()
        loaded = self.parts.files.check.load()
        assert loaded is not None
        self.remove_log()
        os.remove(self.path("timerwheel"))
        numbers = msgspec.structs.replace(loaded[0], log_position=0)
        self.parts.files.check.write_numbers(numbers)
        self.start()
        self.assert_all_once()

    def test_all_missing(self) -> None:
        """What was delivered comes again, but nothing is lost."""
        self.wait(4)
        self.stop()
        seen = len(self.bodies())
        self.remove_log()
        os.remove(self.path("timerwheel"))
        os.remove(self.path("config/timercheck"))
        self.start()
        self.wait(12)
        self.assertEqual(len(self.bodies()), seen + 40)
        self.assertEqual(sorted(set(self.bodies()), key=int), ALL)

    def test_check_point_missing(self) -> None:
        """Nobody knows what was delivered: the start says so."""
        self.wait(4)
        self.stop()
        os.remove(self.path("config/timercheck"))
        self.fails_to_start("what it says was delivered is not known; restore it")

    def test_snapshots(self) -> None:
        """A wheel that is kept in snapshots is not read."""
        self.stop()
        with open(self.path("timerwheel.1040"), "wb"):
            pass
        self.fails_to_start("timerWheelSnapshotFlush=false")

    def test_wrong_length(self) -> None:
        """Nor is one of another length."""
        self.wait(1)
        self.stop()
        with open(self.path("timerwheel"), "ab") as file:
            file.write(b"x")
        self.fails_to_start("it has 38707201 bytes; a timer's wheel has 38707200")

    def test_other_precision(self) -> None:
        """A wheel of another precision is refused, whoever wrote it."""
        self.wait(1)
        self.settings = {"timer_precision_ms": 100}
        self.stop()
        self.fails_to_start("another timerPrecisionMs than 100")
        self.forget_own()
        self.fails_to_start("another timerPrecisionMs than 100")
        self.settings = {}
        self.start()
        self.assert_all_once()

    def test_other_precision_without_a_wheel(self) -> None:
        """Without a wheel, as a slave has none, each precision will do."""
        self.wait(1)
        self.stop()
        os.unlink(self.path("timerwheel"))
        shutil.rmtree(self.path("timerlog"))
        self.settings = {"timer_precision_ms": 100}
        self.start()
        self.assert_all_once()


class LongStopTests(OpeningCase):
    """A broker that was stopped for weeks."""

    def test_all_due(self) -> None:
        """All that was due meanwhile is delivered, once."""
        self.wait(1)
        self.stop()
        self.clock.advance(30 * 86_400)
        self.start()
        self.wait(10)
        self.assertEqual(sorted(self.bodies(TOPIC), key=int), ALL)


class CheckPointTests(TimerCase):
    """What stays when the queue is shorter than the check point says."""

    def test_bounded(self) -> None:
        """The offset is corrected."""
        self.timed(TIMER_DELAY_SEC=1)
        self.wait(3)
        self.stop()
        files = self.parts.files
        loaded = files.check.load()
        assert loaded is not None
        numbers, own = loaded
        assert isinstance(own, OwnCheck)
        self.assertTrue(own.is_clean)
        self.assertEqual((numbers.queue_offset, numbers.log_position), (1, 52))
        self.start()
        self.assertEqual(self.parts.linking.queue_offset, 1)
