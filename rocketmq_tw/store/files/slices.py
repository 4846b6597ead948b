"""Long work in slices, so that the reactor does other work between."""

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Stopped(Exception):
    """The work was given up between two slices."""


def in_slices(
    work: Iterator[None], clock: IReactorTime, is_wanted: Callable[[], bool]
) -> "Deferred[None]":
    """
    Do the first slice now and each other one in a reactor iteration of its own.

    Fires when the work is done; fails with its error, or with Stopped once
    ``is_wanted`` says no.
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
