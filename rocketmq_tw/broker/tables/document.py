"""
A table that is written to disk in the reactor iteration after a change.

Many changes within one iteration cause one write: a client with 2,000 new topics would
otherwise cause 2,000 rewrites of a growing file. A large file is written less often, so
that encoding it takes a small part of the time however many changes there are.

Source: ``ConfigManager.persist`` of RocketMQ 5, which writes on every change.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

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
    """

    _log = Logger()

    def __init__(
        self, file: JsonFile, encode: Callable[[], bytes], schedule: Schedule | None
    ) -> None:
        self._file = file
        self._encode = encode
        self._schedule = schedule
        self._scheduled = False
        self._size = 0
        self.dirty = False

    def changed(self) -> None:
        """Record a change, and schedule a write."""
        self.dirty = True
        if self._schedule is None:
            self._write()
        elif not self._scheduled:
            self._scheduled = True
            delay = self._size / _RATE if self._size > _SMALL else 0
            self._schedule(delay, self._write)

    def save(self) -> None:
        """
        Write now, if anything changed since the last write.

        :raises OSError: the file is unchanged; the next call writes again.
        """
        if self.dirty:
            text = self._encode()
            self._size = len(text)
            self._file.save(text)
            self.dirty = False

    def _write(self) -> None:
        """Write unless the file is up to date; a failure is logged."""
        self._scheduled = False
        try:
            self.save()
        except OSError as error:
            self._log.error(
                "{path} could not be written: {error}; the change is kept in memory",
                path=self._file.path,
                error=error,
            )
