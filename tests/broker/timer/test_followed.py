"""A slave keeps its master's check point of timed messages."""

from __future__ import annotations

import os
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.logger import capturedLogs

from rocketmq_tw.broker.slave.sync import COPY_PERIOD
from rocketmq_tw.broker.timer.followed import FollowedTimer
from rocketmq_tw.model.message import Message
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.timer.checkpoint import OwnCheck, TimerCheckFile
from rocketmq_tw.store.timer.files import TimerFiles
from rocketmq_tw.testing.nodes import BrokerNode
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint
from tests.broker.slave.cases import PairCase
from tests.broker.slave.test_acting import ActingCase
from tests.store.cases import StoreCase


class FollowedTests(PairCase):
    """A master with timed messages, and its slave."""

    def copy(self) -> None:
        """Wait for the next copies."""
        self.cluster.advance(3 * COPY_PERIOD)

    def kept(self) -> TimerCheckPoint | None:
        """Read the slave's file."""
        path = os.path.join(self.slave.directory, "config", "timercheck")
        loaded = TimerCheckFile(path, Disk()).load()
        return None if loaded is None else loaded[0]

    def test_kept(self) -> None:
        """It is the master's, but for the log, which a slave does not have."""
        producer = self.cluster.producer()
        for seconds in (1, 5, 1000):
            send = producer.send(Message("T", b"timed", delay=seconds))
            self.cluster.result_of(send)
        self.copy()
        kept = self.kept()
        assert kept is not None
        body = self.cluster.call(self.master, GetTimerCheckPoint()).body
        master = TimerCheckPoint.decode(body)
        self.assertEqual((kept.queue_offset, kept.master_queue_offset), (3, 3))
        self.assertEqual(kept.log_position, 0)
        self.assertLessEqual(kept.last_read_ms, master.last_read_ms)
        self.assertFalse(os.path.exists(f"{self.slave.directory}/timerwheel"))

    def test_one_copy_behind(self) -> None:
        """What the master has just delivered may not be in the slave's log yet."""
        self.copy()
        send = self.cluster.producer().send(Message("T", b"timed", delay=1))
        self.cluster.result_of(send)
        asked = self.master.traffic.requests
        before = len(asked(GetTimerCheckPoint))
        found: list[bool] = []
        for count in (1, 2):
            while len(asked(GetTimerCheckPoint)) < before + count:
                self.cluster.advance(1)
            found.append(self.kept() is not None)
        self.assertEqual(found, [False, True])

    def test_former_master(self) -> None:
        """What it has linked itself is removed: it does not know the others."""
        folder = self.slave.directory
        os.makedirs(f"{folder}/timerlog")
        paths = [f"{folder}/timerwheel", f"{folder}/timerlog/00000000000000000000"]
        for path in paths:
            with open(path, "wb") as file:
                file.write(b"x")
        self.copy()
        self.assertEqual([os.path.exists(path) for path in paths], [True, True])
        send = self.cluster.producer().send(Message("T", b"timed", delay=1000))
        self.cluster.result_of(send)
        self.copy()
        self.assertEqual([os.path.exists(path) for path in paths], [False, False])
        self.assertIsNotNone(self.kept())

    def test_none(self) -> None:
        """Without timed messages there is no file."""
        self.copy()
        self.assertIsNone(self.kept())

    def test_unusable(self) -> None:
        """What is no check point changes nothing, and is logged."""
        for body in (b"short", bytes([255]) * 56):
            self.respond(GetTimerCheckPoint, body)
            with capturedLogs() as events:
                self.copy()
            formats = " ".join(event["log_format"] for event in events)
            self.assertIn("could not copy", formats)
        self.assertIsNone(self.kept())


class ActingTests(ActingCase):
    """Messages that become due while a slave acts for the master."""

    def delivered(self, node: BrokerNode) -> int:
        """Count what was delivered, as one of the two knows."""
        ends = [
            self.cluster.call(node, GetMaxOffset("T", queue_id)).offset
            for queue_id in range(2)
        ]
        return sum(ends)

    def test_acting(self) -> None:
        """They wait for the master, which delivers each once; none comes early."""
        self.consume()
        producer, count = self.cluster.producer(), 60
        for number in range(count):
            message = Message("T", b"%d" % number, delay=1 + number)
            self.cluster.result_of(producer.send(message))
        self.cluster.advance(20)
        before = self.delivered(self.master)
        self.assertTrue(0 < before < count)
        self.assertEqual(self.delivered(self.slave), before)
        self.master.kill()
        self.cluster.advance(20)
        self.assertTrue(self.acting)
        self.assertEqual(self.delivered(self.slave), before)
        self.cluster.advance(12)
        self.assertEqual(len(self.seen), before)
        self.master.start()
        self.cluster.advance(5)
        self.assertFalse(self.acting)
        due = self.delivered(self.master)
        self.assertTrue(before + 30 < due < count)
        self.cluster.advance(60)
        self.assertEqual(self.delivered(self.master), count)
        self.assertEqual(self.delivered(self.slave), count)
        expected = sorted(b"%d" % number for number in range(count))
        self.assertEqual(sorted(self.seen), expected)
        for stored in self.cluster.messages("T"):
            asked = int(stored.properties["TIMER_OUT_MS"])
            self.assertGreater(stored.store_time_ms, asked)


class _Log:
    """The commit log of a slave: only where it begins and ends."""

    commit_log_min = 0
    commit_log_max = 0


class ScanTests(StoreCase):
    """From where copies of timed messages are looked for in the slave's log."""

    def setUp(self) -> None:
        """Make the files, and a log that grows while the master is asked."""
        super().setUp()
        self.log = _Log()
        self.make()

    def make(self) -> None:
        """Begin, also once more."""
        self.files = TimerFiles(self.root)
        self.followed = FollowedTimer(self.files, cast(IMessageStore, self.log))

    def copy(self, read_ms: int, *, meanwhile: int = 0) -> None:
        """Copy what a master says; its log grows before that is here."""
        point = TimerCheckPoint(last_read_ms=read_ms, queue_offset=5)

        def ask(request: object) -> Deferred[Any]:
            response = Response()
            response.body = point.encode()
            self.log.commit_log_max += meanwhile
            return succeed(response)

        copied = Deferred.fromCoroutine(self.followed.copy(cast(Any, ask)))
        self.successResultOf(copied)

    def scan_from(self) -> int:
        """Let the slave act; return from where it looks."""
        files = TimerFiles(self.root)
        files.load()
        self.followed.prepare(files)
        loaded = files.check.load()
        assert loaded is not None and loaded[1] is not None
        return loaded[1].scan_from

    def test_nothing_written(self) -> None:
        """Without a check point the whole log is looked through."""
        self.log.commit_log_max = 1000
        self.copy(7000)
        self.assertEqual(self.scan_from(), 0)

    def test_first_written(self) -> None:
        """Part of a slot may have been delivered before the first copy."""
        self.files.check.write(
            TimerCheckPoint(last_read_ms=3000, queue_offset=2),
            OwnCheck(precision_ms=1000, scan_from=600),
        )
        self.make()
        self.log.commit_log_max = 1000
        for read_ms in (7000, 8000):
            self.copy(read_ms)
        self.assertEqual(self.followed.point.last_read_ms, 7000)
        self.assertEqual(self.scan_from(), 600)

    def test_adopted(self) -> None:
        """So it is after a time of acting."""
        self.log.commit_log_max = 1000
        self.followed.adopt(TimerCheckPoint(last_read_ms=6000, queue_offset=5), 800)
        for read_ms in (7000, 8000):
            self.copy(read_ms)
        self.assertEqual(self.scan_from(), 800)

    def test_while_asked(self) -> None:
        """What is delivered before the response is here is looked for."""
        self.log.commit_log_max = 1000
        for read_ms in (7000, 8000, 9000):
            self.copy(read_ms, meanwhile=100)
        self.assertEqual(self.followed.point.last_read_ms, 8000)
        self.assertEqual(self.scan_from(), 1000)

    def test_killed_while_removing(self) -> None:
        """A wheel from before is never there with a check point of the master."""
        os.makedirs(f"{self.root}/timerlog")
        for path in (f"{self.root}/timerwheel", f"{self.root}/timerlog/0"):
            with open(path, "wb") as file:
                file.write(b"x")
        wheels: list[bool] = []
        write = self.files.check.write

        def noted(numbers: TimerCheckPoint, own: OwnCheck) -> None:
            wheels.append(os.path.exists(f"{self.root}/timerwheel"))
            write(numbers, own)

        self.patch(self.files.check, "write", noted)
        for read_ms in (7000, 8000):
            self.copy(read_ms)
        self.assertEqual(wheels, [False])
