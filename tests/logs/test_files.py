"""A log file that other programs may rename."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.logs.files import ReopenedFile, reopen_on_hangup


class FileCase(SynchronousTestCase):
    """Has a log file."""

    def setUp(self) -> None:
        """Open one."""
        self.folder = self.mktemp()
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, "x.log")
        self.file: Any = ReopenedFile.fromFullPath(self.path)
        self.addCleanup(lambda: self.file.close())

    def read(self, name: str) -> str:
        """Read a file of the folder."""
        with open(os.path.join(self.folder, name)) as file:
            return file.read()


class ReopenedFileTests(FileCase):
    """What is written where."""

    def test_renamed(self) -> None:
        """Lines go to the renamed file until it is opened again; none is lost."""
        self.file.write("one\n")
        os.rename(self.path, self.path + ".old")
        self.file.write("two\n")
        self.file.reopen()
        self.file.write("three\n")
        self.assertEqual(self.read("x.log.old"), "one\ntwo\n")
        self.assertEqual(self.read("x.log"), "three\n")

    def test_not_renamed(self) -> None:
        """A file that is still there is appended to."""
        self.file.write("one\n")
        self.file.reopen()
        self.file.write("two\n")
        self.assertEqual(self.read("x.log"), "one\ntwo\n")

    def test_cannot_be_opened(self) -> None:
        """The old file stays in use, and the log says why."""
        moved = self.mktemp()
        shutil.move(self.folder, moved)
        with capturedLogs() as events:
            self.file.reopen()
        self.file.write("goes on\n")
        self.folder = moved
        self.assertEqual(self.read("x.log"), "goes on\n")
        text = formatEvent(events[0])
        self.assertIn("cannot be opened again: No such file", text)


class SignalTests(FileCase):
    """What SIGHUP and SIGUSR1 do."""

    def setUp(self) -> None:
        """Keep the handlers of this process."""
        super().setUp()
        self.reactor = MemoryReactorClock()
        self.later: list[Any] = []
        self.reactor.callFromThread = self.later.append  # type: ignore[method-assign]
        for number in (signal.SIGHUP, signal.SIGUSR1):
            before = signal.getsignal(number)
            self.addCleanup(signal.signal, number, before)
            signal.signal(number, signal.SIG_DFL)

    def test_hangup(self) -> None:
        """The file is opened again in the reactor, not in the handler."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        reopen_on_hangup(self.reactor, self.file)
        os.rename(self.path, self.path + ".old")
        os.kill(os.getpid(), signal.SIGHUP)
        self.assertFalse(os.path.exists(self.path))
        [action] = self.later
        action()
        self.assertTrue(os.path.exists(self.path))

    def test_new_file(self) -> None:
        """SIGUSR1 begins a new file, as twistd does."""
        reopen_on_hangup(self.reactor, self.file)
        self.file.write("one\n")
        os.kill(os.getpid(), signal.SIGUSR1)
        [action] = self.later
        action()
        self.assertEqual(self.read("x.log.1"), "one\n")

    def test_others(self) -> None:
        """A signal that something handles stays with it."""
        seen: list[int] = []
        signal.signal(signal.SIGHUP, lambda number, _: seen.append(number))
        reopen_on_hangup(self.reactor, self.file)
        os.kill(os.getpid(), signal.SIGHUP)
        self.assertEqual((seen, self.later), ([signal.SIGHUP], []))
