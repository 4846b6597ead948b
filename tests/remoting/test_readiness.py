"""What a program reports to the service manager of the system."""

from __future__ import annotations

import os
import socket
import tempfile
from unittest import mock

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.listener import Program
from rocketmq_tw.remoting.readiness import Readiness


class ManagerCase(SynchronousTestCase):
    """Has a service manager's socket."""

    def setUp(self) -> None:
        """Listen."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.clock = Clock()
        self.environment = self.listen(os.path.join(folder.name, "notify"))

    def listen(self, path: str) -> dict[str, str]:
        """Listen at a path; return the environment that names it."""
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind("\0" + path[1:] if path[0] == "@" else path)
        self.manager.setblocking(False)
        return {"NOTIFY_SOCKET": path, "OTHER": "stays"}

    def reports(self) -> list[str]:
        """Take away what was reported."""
        found = []
        while True:
            try:
                found.append(self.manager.recv(1000).decode())
            except BlockingIOError:
                return found


class ReadinessTests(ManagerCase):
    """The texts of sd_notify(3)."""

    def test_ready(self) -> None:
        """It is ready, of which process, and then stops."""
        made = Readiness(self.clock, self.environment)
        made.ready()
        made.stopping()
        pid = os.getpid()
        expected = [
            f"READY=1\nMAINPID={pid}\nSTATUS=serving",
            "STOPPING=1\nSTATUS=stopping",
        ]
        self.assertEqual(self.reports(), expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_environment(self) -> None:
        """Children of the program do not report."""
        self.environment |= {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}
        Readiness(self.clock, self.environment)
        self.assertEqual(self.environment, {"OTHER": "stays"})

    def test_watchdog(self) -> None:
        """It reports three times in the time of the watchdog, until it stops."""
        self.environment["WATCHDOG_USEC"] = "3000000"
        self.environment["WATCHDOG_PID"] = str(os.getpid())
        made = Readiness(self.clock, self.environment)
        self.assertEqual(self.reports(), [])
        made.ready()
        self.reports()
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.reports(), ["WATCHDOG=1"] * 3)
        made.stop()
        made.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_watchdog_of_others(self) -> None:
        """One that is for another process, or no number, is none."""
        for more in (
            {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
            {"WATCHDOG_USEC": "soon"},
        ):
            Readiness(self.clock, {**self.environment, **more}).ready()
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_abstract_name(self) -> None:
        """A socket may have a name outside of the file system."""
        environment = self.listen(f"@rocketmq-test-{os.getpid()}")
        Readiness(self.clock, environment).stopping()
        self.assertEqual(len(self.reports()), 1)

    def test_nobody_there(self) -> None:
        """A manager that does not listen is named in the log."""
        with capturedLogs() as events:
            Readiness(self.clock, {"NOTIFY_SOCKET": "/nonexistent/notify"}).ready()
        self.assertIn("/nonexistent/notify takes no reports", formatEvent(events[0]))


class Starting(Service):
    """A service whose start takes time."""

    def __init__(self) -> None:
        self.started: Deferred[None] = Deferred()


class ProgramTests(ManagerCase):
    """When a program reports."""

    def program(self, service: Service) -> Program:
        """Make a program that a manager runs."""
        with mock.patch.dict(os.environ, self.environment):
            return Program(self.clock, service)

    def test_started(self) -> None:
        """Once all of its services have started, and when it stops."""
        service = Starting()
        program = self.program(service)
        program.startService()
        self.assertEqual(self.reports(), [])
        service.started.callback(None)
        self.assertEqual(self.reports()[0].splitlines()[0], "READY=1")
        program.stopService()
        self.assertEqual(self.reports(), ["STOPPING=1\nSTATUS=stopping"])

    def test_starts_at_once(self) -> None:
        """Services without a Deferred, or with one that has fired, are ready."""
        service = Starting()
        service.started = succeed(None)
        self.program(service).startService()
        self.assertEqual(len(self.reports()), 1)

    def test_without_manager(self) -> None:
        """Without a socket nothing is reported."""
        self.environment.clear()
        with mock.patch.dict(os.environ, clear=True):
            program = Program(self.clock, Service())
        program.startService()
        program.stopService()
        self.assertEqual(self.reports(), [])
