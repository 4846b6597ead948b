"""
A log file that other programs may rename: it is opened again when they say so.

``logrotate`` renames a file and sends SIGHUP; until then the program writes on into the
renamed file, and no line is lost.
"""

from __future__ import annotations

import signal
from typing import Any

from twisted.logger import Logger
from twisted.python.logfile import LogFile


class ReopenedFile(LogFile):
    """
    The log file of ``twistd``, which begins a new file after a megabyte.

    :meth:`reopen` leaves the old file in use if the new one cannot be opened.
    """

    _log = Logger()

    def reopen(self) -> None:
        """Open the file of this name, which may be another now."""
        before = self._file
        try:
            self._openFile()
        except OSError as error:
            self._file = before
            why = error.strerror or str(error)
            self._log.error(
                "the log file {path} cannot be opened again: {why}; the one before"
                " stays in use",
                path=self.path,
                why=why,
            )
        else:
            before.close()


def reopen_on_hangup(reactor: Any, file: ReopenedFile) -> None:
    """
    Open a file again on SIGHUP, and begin a new one on SIGUSR1, as ``twistd`` does.

    Signals that something else handles already stay with it.
    """
    for number, action, free in (
        (signal.SIGHUP, file.reopen, (signal.SIG_DFL, signal.SIG_IGN)),
        (signal.SIGUSR1, file.rotate, (signal.SIG_DFL,)),
    ):
        if signal.getsignal(number) in free:
            signal.signal(number, _later(reactor, action))


def _later(reactor: Any, action: Any) -> Any:
    """Return a handler that leaves its work to the reactor."""
    return lambda *_: reactor.callFromThread(action)
