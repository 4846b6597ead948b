"""
Files that are written in a thread, so that a slow disk does not block the reactor.

If several texts arrive while one is being written, only the newest is written. A text
that could not be written is kept, and retried with the next one or by
:meth:`~BackgroundFile.drain`, which the broker calls periodically.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.threads import RunInThread


class BackgroundFile(JsonFile):
    """
    A :class:`~rocketmq_tw.jsonfile.JsonFile` whose ``save`` returns at once.

    :param run_in_thread: runs a function in a thread.
    """

    _log = Logger()

    def __init__(self, path: str, run_in_thread: RunInThread) -> None:
        super().__init__(path)
        self._run_in_thread = run_in_thread
        self._next: bytes | None = None
        self._busy = False
        #: Whether the last attempt failed; that is logged already.
        self._is_failing = False
        self._waiting: list[Deferred[None]] = []

    def save(self, data: bytes) -> None:
        """Schedule ``data`` to be written."""
        self._next = data
        if not self._busy:
            self._write()

    @property
    def is_written(self) -> bool:
        """Whether the newest text is on disk."""
        return not self._busy and self._next is None

    def drain(self) -> Deferred[None]:
        """Fires when everything is written, or when it cannot be written."""
        if not self._busy and self._next is not None:
            self._write()
        if not self._busy:
            return succeed(None)
        drained: Deferred[None] = Deferred()
        self._waiting.append(drained)
        return drained

    def _write(self) -> None:
        """Write the newest text."""
        data, self._next = self._next, None
        assert data is not None
        self._busy = True
        written = self._run_in_thread(lambda: JsonFile.save(self, data))
        written.addCallbacks(self._written, lambda failure: self._failed(failure, data))

    def _written(self, _result: Any) -> None:
        """Write the text that arrived meanwhile, if any."""
        self._busy = False
        self._is_failing = False
        if self._next is not None:
            self._write()
        else:
            self._fire()

    def _failed(self, failure: Failure, data: bytes) -> None:
        """Keep the text that could not be written, unless there is a newer one."""
        if not self._is_failing:
            self._is_failing = True
            why = failure.getErrorMessage()
            self._log.error("could not write {path}: {why}", path=self.path, why=why)
        if self._next is not None:
            self._write()
            return
        self._busy = False
        self._next = data
        self._fire()

    def _fire(self) -> None:
        """Fire all Deferreds that :meth:`drain` returned."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)
