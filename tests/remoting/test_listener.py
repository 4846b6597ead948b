"""Tests of :mod:`rocketmq_tw.remoting.listener`."""

from __future__ import annotations

import errno
import sys
from typing import Any
from unittest import mock

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting import listener as listener_module
from rocketmq_tw.remoting.listener import CannotListen, Listener, PortTaken, Program


class RefusingReactor(MemoryReactorClock):  # type: ignore[misc]
    """A reactor whose ports fail with the error it is made with."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.stopped = 0

    def listenTCP(self, port: int, factory: Any, *rest: Any, **more: Any) -> Any:  # noqa: N802
        """Fail as the system would."""
        raise CannotListenError("", port, OSError(self.number, "no"))

    def stop(self) -> None:
        """Count."""
        self.stopped += 1


class Child(Service):
    """A service that starts as its Deferred tells."""

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

    def test_stops(self) -> None:
        """The port is closed with the service."""
        listener = Listener(MemoryReactorClock())
        self.successResultOf(listener.start("tcp:9876", Factory()))
        listener.startService()
        self.successResultOf(listener.stopService())
        self.assertIsNone(listener.address)

    def test_taken(self) -> None:
        """A taken port is named in words."""
        listener = Listener(RefusingReactor(errno.EADDRINUSE))
        failure = self.failureResultOf(listener.start("tcp:9876", Factory()), PortTaken)
        self.assertEqual(
            str(failure.value), "port 9876 is taken: another program listens there"
        )

    def test_not_allowed(self) -> None:
        """Other reasons are the system's."""
        listener = Listener(RefusingReactor(errno.EACCES))
        started = listener.start(r"tcp:80:interface=\:\:1", Factory())
        failure = self.failureResultOf(started, CannotListen)
        self.assertEqual(
            str(failure.value), "cannot listen on port 80 of ::1: Permission denied"
        )

    def test_bad_endpoint(self) -> None:
        """What is no endpoint string fails too."""
        started = Listener(MemoryReactorClock()).start("teapot:1", Factory())
        failure = self.failureResultOf(started, CannotListen)
        self.assertIn("cannot listen on teapot:1: ", str(failure.value))


class ProgramTests(SynchronousTestCase):
    """A program whose service cannot start ends."""

    def setUp(self) -> None:
        """Keep the hook of the process as it was."""
        self.addCleanup(setattr, sys, "excepthook", sys.excepthook)

    def test_fails_at_once(self) -> None:
        """What has failed when the service is started is raised."""
        program = Program(MemoryReactorClock(), Child(fail(PortTaken("tcp:1", "why"))))
        self.assertRaises(PortTaken, program.startService)

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
        self.assertIn(mock.call("port 1 is taken: why"), errors.write.mock_calls)

    def test_starts(self) -> None:
        """Nothing happens where all start."""
        reactor = RefusingReactor(0)
        started: Deferred[None] = Deferred()
        Program(reactor, Child(started)).startService()
        started.callback(None)
        self.assertEqual(reactor.stopped, 0)
