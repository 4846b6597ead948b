"""
Listening ports, and the end of a program that cannot have its port.

``twistd`` shows a traceback for a service that fails to start. For one whose endpoint
fails later (``StreamServerEndpointService``) it writes a line to the log and goes on
without a port. Here a taken port ends the program at once: one sentence on standard
error, exit code 1, the same in the foreground and as a daemon.

A daemon is a second process, of which ``twistd`` shows the shell no more than the first
100 bytes of an error, as a ``repr``. So what usually goes wrong is checked before the
program becomes a daemon (:mod:`rocketmq_tw.remoting.preflight`); for the rest,
:class:`Program` keeps the shell's standard error until it is started.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.addresses import EndpointString


class CannotListen(RocketMQError):
    """
    A port could not be opened.

    :param endpoint: the endpoint string, e.g. ``tcp:9876``.
    :param why: the system's reason.
    """

    def __init__(self, endpoint: str, why: str) -> None:
        super().__init__(endpoint, why)
        self.endpoint = endpoint
        self.why = why

    def __str__(self) -> str:
        return f"cannot listen on {_described(self.endpoint)}: {self.why}"


class PortTaken(CannotListen):
    """Another program listens on the port."""

    def __str__(self) -> str:
        return f"{_described(self.endpoint)} is taken: {self.why}"


class NameUnresolved(CannotListen):
    """The host name to listen on has no address."""


class Listener(Service):
    """
    One port. It is opened on request, since opening may have to wait for a recovery,
    and closed with the service; connections stay, for their factory to close.

    :param reactor: what the endpoint is made for.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._port: IListeningPort | None = None

    @property
    def address(self) -> IAddress | None:
        """Where it listens; None while it does not."""
        return None if self._port is None else self._port.getHost()

    def start(self, endpoint: str, factory: IProtocolFactory) -> Deferred[None]:
        """
        Listen. What :meth:`take` says holds here too.

        :returns: fires when connections are accepted.
        """
        return self.take(endpoint, factory).addCallback(lambda _: self.accept())

    def take(self, endpoint: str, factory: IProtocolFactory) -> Deferred[None]:
        """
        Take the port, so that nobody else can; who connects waits for :meth:`accept`.

        :param endpoint: an endpoint string, e.g. ``tcp:9876:interface=127.0.0.1``.
        :returns: fires when the port is ours, for TCP and UNIX sockets at once. Fails
            with :class:`PortTaken`, :class:`NameUnresolved` or :class:`CannotListen`.
        """

        def listen() -> Any:
            return serverFromString(self._reactor, endpoint).listen(factory)

        def taken(port: IListeningPort) -> None:
            self._port = port
            _call_if_there(port, "stopReading")

        opened: Deferred[Any] = maybeDeferred(listen)
        opened.addCallbacks(taken, lambda failure: _explained(endpoint, failure))
        return opened

    def accept(self) -> None:
        """Accept connections, also those that waited."""
        if self._port is not None:
            _call_if_there(self._port, "startReading")

    def stopService(self) -> Deferred[None]:
        """Close the port; fires when it is free again."""
        super().stopService()
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        stop: Any = port.stopListening
        closed: Deferred[None] = maybeDeferred(stop)
        return closed


class Program(MultiService):
    """
    The top of a program's services: it ends the program if one of them cannot start.

    A child that takes its time has an attribute ``started``, a Deferred it makes in
    ``startService``; the failure in it is the reason.

    :param reactor: stopped if starting fails after it began to run.
    """

    _log = Logger()

    def __init__(self, reactor: Any, *services: IService) -> None:
        super().__init__()
        self._reactor = reactor
        # None once all children are started, and where there is no standard error.
        self._shell: int | None = _copy_of_stderr()
        # Children that have neither started nor failed.
        self._starting = 0
        for service in services:
            service.setServiceParent(self)

    def startService(self) -> None:
        """
        Start all.

        :raises RocketMQError: one failed at once. ``twistd`` passes it to the waiting
            parent of a daemon, removes its pid file and exits.
        """
        super().startService()
        children = [getattr(service, "started", None) for service in self]
        waiting = [each for each in children if isinstance(each, Deferred)]
        self._starting = len(waiting)
        for started in waiting:
            self._watch(started)
        if not self._starting:
            self._close_shell()

    def _watch(self, started: Deferred[Any]) -> None:
        """Raise what failed already; end the program on what fails later."""
        failed: list[Any] = []
        started.addErrback(failed.append)
        if failed:
            self._log.critical("{why}", why=failed[0].getErrorMessage())
            self._print_to_shell(failed[0].value)
            self._close_shell()
            with ends_in_a_sentence():
                raise failed[0].value
        started.addCallback(
            lambda _: self._end(failed[0]) if failed else self._one_started()
        )

    def _one_started(self) -> None:
        """Note that a child needs no more time."""
        self._starting -= 1
        if not self._starting:
            self._close_shell()

    def _end(self, failure: Failure) -> None:
        """Stop the reactor, so that all is closed in order, and exit with code 1."""
        self._print_to_shell(failure.value)
        self._close_shell()
        if not failure.check(RocketMQError):
            self._log.failure("the program could not start", failure)
        self._log.critical("{why}; the program ends", why=failure.getErrorMessage())
        _print(failure.value)
        # twistd has no exit code of its own; this runs when it has tidied up.
        atexit.register(_exit_with_failure)
        self._reactor.stop()

    def _print_to_shell(self, error: BaseException | None) -> None:
        """Write the sentence where a daemon was started from."""
        if self._shell is None or not isinstance(error, RocketMQError):
            return
        with contextlib.suppress(OSError):
            # In the foreground it is the same, and the hook prints the sentence there.
            if not os.path.sameopenfile(self._shell, _STDERR):
                os.write(self._shell, f"{error}\n".encode())

    def _close_shell(self) -> None:
        """Keep nothing open of the shell that a daemon was started from."""
        if self._shell is not None:
            os.close(self._shell)
        self._shell = None


_STDERR = 2


@contextlib.contextmanager
def ends_in_a_sentence() -> Iterator[None]:
    """Let an error of ours that leaves here, and ends the program, print no more."""
    try:
        yield
    except RocketMQError:
        sys.excepthook = _print_sentence
        raise


def _copy_of_stderr() -> int | None:
    """Duplicate the descriptor of standard error, which a daemon loses."""
    try:
        return os.dup(_STDERR)
    except OSError:
        return None


def _call_if_there(port: IListeningPort, name: str) -> None:
    """Start or stop accepting; ports in memory cannot, and need not."""
    method = getattr(port, name, None)
    if method is not None:
        method()


def _explained(endpoint: str, failure: Failure) -> Failure:
    """Turn the reasons a port cannot be opened into ours."""
    error = failure.value
    if isinstance(error, CannotListenError):
        return Failure(cannot_listen(endpoint, error.socketError))
    if failure.check(ValueError, TypeError, OSError):
        return Failure(CannotListen(endpoint, str(error)))
    return failure


def cannot_listen(endpoint: str, error: object) -> CannotListen:
    """Make the error that says in words why a socket could not be bound."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        why = error.strerror or str(error)
        return NameUnresolved(endpoint, f"the name does not resolve: {why}")
    if number == errno.EADDRINUSE:
        return PortTaken(endpoint, "another program listens there")
    return CannotListen(endpoint, os.strerror(number) if number else str(error))


def _described(endpoint: str) -> str:
    """Name an endpoint for people: ``port 9876`` rather than ``tcp:9876``."""
    parts = EndpointString.parse(endpoint)
    try:
        port = parts.port
    except ValueError:
        return endpoint
    host = parts.single_interface
    return f"port {port} of {host}" if host else f"port {port}"


def _print(error: BaseException | None) -> None:
    """Write one sentence to the real standard error; a daemon has none."""
    if sys.__stderr__ is not None:
        print(error, file=sys.__stderr__, flush=True)


def _print_sentence(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a sentence for what was foreseen, else a traceback as Python does."""
    if isinstance(error, RocketMQError):
        _print(error)
    else:
        sys.__excepthook__(kind, error, trace)


def _exit_with_failure() -> None:
    """Leave with code 1; nothing else can set it once the interpreter ends."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os._exit(1)
