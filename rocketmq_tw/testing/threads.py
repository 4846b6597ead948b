"""
Threads that a test controls.

Blocking calls (fsync, writing tables, cold reads) are passed to a runner: a function
that takes a function and returns a Deferred of its result. In a program the runner is a
thread pool, in tests it is :class:`ManualThreads`: no thread is started, and the test
decides when the work is done, or that it fails::

    threads = ManualThreads()
    file = BackgroundFile(path, threads)
    file.save(b"{}")            # returns at once, nothing is written
    threads.run()               # now it is
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.python.failure import Failure


class ManualThreads:
    """
    A runner whose work waits until the test runs it.

    :param held: False runs work at once, until :meth:`hold` is called.
    :ivar work: the waiting functions, oldest first, each with its result's Deferred.
    """

    def __init__(self, held: bool = True) -> None:
        self.work: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self._held = held
        self._error: Exception | None = None

    def __call__(self, function: Callable[[], Any]) -> Deferred[Any]:
        """
        Accept work.

        :returns: fires with the function's result, or fails with its exception.
        """
        if self._held:
            done: Deferred[Any] = Deferred()
            self.work.append((function, done))
            return done
        if self._error is not None:
            return fail(self._error)
        return maybeDeferred(function)

    def hold(self) -> None:
        """Let work wait from now on, as if the disk had stalled."""
        self._held = True

    def release(self) -> None:
        """Run the waiting work, and from now on all work at once."""
        self._held = False
        self.run()

    def run_one(self) -> None:
        """
        Run the oldest work; its exception becomes the failure.

        :raises IndexError: no work is waiting.
        """
        function, done = self.work.pop(0)
        try:
            if self._error is not None:
                raise self._error
            result = function()
        except Exception:
            done.errback(Failure())
        else:
            done.callback(result)

    def run(self) -> None:
        """Run all waiting work, and work that follows from it."""
        while self.work:
            self.run_one()

    def fail_with(self, error: Exception | None) -> None:
        """
        Let all work fail without running it, as if the disk were full or broken.

        :param error: for example ``OSError(errno.ENOSPC, "no space left")``; None runs
            work again.
        """
        self._error = error


class ThreadPoolDouble:
    """
    The part of Twisted's ``ThreadPool`` that ``deferToThreadPool`` uses.

    :param threads: runs the work.
    """

    def __init__(self, threads: ManualThreads) -> None:
        self._threads = threads

    def callInThreadWithCallback(  # noqa: N802
        self,
        done: Callable[[bool, Any], None] | None,
        function: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Run a function, and pass its result or its failure to ``done``."""
        result = self._threads(lambda: function(*args, **kwargs))
        if done is not None:
            report = done
            result.addCallbacks(
                lambda value: report(True, value),
                lambda failure: report(False, failure),
            )
