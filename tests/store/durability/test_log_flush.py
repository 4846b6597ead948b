"""Tests of flushes of the log: when one begins, and what it costs."""

from __future__ import annotations

import os

from rocketmq_tw.store.errors import StoreNotWriteable
from tests.store.cases import NOW, draft
from tests.store.durability.test_flush import SyncCase


class GatheringTests(SyncCase):
    """Senders that send again as soon as they have a response."""

    def iterate(self) -> None:
        """Let one reactor iteration end: what is scheduled meanwhile waits."""
        calls = [c for c in self.clock.getDelayedCalls() if c.getTime() <= self.now()]
        for call in calls:
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def now(self) -> float:
        """Return the time."""
        return self.clock.seconds()

    def flushed_together(self, count: int) -> None:
        """Let so many messages be one group, and get their responses."""
        for _ in range(count):
            self.sent()
        self.iterate()
        while not self.thread.work:
            self.iterate()
        self.thread.run_one()

    def test_one_sender_does_not_wait(self) -> None:
        """Its next message is flushed at the end of the iteration."""
        self.flushed_together(1)
        for _ in range(3):
            self.sent()
            self.iterate()
            self.assertEqual(len(self.thread.work), 1)
            self.thread.run_one()

    def test_waits_for_the_last_group(self) -> None:
        """While its senders send again, nothing is flushed; the last one ends that."""
        self.flushed_together(4)
        for _ in range(3):
            self.sent()
            self.iterate()
            self.assertEqual(self.thread.work, [])
        self.sent()
        self.iterate()
        self.assertEqual(len(self.thread.work), 1)
        self.thread.run_one()
        self.assertEqual(self.store.flushed, self.store.commit_log_max)

    def test_two_groups_become_one(self) -> None:
        """Who sent during an fsync waits for those whom it covered."""
        self.flushed_together(2)
        self.sent()
        self.sent()
        self.iterate()
        self.assertEqual(len(self.thread.work), 1)
        self.sent()
        self.thread.run_one()
        self.iterate()
        self.sent()
        self.iterate()
        self.sent()
        self.assertEqual(self.thread.work, [])
        self.iterate()
        self.assertEqual(len(self.thread.work), 1)
        self.thread.run_one()
        self.assertEqual(self.store.flushed, self.store.commit_log_max)

    def test_nobody_comes(self) -> None:
        """An iteration without a message ends the wait."""
        self.flushed_together(4)
        self.sent()
        self.iterate()
        self.assertEqual(self.thread.work, [])
        self.iterate()
        self.assertEqual(len(self.thread.work), 1)

    def test_not_for_long(self) -> None:
        """Who keeps sending does not keep the others waiting for more than 5 ms."""
        self.flushed_together(100)
        iterations = 0
        while not self.thread.work:
            self.sent()
            self.clock.rightNow += 0.001
            self.iterate()
            iterations += 1
        self.assertIn(iterations, (6, 7))

    def test_one_call_a_flush(self) -> None:
        """A flush opens nothing: it is one call of the system in the thread."""
        self.flushed_together(2)
        calls = dict(self.disk.calls)
        self.flushed_together(2)
        self.flushed_together(2)
        self.assertEqual(dict(self.disk.calls), calls | {"sync": calls["sync"] + 2})


class KeptTests(SyncCase):
    """The active file is kept open, and disappears."""

    def setUp(self) -> None:
        """Flush once."""
        super().setUp()
        self.sent()
        self.clock.advance(0)
        self.thread.run()
        self.path_of_log = self.path("commitlog", f"{0:020d}")

    def refused(self) -> None:
        """Expect that the next message is not acknowledged, nor any other."""
        waiting = self.sent()
        self.clock.advance(0)
        self.thread.run()
        error = self.failureResultOf(waiting, StoreNotWriteable).value
        self.assertIn("removed or replaced", str(error))
        self.assertRaises(StoreNotWriteable, self.store.put, draft(), NOW)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def test_removed(self) -> None:
        """The fsync of a file without a name succeeds, and is not believed."""
        os.remove(self.path_of_log)
        self.refused()

    def test_moved(self) -> None:
        """Nor if it has another name."""
        os.rename(self.path_of_log, self.path("elsewhere"))
        self.refused()

    def test_replaced(self) -> None:
        """Nor if another file has its name."""
        os.rename(self.path_of_log, self.path("elsewhere"))
        with open(self.path_of_log, "wb") as file:
            file.truncate(1000)
        self.refused()

    def test_removed_while_it_is_flushed(self) -> None:
        """It is looked for after the fsync."""
        waiting = self.sent()
        self.clock.advance(0)
        (work,) = self.thread.work

        def remove() -> None:
            work[0]()
            os.remove(self.path_of_log)

        self.thread.work = [(remove, work[1])]
        self.thread.run()
        self.failureResultOf(waiting, StoreNotWriteable)
        self.flushLoggedErrors(FileNotFoundError)

    def test_closed(self) -> None:
        """A store that is closed keeps no file open."""
        self.closed(self.store)
        links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
        kept = {os.readlink(link) for link in links if os.path.islink(link)}
        self.assertEqual([p for p in kept if p.endswith(self.path_of_log)], [])
