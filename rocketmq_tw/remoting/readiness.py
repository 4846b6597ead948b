"""
Reports to the service manager of the system that a program is ready, stops, or lives.

systemd names a socket in the environment; a program sends it short texts. With
``WatchdogSec`` it restarts a program whose reactor does nothing for so long. Without
that socket nothing here is imported.

Source: ``sd_notify(3)`` of systemd.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

#: Names the socket, the time in which the program has to report, and for whom it is.
SOCKET, WATCHDOG, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
#: Reports in the time of the watchdog.
REPORTS = 3


class Readiness:
    """
    What a program reports.

    :param environment: is read, and the names are removed: children of the program
        are not to report.
    """

    _log = Logger()

    def __init__(self, clock: Any, environment: MutableMapping[str, str]) -> None:
        self._path = environment.pop(SOCKET, "")
        self._period = _watchdog(environment)
        environment.pop(WATCHDOG, None)
        environment.pop(WATCHDOG_PID, None)
        self._ticker = LoopingCall(self._send, "WATCHDOG=1")
        self._ticker.clock = clock

    def ready(self) -> None:
        """Report that the program serves its clients."""
        self._send(f"READY=1\nMAINPID={os.getpid()}\nSTATUS=serving")
        if self._period and not self._ticker.running:
            self._ticker.start(self._period)

    def stopping(self) -> None:
        """Report that it ends, which may take as long as clients need."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def stop(self) -> None:
        """Report no more."""
        if self._ticker.running:
            self._ticker.stop()

    def _send(self, text: str) -> None:
        """Send a text; a manager that does not take it is no reason to end."""
        if not self._path:
            return
        # A name that begins with @ stands for one outside of the file system.
        address = "\0" + self._path[1:] if self._path[0] == "@" else self._path
        try:
            kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
            with socket.socket(socket.AF_UNIX, kind) as link:
                link.setblocking(False)
                link.sendto(text.encode(), address)
        except OSError as error:
            why = error.strerror or str(error)
            self._log.warn("{path} takes no reports: {why}", path=self._path, why=why)


def _watchdog(environment: Mapping[str, str]) -> float:
    """Return the seconds between two reports; 0 for none."""
    text = environment.get(WATCHDOG, "")
    if environment.get(WATCHDOG_PID, str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(text) / 1e6 / REPORTS if text.isascii() and text.isdecimal() else 0.0
