"""Tests of the times of sends that are not safe yet."""

from __future__ import annotations

from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.safe_puts import SafePuts
from rocketmq_tw.remoting.durable import ResponseWaiter
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.broker.cases import sent
from tests.broker.send.test_batch import batched
from tests.broker.send.test_send_flush import SyncFlushCase


class Log:
    """
    A log that is safe up to an offset.

    :ivar waiting: who waits for it.
    """

    def __init__(self) -> None:
        self.end = 0
        self.is_broken = False
        self.waiting: list[ResponseWaiter] = []

    def await_flush(self, waiter: ResponseWaiter, end: int) -> bool:
        """Let it wait for what is not safe."""
        if self.is_broken:
            raise StoreNotWriteable("the disk failed")
        if end > self.end:
            self.waiting.append(waiter)
        return end > self.end


class SafePutsTests(SynchronousTestCase):
    """Sends are counted when they are safe."""

    def setUp(self) -> None:
        """Begin at 5 s."""
        self.now = 5.0
        self.log = Log()
        self.counted: list[tuple[int, float, list[list[int]]]] = []
        self.puts = SafePuts(
            self.log, lambda: self.now, lambda *each: self.counted.append(each)
        )

    def test_flushed(self) -> None:
        """Each once the log is safe behind it, in order."""
        for end in (10, 20, 30):
            self.puts.add(end, end // 10, 100.0 + end, [[end]])
        self.assertEqual(self.log.waiting, [self.puts] * 3)
        self.assertFalse(self.counted)
        self.assertTrue(self.puts.flushed(25))
        self.assertEqual(self.counted, [(1, 110.0, [[10]]), (2, 120.0, [[20]])])
        self.assertFalse(self.puts.flushed(30))
        self.assertEqual(len(self.counted), 3)

    def test_safe_already(self) -> None:
        """What need not wait is counted at once."""
        self.log.end = 10
        self.puts.add(10, 1, 4.0, [])
        self.assertEqual((self.counted, len(self.puts)), ([(1, 4.0, [])], 0))

    def test_too_many(self) -> None:
        """Those that are too many do not wait."""
        with patch("rocketmq_tw.broker.safe_puts.MOST", 1):
            self.puts.add(10, 1, 4.0, [])
            self.puts.add(20, 2, 4.0, [])
        self.assertEqual((self.counted, len(self.puts)), ([(2, 4.0, [])], 1))

    def test_late(self) -> None:
        """What waited too long is counted: its sender has a response then, too."""
        self.puts.add(10, 1, 4.0, [])
        self.now = 7.0
        self.puts.add(20, 1, 6.0, [])
        self.assertEqual(self.puts.expired(5.0), 7.0)
        self.assertEqual(self.counted, [(1, 4.0, [])])
        self.assertIsNone(self.puts.expired(7.0))
        self.assertEqual(len(self.counted), 2)

    def test_late_for_slaves(self) -> None:
        """The log of a SYNC_MASTER says what is late by its offset."""
        for end in (10, 20):
            self.puts.add(end, 1, 4.0, [])
        code = ResponseCode.FLUSH_SLAVE_TIMEOUT
        self.puts.expire(lambda end, _: code if end < 20 else None)
        self.assertEqual((len(self.counted), len(self.puts)), (1, 1))

    def test_failed(self) -> None:
        """What may be lost is not counted, whether it waits or comes later."""
        self.puts.add(10, 1, 4.0, [])
        error = StoreNotWriteable("the disk failed")
        self.puts.failed(error)
        self.assertFalse(self.puts.flushed(10))
        self.log.is_broken = True
        self.puts.add(20, 1, 4.0, [])
        self.assertEqual((self.counted, len(self.puts)), ([], 0))


class SyncFlushTests(SyncFlushCase):
    """On a broker with SYNC_FLUSH."""

    def test_times(self) -> None:
        """They have the wait for the disk, unless the sender does not wait."""
        waiting = [self.waits(sent()), self.waits(batched(b"1", b"2", b"3"))]
        self.clock.advance(0.02)
        self.assertEqual(self.ask(sent(properties="WAIT\x01false\x02")).status, 0)
        self.assertIn("[<=0ms]:1 [0~10ms]:0 ", self.stats.put_times.text())
        self.clock.advance(0.3)
        self.threads.run()
        for each in waiting:
            self.successResultOf(each)
        table = self.ask(GetRuntimeInfo()).body
        self.assertIn(b"[<=0ms]:1 [0~10ms]:0", table)
        self.assertIn(b"[200~500ms]:2 ", table)
