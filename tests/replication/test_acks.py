"""Sends that wait for slaves, and for the disk."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.replication.acks import CodeFor, SlaveAcks
from rocketmq_tw.replication.quorum import Quorum
from rocketmq_tw.wire.codes import ResponseCode


class FakeMaster:
    """Slaves that have reported offsets."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.on_ack: Callable[[], None] = lambda: None
        self.sends = 0

    @property
    def in_sync(self) -> int:
        """All of them are."""
        return len(self.acked)

    def acked_by(self, count: int) -> int:
        """Return the offset that so many have."""
        acked = sorted(self.acked, reverse=True)
        return acked[count - 1] if len(acked) >= count else -1

    def send_now(self) -> None:
        """Somebody waits."""
        self.sends += 1

    def report(self, *acked: int) -> None:
        """Slaves report."""
        self.acked = [*acked]
        self.on_ack()


class FakeLog:
    """A log that is flushed, or not."""

    def __init__(self) -> None:
        self.waits = False
        self.waiter: FlushWaiter | None = None

    def await_flush(self, waiter: FlushWaiter, end: int) -> bool:
        """Keep the waiter."""
        self.waiter = waiter
        return self.waits


class Waiter:
    """Waits for some offsets."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ends: list[tuple[int, float]] = []
        self.heard: list[object] = []

    def wait(self, acks: SlaveAcks, end: int) -> bool:
        """Wait for an offset."""
        waits = acks.await_flush(self, end)
        if waits:
            self.ends.append((end, self.clock.seconds()))
        return waits

    def flushed(self, end: int) -> bool:
        """Note what is safe."""
        while self.ends and self.ends[0][0] <= end:
            self.heard.append(self.ends.pop(0)[0])
        return bool(self.ends)

    def expire(self, code_for: CodeFor) -> float | None:
        """Note what is late."""
        while self.ends:
            code = code_for(*self.ends[0])
            if code is None:
                break
            self.heard.append((self.ends.pop(0)[0], code.name))
        return self.ends[0][1] if self.ends else None

    def failed(self, error: Exception) -> None:
        """Note a failure."""
        self.ends.clear()
        self.heard.append(str(error))


class AcksCase(SynchronousTestCase):
    """Has slaves that report, and a log that is flushed."""

    def setUp(self) -> None:
        """One slave of two must have each message."""
        self.clock = Clock()
        self.master, self.log = FakeMaster(), FakeLog()
        self.acks = self.make(1)
        self.waiter = Waiter(self.clock)

    def make(
        self, needed: int = 0, quorum: Quorum | None = None, alive: int = 9
    ) -> SlaveAcks:
        """Make what is tested."""
        return SlaveAcks(
            master=self.master,  # type: ignore[arg-type]
            log=self.log,
            clock=self.clock,
            quorum=quorum or Quorum(replicas=needed + 1),
            alive=alive,
            slave_timeout=3.0,
            flush_timeout=5.0,
        )


class AcksTests(AcksCase):
    """When a send is acknowledged, and with which code if not."""

    def test_enough_slaves(self) -> None:
        """Up to the offset that enough have; the others wait on."""
        self.assertTrue(self.waiter.wait(self.acks, 100))
        self.assertTrue(self.waiter.wait(self.acks, 200))
        self.assertEqual(self.master.sends, 2)
        self.master.report(150, 99)
        self.assertEqual(self.waiter.heard, [100])
        self.master.report(200, 99)
        self.assertEqual(self.waiter.heard, [100, 200])
        self.assertFalse(self.waiter.wait(self.acks, 200))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_two_slaves(self) -> None:
        """inSyncReplicas=3: the second best counts."""
        acks = self.make(2)
        self.waiter.wait(acks, 100)
        self.master.report(500, 99)
        self.assertEqual(self.waiter.heard, [])
        self.master.report(500, 100)
        self.assertEqual(self.waiter.heard, [100])

    def test_both(self) -> None:
        """With SYNC_FLUSH: whichever comes first waits for the other."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        self.waiter.wait(self.acks, 200)
        assert self.log.waiter is not None
        self.master.report(200)
        self.assertEqual(self.waiter.heard, [])
        self.assertTrue(self.log.waiter.flushed(100))
        self.assertEqual(self.waiter.heard, [100])
        self.master.report(300)
        self.waiter.wait(self.acks, 300)
        self.log.waiter.flushed(300)
        self.assertEqual(self.waiter.heard, [100, 200, 300])

    def test_slaves_are_late(self) -> None:
        """After slaveTimeout."""
        self.master.report(0)
        self.waiter.wait(self.acks, 100)
        self.clock.advance(1)
        self.waiter.wait(self.acks, 200)
        self.clock.advance(2)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_SLAVE_TIMEOUT")])
        self.clock.advance(1)
        self.assertEqual(self.waiter.heard[1:], [(200, "FLUSH_SLAVE_TIMEOUT")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_slaves(self) -> None:
        """Nobody is connected: the same code, after the same time."""
        self.waiter.wait(self.acks, 100)
        self.clock.advance(2.9)
        self.assertEqual(self.waiter.heard, [])
        self.clock.advance(0.1)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_SLAVE_TIMEOUT")])

    def test_disk_is_late(self) -> None:
        """The slaves have it; the disk may take longer than they."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        self.master.report(100)
        self.clock.advance(3)
        self.assertEqual(self.waiter.heard, [])
        self.clock.pump([0.1] * 21)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_DISK_TIMEOUT")])

    def test_both_are_late(self) -> None:
        """The response waits for the disk, and says that slaves lack the message."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        self.waiter.wait(self.acks, 200)
        self.clock.advance(3)
        self.assertEqual(self.waiter.heard, [])
        assert self.log.waiter is not None
        self.clock.advance(1)
        self.log.waiter.flushed(100)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_SLAVE_TIMEOUT")])
        self.clock.advance(1)
        self.assertEqual(self.waiter.heard[1:], [(200, "FLUSH_SLAVE_TIMEOUT")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slaves_are_slower_than_the_disk(self) -> None:
        """A slaveTimeout above the other: the slaves come in time, the disk did not."""
        acks = SlaveAcks(
            master=self.master,  # type: ignore[arg-type]
            log=self.log,
            clock=self.clock,
            quorum=Quorum(replicas=2),
            slave_timeout=8.0,
            flush_timeout=5.0,
        )
        self.log.waits = True
        self.waiter.wait(acks, 100)
        self.clock.advance(6)
        self.assertEqual(self.waiter.heard, [])
        self.master.report(100)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_DISK_TIMEOUT")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late_but_there(self) -> None:
        """What comes after its time, but before the response leaves, is no failure."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        self.clock.advance(4)
        self.master.report(100)
        assert self.log.waiter is not None
        self.log.waiter.flushed(100)
        self.assertEqual(self.waiter.heard, [100])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed(self) -> None:
        """The disk is broken: all are told."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        assert self.log.waiter is not None
        self.log.waiter.failed(OSError("broken"))
        self.assertEqual(self.waiter.heard, ["broken"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """All learn what is missing, and no timer is left."""
        self.log.waits = True
        for end in (100, 200):
            self.assertTrue(self.waiter.wait(self.acks, end))
        self.master.report(100)
        until_safe = self.acks.when_safe(300)
        assert until_safe is not None
        self.acks.stop()
        self.assertEqual(
            self.waiter.heard,
            [(100, "FLUSH_DISK_TIMEOUT"), (200, "FLUSH_SLAVE_TIMEOUT")],
        )
        late = ResponseCode.FLUSH_SLAVE_TIMEOUT
        self.assertIs(self.successResultOf(until_safe), late)
        self.assertEqual((len(self.acks), self.clock.getDelayedCalls()), (0, []))

    def test_stays_registered(self) -> None:
        """The log's own deadline does not end the waiting for slaves."""
        self.log.waits = True
        self.waiter.wait(self.acks, 100)
        assert self.log.waiter is not None
        self.clock.advance(1)
        self.assertEqual(self.log.waiter.expired(1.0), 1.0)
        self.log.waiter.flushed(100)
        self.master.report(100)
        self.assertIsNone(self.log.waiter.expired(1.0))

    def test_a_waiter_fails(self) -> None:
        """The others are released."""
        broken, self.waiter.ends = Waiter(self.clock), []
        broken.flushed = lambda end: 1 // 0  # type: ignore[method-assign]
        broken.wait(self.acks, 100)
        self.waiter.wait(self.acks, 100)
        self.master.report(100)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.waiter.heard, [100])

    def test_codes(self) -> None:
        """They are Apache's."""
        names = ("FLUSH_DISK_TIMEOUT", "SLAVE_NOT_AVAILABLE", "FLUSH_SLAVE_TIMEOUT")
        self.assertEqual([int(ResponseCode[name]) for name in names], [10, 11, 12])


class NeedTests(AcksCase):
    """The number of slaves changes; ``enableSlaveActingMaster``."""

    def adapted(self, **fields: int) -> SlaveAcks:
        """Make what adapts the number of slaves to those that are in sync."""
        rule = {"replicas": 2, "minimum": 1, **fields}
        return self.make(quorum=Quorum(**rule, is_checked=True, is_adapted=True))

    def test_in_sync(self) -> None:
        """As many as are connected, and as name servers know."""
        acks = self.make(quorum=Quorum(replicas=3, is_checked=True), alive=2)
        self.assertEqual((acks.in_sync, acks.has_enough), (1, False))
        self.master.report(0, 0)
        self.assertEqual((acks.in_sync, acks.has_enough), (2, False))
        acks.alive = 3
        self.assertEqual((acks.in_sync, acks.has_enough), (3, True))

    def test_plain(self) -> None:
        """Plain replication stores a message without slaves, and waits for them."""
        acks = self.make(1, alive=1)
        self.assertTrue(acks.has_enough)
        self.assertTrue(self.waiter.wait(acks, 100))

    def test_alone(self) -> None:
        """Without a slave in sync nothing is waited for; with one, it is."""
        acks = self.adapted()
        self.assertFalse(self.waiter.wait(acks, 100))
        self.master.report(0)
        self.assertTrue(self.waiter.wait(acks, 200))
        self.master.report(200)
        self.assertEqual(self.waiter.heard, [200])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slave_is_lost(self) -> None:
        """A message keeps the number with which it was stored."""
        acks = self.adapted()
        self.master.report(0)
        self.assertTrue(self.waiter.wait(acks, 100))
        self.master.report()
        self.assertFalse(self.waiter.wait(acks, 200))
        self.assertEqual(self.waiter.heard, [])
        self.clock.advance(3)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_SLAVE_TIMEOUT")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slave_comes(self) -> None:
        """What one slave has does not count for a message that needs two."""
        acks = self.adapted(replicas=3)
        self.master.report(0)
        self.assertTrue(self.waiter.wait(acks, 100))
        self.master.report(500, 0)
        self.assertEqual(self.waiter.heard, [100])
        self.assertTrue(self.waiter.wait(acks, 200))
        self.master.report(500, 150)
        self.assertEqual(self.waiter.heard, [100])
        self.master.report(500, 200)
        self.assertEqual(self.waiter.heard, [100, 200])

    def test_fewer_needed_behind_more(self) -> None:
        """Those that need less wait until the others are safe, or late."""
        acks = self.adapted(replicas=3)
        self.master.report(0, 0)
        self.assertTrue(self.waiter.wait(acks, 100))
        self.master.report(0)
        self.assertTrue(self.waiter.wait(acks, 200))
        self.master.report(300)
        self.assertEqual(self.waiter.heard, [])
        self.clock.advance(3)
        self.assertEqual(self.waiter.heard[0], (100, "FLUSH_SLAVE_TIMEOUT"))
        self.assertEqual(self.waiter.heard[1], (200, "FLUSH_SLAVE_TIMEOUT"))
        self.assertTrue(self.waiter.wait(acks, 400))
        self.master.report(400)
        self.assertEqual(self.waiter.heard[2:], [400])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_others_are_behind(self) -> None:
        """They are released once those before them are late."""
        acks = self.adapted(replicas=3)
        self.master.report(0, 0)
        self.assertTrue(self.waiter.wait(acks, 100))
        self.clock.advance(1)
        self.master.report(0)
        self.assertTrue(self.waiter.wait(acks, 200))
        self.master.report(300)
        self.clock.advance(2)
        self.assertEqual(self.waiter.heard, [(100, "FLUSH_SLAVE_TIMEOUT"), 200])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_alone_with_disk(self) -> None:
        """Without slaves in sync the fsync is waited for all the same."""
        acks = self.adapted()
        self.log.waits = True
        self.assertTrue(self.waiter.wait(acks, 100))
        assert self.log.waiter is not None
        self.log.waiter.flushed(100)
        self.assertEqual(self.waiter.heard, [100])


class DeferredTests(AcksCase):
    """One message that is waited for by a Deferred."""

    def test_when_safe(self) -> None:
        """It fires with None, with a code, or fails; None if nothing is waited for."""
        first, second = self.acks.when_safe(100), self.acks.when_safe(200)
        assert first is not None and second is not None
        self.master.report(150)
        self.assertIsNone(self.successResultOf(first))
        self.assertNoResult(second)
        self.clock.advance(3)
        code = self.successResultOf(second)
        self.assertEqual(code, ResponseCode.FLUSH_SLAVE_TIMEOUT)
        self.assertIsNone(self.acks.when_safe(150))
