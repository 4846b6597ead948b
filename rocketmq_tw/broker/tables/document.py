"""
A table that is written to disk in the reactor iteration after a change.

A table that can encode itself in steps does one in each iteration.

Many changes within one iteration cause one write: a client with 2,000 new topics would
otherwise cause 2,000 rewrites of a growing file. A large file is written less often, so
that encoding it takes a small part of the time however many changes there are.

Source: ``ConfigManager.persist`` of RocketMQ 5, which writes on every change.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.jsonfile import JsonFile

#: Runs a function after some seconds: ``reactor.callLater``.
Schedule = Callable[[float, Callable[[], None]], object]
#: A file up to this size is written in the next reactor iteration; in bytes.
_SMALL = 64 << 10
#: A larger one waits so long that no more than this is encoded; in bytes a second.
_RATE = 4 << 20


class Document:
    """
    Keeps a file up to date with the result of ``encode``.

    :param file: the file to write.
    :param encode: returns the whole text.
    :param schedule: runs the write later; None writes on every change.
    :param steps: encodes in steps; None if ``encode`` never takes long.
    :param by_timer: a timer calls :meth:`write`; a change schedules nothing.
    :param before_write: called when a text that was encoded in steps is complete; it is
        written when the Deferred fires, and not if it fails.
    :ivar dirty: whether there is a change to write.
    """

    # Where _steps is set, the text is being made; what changes meanwhile is in a later
    # one, so dirty is set again.

    _log = Logger()

    def __init__(
        self,
        file: JsonFile,
        encode: Callable[[], bytes],
        schedule: Schedule | None,
        *,
        steps: Callable[[], Generator[Any, Any, bytes]] | None = None,
        by_timer: bool = False,
        before_write: Callable[[], Deferred[Any] | None] = lambda: None,
    ) -> None:
        self._before_write = before_write
        self._by_timer = by_timer
        self._encode_in_steps = steps
        self._steps: Generator[Any, Any, bytes] | None = None
        self._file = file
        self._encode = encode
        self._schedule = schedule
        self._scheduled = False
        self._size = 0
        self.dirty = False

    def changed(self) -> None:
        """Record a change, and schedule a write."""
        self.dirty = True
        if self._by_timer:
            return
        if self._schedule is None:
            self.write()
        elif not self._scheduled and self._steps is None:
            self._scheduled = True
            delay = self._size / _RATE if self._size > _SMALL else 0
            self._schedule(delay, self.write)

    def save(self) -> None:
        """
        Write now, if anything changed since the last write.

        :raises OSError: the file is unchanged; the next call writes again.
        """
        if self.dirty or self._steps is not None:
            self._steps = None
            self.dirty = True
            self._save(self._encode())

    def _save(self, text: bytes) -> None:
        """Write a text. :raises OSError: the file is outdated still."""
        self._size = len(text)
        self._file.save(text)
        self.dirty = False

    def write(self) -> None:
        """Write unless the file is up to date, in steps if it has some."""
        self._scheduled = False
        if self._schedule is None or self._encode_in_steps is None:
            self._try_to(self.save)
        elif self.dirty and self._steps is None:
            self.dirty = False
            self._steps = self._encode_in_steps()
            self._step(self._steps)

    def _step(self, steps: Generator[Any, Any, bytes]) -> None:
        """Encode a part; write what is complete."""
        if steps is not self._steps or self._schedule is None:
            return  # all was written meanwhile
        try:
            next(steps)
        except StopIteration as end:
            text = bytes(end.value)
            waiting = self._before_write()
            if waiting is None:
                self._complete(None, steps, text)
            else:
                waiting.addCallback(self._complete, steps, text)
                waiting.addErrback(self._not_complete, steps)
        else:
            self._schedule(0, lambda: self._step(steps))

    def _complete(
        self, _: object, steps: Generator[Any, Any, bytes], text: bytes
    ) -> None:
        """Write a text that was encoded in steps."""
        if steps is not self._steps:
            return  # all was written meanwhile
        self._steps = None
        changed = self.dirty
        self.dirty = True
        self._try_to(lambda: self._save(text))
        if changed:
            self.changed()

    def _not_complete(
        self, failure: Failure, steps: Generator[Any, Any, bytes]
    ) -> None:
        """Log that a text is not written; the next one has the changes."""
        if steps is self._steps:
            self._steps = None
        self.dirty = True
        self._log.error(
            "{path} is not written: {error}; the change is kept in memory",
            path=self._file.path,
            error=failure.getErrorMessage(),
        )

    def _try_to(self, write: Callable[[], None]) -> None:
        """Write; a failure is logged."""
        try:
            write()
        except OSError as error:
            self._log.error(
                "{path} could not be written: {error}; the change is kept in memory",
                path=self._file.path,
                error=error,
            )
