"""Which objects the garbage collector no longer looks at."""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.garbage import (
    LONG,
    THRESHOLDS,
    ShortCollections,
    keep_collections_short,
)


class CollectionTests(SynchronousTestCase):
    """After which collections objects are left out."""

    def setUp(self) -> None:
        """Make a callback on a clock; count how often it leaves objects out."""
        self.clock = Clock()
        self.frozen = 0
        self.callback = ShortCollections(self.clock.seconds, self.freeze)

    def freeze(self) -> None:
        """Count it."""
        self.frozen += 1

    def collect(self, generation: int, seconds: float) -> None:
        """Report a collection."""
        self.callback("start", {"generation": generation})
        self.clock.advance(seconds)
        self.callback("stop", {"generation": generation})

    def test_long(self) -> None:
        """What survives a long collection is not looked at again."""
        self.collect(2, LONG * 1.1)
        self.assertEqual(self.frozen, 1)

    def test_short(self) -> None:
        """While collections are short, all objects are looked at."""
        for _ in range(10):
            self.collect(2, LONG * 0.9)
        self.assertEqual(self.frozen, 0)

    def test_young(self) -> None:
        """A collection of new objects alone changes nothing."""
        self.collect(1, LONG * 2)
        self.assertEqual(self.frozen, 0)


class _Reactor(MemoryReactor):
    """A reactor that starts when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: list[Callable[[], None]] = []

    def callWhenRunning(  # noqa: N802
        self, hook: Callable[[], None], *args: object, **kw: object
    ) -> None:
        """Keep what is to be called."""
        self.hooks.append(hook)


class ProgramTests(SynchronousTestCase):
    """When it begins."""

    def test_start(self) -> None:
        """With the reactor: a daemon forks before."""
        reactor = _Reactor()
        before = list(gc.callbacks)
        keep_collections_short(reactor)
        self.assertEqual(gc.callbacks, before)
        frozen = gc.get_freeze_count()
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        for hook in reactor.hooks:
            hook()
        self.addCleanup(gc.callbacks.remove, gc.callbacks[-1])
        self.assertEqual(len(gc.callbacks), len(before) + 1)
        self.assertGreater(gc.get_freeze_count(), frozen)
        self.assertEqual(gc.get_threshold(), THRESHOLDS)

    def test_clock(self) -> None:
        """A clock never starts: nothing is changed."""
        before = list(gc.callbacks)
        keep_collections_short(Clock())
        self.assertEqual(gc.callbacks, before)
