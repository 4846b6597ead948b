"""What writes the log of a program."""

from __future__ import annotations

import json
import os
import signal
import sys
from io import StringIO
from typing import Any

from twisted.application.service import Application
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import FileLogObserver, ILogObserver, LogLevel
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.log_settings import LogSettings
from rocketmq_tw.logs.observer import logs_of, make_observer
from rocketmq_tw.remoting.listener import Program

JSON = LogSettings(is_json=True)


def event(level: Any = LogLevel.info, system: str = "rocketmq_tw.x") -> dict[str, Any]:
    """Make an event."""
    return {
        "log_time": 0.0,
        "log_level": level,
        "log_namespace": system,
        "log_format": "hello",
    }


class ObserverTests(SynchronousTestCase):
    """Form and level."""

    def lines(self, settings: LogSettings, *events: dict[str, Any]) -> list[str]:
        """Observe events; return the lines."""
        out = StringIO()
        observer = make_observer(settings, out)
        for each in events:
            observer(each)
        return out.getvalue().splitlines()

    def test_json(self) -> None:
        """An object a line."""
        [line] = self.lines(JSON, event())
        self.assertEqual(json.loads(line)["message"], "hello")

    def test_text(self) -> None:
        """As twistd writes it."""
        [line] = self.lines(LogSettings(level="debug"), event())
        self.assertTrue(line.endswith("[rocketmq_tw.x#info] hello"), line)

    def test_level(self) -> None:
        """What is below is left out; modules may have their own."""
        settings = LogSettings(level="warn", levels=(("rocketmq_tw.y", "debug"),))
        events = [
            event(),
            event(LogLevel.error),
            event(LogLevel.debug, "rocketmq_tw.y.z"),
        ]
        self.assertEqual(len(self.lines(settings, *events)), 2)


class ApplicationTests(SynchronousTestCase):
    """How a program gets its log."""

    def setUp(self) -> None:
        """Keep the handlers of this process."""
        self.reactor = MemoryReactorClock()
        self.application: Any = Application("x")
        for number in (signal.SIGHUP, signal.SIGUSR1):
            before = signal.getsignal(number)
            self.addCleanup(signal.signal, number, before)

    def observer(self, settings: LogSettings, **twistd: Any) -> Any:
        """Let a program become part of an application; return its observer."""
        logs = logs_of(self.reactor, settings, twistd)
        Program(self.reactor, logs=logs).setServiceParent(self.application)
        return self.application.getComponent(ILogObserver)

    def test_standard_output(self) -> None:
        """In the foreground it is written there."""
        for path in (None, "-"):
            observer = self.observer(JSON, nodaemon=1, logfile=path)
            self.assertIsInstance(observer, FileLogObserver)
            self.assertIs(observer._outFile, sys.stdout)

    def test_file(self) -> None:
        """A file is made when the program becomes part of the application."""
        path = self.mktemp()
        logs = logs_of(self.reactor, LogSettings(), {"nodaemon": 1, "logfile": path})
        self.assertFalse(os.path.exists(path))
        Program(self.reactor, logs=logs).setServiceParent(self.application)
        observer: Any = self.application.getComponent(ILogObserver)
        observer(event())
        with open(path) as file:
            self.assertIn("hello", file.read())
        observer._outFile.close()

    def test_daemon(self) -> None:
        """One has a file in any case; twistd refuses its shell."""
        self.assertIsNone(logs_of(self.reactor, JSON, {"logfile": "-"}))
        self.assertIsNotNone(logs_of(self.reactor, LogSettings(), {"logfile": None}))

    def test_default(self) -> None:
        """Without options the foreground is left to twistd."""
        self.assertIsNone(self.observer(LogSettings(), nodaemon=1, logfile=None))

    def test_other_loggers(self) -> None:
        """twistd's options for other logs exclude ours."""
        for more in ({"syslog": 1}, {"logger": "x.y"}):
            self.assertIsNone(logs_of(self.reactor, LogSettings(), more))
            error = self.assertRaises(
                usage.UsageError, logs_of, self.reactor, JSON, more
            )
            self.assertIn("--logger and --syslog", str(error))

    def test_no_application(self) -> None:
        """What else runs a program gives it its log."""
        self.assertIsNone(logs_of(self.reactor, JSON, None))
