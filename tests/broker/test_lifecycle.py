"""The stages of a broker's life: who is run, in which order, and what may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.lifecycle import Lifecycle
from tests.broker.doubles import MemoryConnection


class LifecycleTests(SynchronousTestCase):
    """Steps that note when they run."""

    def setUp(self) -> None:
        """Make a lifecycle without steps."""
        self.lifecycle = Lifecycle()
        self.seen: list[str] = []

    def note(self, name: str) -> Callable[..., None]:
        """Make a step that notes its name."""
        return lambda *_: self.seen.append(name)

    def run_stage(self, stage: Any) -> Deferred[None]:
        """Run a stage."""
        return Deferred.fromCoroutine(stage())

    def test_start_waits(self) -> None:
        """Steps start one after the other; each may take its time."""
        slow: Deferred[None] = Deferred()
        self.lifecycle.on_start += [self.note("a"), lambda: slow, self.note("c")]
        done = self.run_stage(self.lifecycle.start)
        self.assertEqual(self.seen, ["a"])
        self.assertNoResult(done)
        slow.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.seen, ["a", "c"])

    def test_before_it_registers(self) -> None:
        """What is to be done before that is done in the same way."""
        slow: Deferred[None] = Deferred()
        self.lifecycle.on_online += [lambda: slow, self.note("b")]
        done = self.run_stage(self.lifecycle.go_online)
        self.assertNoResult(done)
        slow.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.seen, ["b"])

    def test_stopped_before_it_registers(self) -> None:
        """Nothing is begun any more once it drains."""
        slow: Deferred[None] = Deferred()
        self.lifecycle.on_online += [lambda: slow, self.note("b")]
        done = self.run_stage(self.lifecycle.go_online)
        self.successResultOf(self.run_stage(self.lifecycle.drain))
        slow.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.seen, [])

    def test_start_fails(self) -> None:
        """The first failure ends the start."""
        self.lifecycle.on_start += [lambda: 1 / 0, self.note("b")]
        self.failureResultOf(self.run_stage(self.lifecycle.start), ZeroDivisionError)
        self.assertEqual(self.seen, [])

    def test_ends_in_the_opposite_order(self) -> None:
        """What started first drains and stops last, whatever becomes of the others."""
        for steps, stage in (
            (self.lifecycle.on_drain, self.lifecycle.drain),
            (self.lifecycle.on_stop, self.lifecycle.stop),
        ):
            slow: Deferred[None] = Deferred()
            steps += [self.note("a"), lambda: 1 / 0, lambda s=slow: s, self.note("d")]
            done = self.run_stage(stage)
            self.assertEqual(self.seen, ["d"])
            slow.callback(None)
            self.successResultOf(done)
            self.assertEqual(self.seen, ["d", "a"])
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
            self.seen.clear()

    def test_connection_lost(self) -> None:
        """Each learns of a lost connection, also behind one that fails."""
        self.lifecycle.on_connection_lost += [lambda peer: 1 / 0, self.seen.append]
        peer: Any = MemoryConnection()
        self.lifecycle.connection_lost(peer)
        self.assertEqual(self.seen, [peer])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
