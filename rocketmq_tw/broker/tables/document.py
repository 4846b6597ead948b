"""
A table that is written to disk in the reactor iteration after a change.

Many changes within one iteration cause one write: a client with 2,000 new topics would
otherwise cause 2,000 rewrites of a growing file.

Source: ``ConfigManager.persist`` of RocketMQ 5, which writes on every change.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.jsonfile import JsonFile

#: Runs a function later, e.g. ``lambda run: reactor.callLater(0, run)``.
Schedule = Callable[[Callable[[], None]], object]


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
        self.dirty = False

    def changed(self) -> None:
        """Record a change, and schedule a write."""
        self.dirty = True
        if self._schedule is None:
            self._write()
        elif not self._scheduled:
            self._scheduled = True
            self._schedule(self._write)

    def save(self) -> None:
        """
        Write now, if anything changed since the last write.

        :raises OSError: the file is unchanged; the next call writes again.
        """
        if self.dirty:
            self._file.save(self._encode())
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
