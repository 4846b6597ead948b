"""
Keeps collections of garbage short.

Python counts references, and looks for garbage that refers to itself now and then: at
all objects there are, without a break. Some 100,000 take 50 ms, and a broker with many
topics or connections has millions. Hardly any of them is ever garbage: they live until
they are deleted.

So what a program consists of when it starts is not looked at again, and neither is what
survived a collection that took long: ``gc.freeze`` leaves both out of all later ones.
Such objects are still freed when nobody refers to them. Only those that refer to each
other in a circle would not be; a connection that is lost therefore leaves no circle.

When older objects are looked at is not left to Python either. It counts how many more
there are: while 9,000 connections come and as many go, it lets 70,000 new ones gather.
Here the time counts that collections of the youngest have taken. The older ones follow
in an iteration of the reactor of their own, before there are many.

Source: none; the Java heap is collected in threads.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorCore, IReactorFromThreads

#: Seconds; what survives a longer collection is left out of later ones.
LONG = 0.005
#: Seconds that collections of the youngest objects take until older ones are looked at.
ENOUGH = 0.0005
#: How many of those collections until all objects are looked at.
UNTIL_ALL = 3
#: New objects until the youngest generation is collected, as in Python. The others are
#: never collected by themselves.
THRESHOLDS = (700, 1 << 30, 1 << 30)


class ShortCollections:
    """
    A callback of the garbage collector.

    :param call_later: calls a function in another iteration of the reactor. It has to
        be safe in any thread and in the middle of anything, as collections are.
    :param seconds: returns a time that only advances.
    :param collector: the module ``gc``, or a double of it.
    """

    def __init__(
        self,
        call_later: Callable[[Callable[[], None]], object],
        seconds: Callable[[], float] = time.monotonic,
        collector: Any = gc,
    ) -> None:
        self._call_later = call_later
        self._seconds = seconds
        self._gc = collector
        self._begin = 0.0
        self._spent = 0.0
        self._is_due = False
        self._until_all = UNTIL_ALL

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Measure a collection of the youngest objects; see :data:`gc.callbacks`."""
        if info["generation"]:
            return
        if phase == "start":
            self._begin = self._seconds()
            return
        self._spent += self._seconds() - self._begin
        if self._spent >= ENOUGH and not self._is_due:
            self._is_due = True
            self._call_later(self._collect)

    def _collect(self) -> None:
        """Look at older objects, now and then at all that were not left out."""
        self._is_due = False
        self._spent = 0.0
        self._until_all -= 1
        if self._until_all:
            self._gc.collect(1)
            return
        self._until_all = UNTIL_ALL
        begin = self._seconds()
        self._gc.collect(2)
        if self._seconds() - begin > LONG:
            self._gc.freeze()


def keep_collections_short(reactor: Any) -> None:
    """
    Keep collections short in the whole process: for programs, not for libraries.

    :param reactor: what there is when it starts is left out; a task.Clock, which never
        starts, changes nothing.
    """
    if not (
        IReactorCore.providedBy(reactor) and IReactorFromThreads.providedBy(reactor)
    ):
        return

    def started() -> None:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(ShortCollections(reactor.callFromThread))

    reactor.callWhenRunning(started)
