"""
Keeps collections of garbage short.

Python counts references, and looks for garbage that refers to itself now and then: at
all objects there are, without a break. Some 100,000 take 50 ms, and a broker with many
topics or connections has millions. Hardly any of them is ever garbage: they live until
they are deleted.

So what a program consists of when it starts is not looked at again, and neither is what
survived a collection that took long: ``gc.freeze`` leaves both out of all later ones.
These come more often in return, before there are many new objects.
Such objects are still freed when nobody refers to them. Only those that refer to each
other in a circle would not be; a connection that is lost therefore leaves no circle.

Source: none; the Java heap is collected in threads.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorCore

#: Seconds; what survives a longer collection is left out of later ones.
LONG = 0.01
#: New objects until the youngest generation is collected, and how many collections of
#: one generation until the next one. Python's own are (700, 10, 10): every 77,000 new
#: objects all are looked at.
THRESHOLDS = (700, 10, 3)
#: The oldest of the three generations of objects.
_OLDEST = 2


class ShortCollections:
    """
    A callback of the garbage collector.

    :param seconds: returns a time that only advances.
    :param freeze: leaves out all objects there are.
    """

    def __init__(
        self,
        seconds: Callable[[], float] = time.monotonic,
        freeze: Callable[[], None] = gc.freeze,
    ) -> None:
        self._seconds = seconds
        self._freeze = freeze
        self._begin = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Measure a collection of all objects; see :data:`gc.callbacks`."""
        if info["generation"] < _OLDEST:
            return
        if phase == "start":
            self._begin = self._seconds()
        elif self._seconds() - self._begin > LONG:
            self._freeze()


def keep_collections_short(reactor: Any) -> None:
    """
    Keep collections short in the whole process: for programs, not for libraries.

    :param reactor: what there is when it starts is left out; a task.Clock, which never
        starts, changes nothing.
    """
    if not IReactorCore.providedBy(reactor):
        return

    def started() -> None:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(ShortCollections())

    reactor.callWhenRunning(started)
