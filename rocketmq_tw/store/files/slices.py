"""Runs long work in slices, so that the reactor can do other work in between."""

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Stopped(Exception):
    """The work was abandoned between two slices."""


def _always() -> bool:
    """Do all slices."""
    return True


def in_slices(
    work: Iterator[None],
    clock: IReactorTime,
    is_wanted: Callable[[], bool] = _always,
) -> "Deferred[None]":
    """
    Run the first slice now and each further one in its own reactor iteration.

    Fires when the work is done; fails with its error, or with Stopped once
    ``is_wanted`` returns False.
    """
    done: Deferred[None] = Deferred()

    def step() -> None:
        try:
            if not is_wanted():
                raise Stopped
            next(work)
        except StopIteration:
            done.callback(None)
        except Exception:
            done.errback()
        else:
            clock.callLater(0, step)

    step()
    return done
