"""Which objects the garbage collector no longer looks at."""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rocketmq_tw.garbage import (
    ENOUGH,
    LONG,
    THRESHOLDS,
    UNTIL_ALL,
    ShortCollections,
    keep_collections_short,
)


class Collector:
    """A double of the module ``gc``; collections take as long as a test wants."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.takes = 0.0
        self.done: list[int | str] = []

    def collect(self, generation: int) -> None:
        """Note which objects are looked at."""
        self.done.append(generation)
        self.clock.advance(self.takes)

    def freeze(self) -> None:
        """Note that those there are are left out."""
        self.done.append("frozen")


class CollectionTests(SynchronousTestCase):
    """When older objects are looked at, and which are left out."""

    def setUp(self) -> None:
        """Make a callback on a clock."""
        self.clock = Clock()
        self.collector = Collector(self.clock)
        self.waiting: list[Callable[[], None]] = []
        self.callback = ShortCollections(
            self.waiting.append, self.clock.seconds, self.collector
        )

    def young(self, seconds: float, generation: int = 0) -> None:
        """Report a collection of the youngest objects."""
        self.callback("start", {"generation": generation})
        self.clock.advance(seconds)
        self.callback("stop", {"generation": generation})

    def all_due(self) -> list[int | str]:
        """Do what is due until all objects were looked at; return what was done."""
        for _ in range(UNTIL_ALL):
            self.young(ENOUGH * 1.001)
            self.waiting.pop()()
        return self.collector.done

    def test_enough(self) -> None:
        """Once the youngest have taken enough time together, older ones follow."""
        for _ in range(3):
            self.young(ENOUGH / 4)
        self.assertEqual(self.waiting, [])
        self.young(ENOUGH / 3)
        self.assertEqual(len(self.waiting), 1)
        self.assertEqual(self.collector.done, [])
        self.waiting.pop()()
        self.assertEqual(self.collector.done, [1])
        self.young(ENOUGH / 2)
        self.assertEqual(self.waiting, [])

    def test_once(self) -> None:
        """They are due once, however much follows before."""
        for _ in range(5):
            self.young(ENOUGH * 1.001)
        self.assertEqual(len(self.waiting), 1)

    def test_older(self) -> None:
        """The time of other collections does not count."""
        self.young(1.0, 1)
        self.young(1.0, 2)
        self.assertEqual(self.waiting, [])

    def test_all(self) -> None:
        """Now and then all are looked at; while that is short, none is left out."""
        self.collector.takes = LONG * 0.9
        self.assertEqual(self.all_due(), [1] * (UNTIL_ALL - 1) + [2])

    def test_long(self) -> None:
        """What survives a long collection is not looked at again."""
        self.collector.takes = LONG * 1.1
        self.assertEqual(self.all_due()[-2:], [2, "frozen"])


@implementer(IReactorFromThreads)
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

    def callFromThread(  # noqa: N802
        self, hook: Callable[[], None], *args: object, **kw: object
    ) -> None:
        """Call nothing: a test of the hook itself does."""


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
