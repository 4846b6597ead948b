"""Tests of :mod:`rocketmq_tw.remoting.listener`."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting import listener as listener_module
from rocketmq_tw.remoting.accepting import PacedAccepts
from rocketmq_tw.remoting.closing import MANY, Closings
from rocketmq_tw.remoting.listen_errors import CannotListen, NameUnresolved, PortTaken
from rocketmq_tw.remoting.listener import Listener, Program, ends_in_a_sentence


class RefusingReactor(MemoryReactorClock):  # type: ignore[misc]
    """A reactor whose ports fail with the error it is made with."""

    def __init__(self, number: int, kind: type[OSError] = OSError) -> None:
        super().__init__()
        self.error = kind(number, "no")
        self.stopped = 0

    def listenTCP(self, port: int, factory: Any, *rest: Any, **more: Any) -> Any:  # noqa: N802
        """Fail as the system would."""
        raise CannotListenError("", port, self.error)

    def stop(self) -> None:
        """Count."""
        self.stopped += 1


class Child(Service):
    """A service that has started when its Deferred fires."""

    def __init__(self, started: Deferred[None]) -> None:
        self.started = started


class ListenerTests(SynchronousTestCase):
    """Ports are opened on demand, and failures say what is wrong."""

    def test_listens(self) -> None:
        """The endpoint's port is opened."""
        reactor = MemoryReactorClock()
        listener = Listener(reactor)
        self.assertIsNone(listener.address)
        self.successResultOf(listener.start("tcp:9876", Factory()))
        self.assertEqual([call[0] for call in reactor.tcpServers], [9876])
        self.assertIsNotNone(listener.address)

    def test_backlog(self) -> None:
        """1,024 connections may wait, unless the endpoint string says otherwise."""
        reactor = MemoryReactorClock()
        for endpoint in (
            "tcp:9876",
            "tcp:9876:backlog=5",
            "tcp:9876:127.0.0.1:6",
            "tcp6:9876:7",
        ):
            self.successResultOf(Listener(reactor).start(endpoint, Factory()))
        self.assertEqual([call[2] for call in reactor.tcpServers], [1024, 5, 6, 7])

    def test_stops(self) -> None:
        """The port is closed with the service."""
        listener = Listener(MemoryReactorClock())
        self.successResultOf(listener.start("tcp:9876", Factory()))
        listener.startService()
        self.successResultOf(listener.stopService())
        self.assertIsNone(listener.address)

    def test_takes_before_it_accepts(self) -> None:
        """A port that is taken reads nothing until it accepts."""
        reactor = MemoryReactorClock()
        done: list[str] = []
        port = SimpleNamespace(
            getHost=lambda: None,
            stopReading=lambda: done.append("stop"),
            startReading=lambda: done.append("start"),
        )
        self.patch(reactor, "listenTCP", lambda *args, **more: port)
        listener = Listener(reactor)
        listener.accept()
        self.successResultOf(listener.take("tcp:9876", Factory()))
        self.assertEqual(done, ["stop"])
        listener.accept()
        self.assertEqual(done, ["stop", "start"])

    def test_paced(self) -> None:
        """Connections are accepted and closed in turns; many closing ones stop it."""
        reactor = MemoryReactorClock()
        done: list[str] = []
        port = SimpleNamespace(
            factory=Factory(),
            transport=Server,
            numberAccepts=100,
            stopReading=lambda: done.append("stop"),
            startReading=lambda: done.append("start"),
        )
        self.patch(reactor, "listenTCP", lambda *args, **more: port)
        listener = Listener(reactor)
        self.successResultOf(listener.start("tcp:9876", Factory()))
        self.assertIsInstance(port.factory, PacedAccepts)
        closings: Closings = port.transport.args[0]
        done.clear()
        for _ in range(MANY):
            closings.add(lambda: None)
        self.assertEqual(done, ["stop"])
        reactor.pump([0.0] * 3)
        self.assertEqual(done, ["stop", "start"])

    def test_stops_before_it_listens(self) -> None:
        """One that never opened its port has nothing to close."""
        listener = Listener(MemoryReactorClock())
        listener.startService()
        self.successResultOf(listener.stopService())
        self.assertFalse(listener.running)

    def test_taken(self) -> None:
        """A taken port is named in words."""
        listener = Listener(RefusingReactor(errno.EADDRINUSE))
        failure = self.failureResultOf(listener.start("tcp:9876", Factory()), PortTaken)
        self.assertEqual(
            str(failure.value), "port 9876 is in use: another program listens there"
        )

    def test_not_allowed(self) -> None:
        """Other reasons are the system's."""
        listener = Listener(RefusingReactor(errno.EACCES))
        started = listener.start(r"tcp:80:interface=\:\:1", Factory())
        failure = self.failureResultOf(started, CannotListen)
        self.assertEqual(
            str(failure.value), "cannot listen on port 80 of ::1: Permission denied"
        )

    def test_unresolved(self) -> None:
        """A name without an address is no unknown error."""
        reactor = RefusingReactor(socket.EAI_NONAME, socket.gaierror)
        started = Listener(reactor).start("tcp:80:interface=foo.example", Factory())
        failure = self.failureResultOf(started, NameUnresolved)
        self.assertEqual(
            str(failure.value),
            "cannot listen on port 80 of foo.example: the name does not resolve: no",
        )

    def test_bad_endpoint(self) -> None:
        """What is no endpoint string fails too."""
        started = Listener(MemoryReactorClock()).start("teapot:1", Factory())
        failure = self.failureResultOf(started, CannotListen)
        self.assertIn("cannot listen on teapot:1: ", str(failure.value))

    def test_unforeseen(self) -> None:
        """What nobody foresaw stays what it is, for the log to have all of it."""
        reactor = RefusingReactor(0)

        def listen(*args: Any, **more: Any) -> None:
            raise KeyError

        self.patch(reactor, "listenTCP", listen)
        started = Listener(reactor).start("tcp:9876", Factory())
        self.failureResultOf(started, KeyError)


class ProgramTests(SynchronousTestCase):
    """A program whose service cannot start ends."""

    def setUp(self) -> None:
        """Keep the hook of the process as it was."""
        self.addCleanup(setattr, sys, "excepthook", sys.excepthook)

    def test_fails_at_once(self) -> None:
        """What has failed when the service is started is raised."""
        program = Program(MemoryReactorClock(), Child(fail(PortTaken("tcp:1", "why"))))
        with capturedLogs() as events:
            self.assertRaises(PortTaken, program.startService)
        [event] = events
        self.assertEqual(formatEvent(event), "port 1 is in use: why")
        self.assertIs(event["log_level"], LogLevel.critical)

    def test_sentence(self) -> None:
        """An error of ours that ends the program prints its sentence, others all."""
        with contextlib.suppress(PortTaken), ends_in_a_sentence():
            raise PortTaken("tcp:1", "why")
        for error, text in (
            (PortTaken("tcp:1", "why"), "port 1 is in use: why\n"),
            (KeyError("x"), "KeyError: 'x'\n"),
        ):
            with mock.patch.object(sys, "__stderr__", io.StringIO()) as errors:
                with mock.patch.object(sys, "stderr", errors):
                    sys.excepthook(type(error), error, None)
            self.assertEqual(errors.getvalue(), text)

    def daemon(self, *started: Deferred[None]) -> tuple[Program, int]:
        """Make a program as a shell starts it; give what reads the shell's errors."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        shell = os.dup(2)
        os.dup2(writing, 2)
        try:
            program = Program(RefusingReactor(0), *map(Child, started))
        finally:
            os.dup2(shell, 2)
            os.close(shell)
            os.close(writing)
        return program, reading

    def test_sentence_for_the_shell(self) -> None:
        """A daemon's sentence goes where the program was started from, whole."""
        program, reading = self.daemon(fail(PortTaken("tcp:1", "w" * 200)))
        self.assertRaises(PortTaken, program.startService)
        expected = f"port 1 is in use: {'w' * 200}\n".encode()
        self.assertEqual(os.read(reading, 1000), expected)
        # Nothing holds it any more: whoever reads it sees the end.
        self.assertEqual(os.read(reading, 1000), b"")

    def test_sentence_of_a_later_failure(self) -> None:
        """So it does when a child fails after some time."""
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        program, reading = self.daemon(first, second)
        program.startService()
        first.callback(None)
        with (
            mock.patch.object(listener_module.atexit, "register"),
            mock.patch.object(sys, "__stderr__", None),
        ):
            second.errback(PortTaken("tcp:1", "why"))
        self.assertEqual(os.read(reading, 1000), b"port 1 is in use: why\n")
        self.assertEqual(os.read(reading, 1000), b"")

    def test_nothing_for_the_shell(self) -> None:
        """A program that is started holds nothing of the shell."""
        for started in ([], [succeed(None)], [succeed(None), succeed(None)]):
            program, reading = self.daemon(*started)
            program.startService()
            self.assertEqual(os.read(reading, 1000), b"")

    def test_fails_later(self) -> None:
        """A later failure stops the reactor and sets the exit code."""
        reactor = RefusingReactor(0)
        started: Deferred[None] = Deferred()
        Program(reactor, Child(started)).startService()
        with (
            mock.patch.object(listener_module.atexit, "register") as register,
            mock.patch.object(sys, "__stderr__") as errors,
        ):
            started.errback(PortTaken("tcp:1", "why"))
        self.assertEqual(reactor.stopped, 1)
        self.assertEqual(register.call_count, 1)
        self.assertIn(mock.call("port 1 is in use: why"), errors.write.mock_calls)

    def test_two_fail_later(self) -> None:
        """Both say why; the reactor is stopped once, as it refuses the second time."""
        reactor = RefusingReactor(0)
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        Program(reactor, Child(first), Child(second)).startService()
        with (
            mock.patch.object(listener_module.atexit, "register"),
            mock.patch.object(sys, "__stderr__") as errors,
        ):
            for port, started in ((1, first), (2, second)):
                started.errback(PortTaken(f"tcp:{port}", "why"))
        self.assertEqual(reactor.stopped, 1)
        for port in (1, 2):
            said = mock.call(f"port {port} is in use: why")
            self.assertIn(said, errors.write.mock_calls)

    def test_starts(self) -> None:
        """Nothing happens where all start, those that take no time among them."""
        reactor = RefusingReactor(0)
        started: Deferred[None] = Deferred()
        child, other = Child(started), Service()
        Program(reactor, child, other).startService()
        self.assertTrue(child.running and other.running)
        started.callback(None)
        self.assertEqual(reactor.stopped, 0)
