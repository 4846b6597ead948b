"""
Listening ports, and the end of a program that cannot have its port.

``twistd`` answers a service that fails to start with a traceback, and one whose
endpoint fails later (``StreamServerEndpointService``) with a line in the log, after
which it runs on in silence. Here a taken port ends the program at once: one sentence on
standard error, exit code 1, the same in the foreground and as a daemon.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys
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
        return f"cannot listen on {_spoken(self.endpoint)}: {self.why}"


class PortTaken(CannotListen):
    """Another program listens on the port."""

    def __str__(self) -> str:
        return f"{_spoken(self.endpoint)} is taken: {self.why}"


class Listener(Service):
    """
    One port. It is opened when asked, since opening may have to wait for a recovery,
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
            with :class:`PortTaken` or :class:`CannotListen`.
        """

        def listen() -> Any:
            return serverFromString(self._reactor, endpoint).listen(factory)

        def taken(port: IListeningPort) -> None:
            self._port = port
            _reading(port, "stopReading")

        opened: Deferred[Any] = maybeDeferred(listen)
        opened.addCallbacks(taken, lambda failure: _in_words(endpoint, failure))
        return opened

    def accept(self) -> None:
        """Accept connections, also those that waited."""
        if self._port is not None:
            _reading(self._port, "startReading")

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
        for service in services:
            service.setServiceParent(self)

    def startService(self) -> None:
        """
        Start all.

        :raises RocketMQError: one failed at once. ``twistd`` tells the waiting parent
            of a daemon, removes its pid file and exits.
        """
        super().startService()
        for service in self:
            started = getattr(service, "started", None)
            if isinstance(started, Deferred):
                self._watch(started)

    def _watch(self, started: Deferred[Any]) -> None:
        """Raise what failed already; end the program on what fails later."""
        failed: list[Any] = []
        started.addErrback(failed.append)
        if failed:
            self._log.critical("{why}", why=failed[0].getErrorMessage())
            sys.excepthook = _say_only
            raise failed[0].value
        started.addCallback(lambda _: self._end(failed[0]) if failed else None)

    def _end(self, failure: Failure) -> None:
        """Stop the reactor, so that all is closed in order, and exit with code 1."""
        if not failure.check(RocketMQError):
            self._log.failure("the program could not start", failure)
        self._log.critical("{why}; the program ends", why=failure.getErrorMessage())
        _say(failure.value)
        # twistd has no exit code of its own; this runs when it has tidied up.
        atexit.register(_exit_with_failure)
        self._reactor.stop()


def _reading(port: IListeningPort, what: str) -> None:
    """Start or stop accepting; ports in memory cannot, and need not."""
    method = getattr(port, what, None)
    if method is not None:
        method()


def _in_words(endpoint: str, failure: Failure) -> Failure:
    """Turn the reasons a port cannot be opened into ours."""
    error = failure.value
    if isinstance(error, CannotListenError):
        number = getattr(error.socketError, "errno", None)
        if number == errno.EADDRINUSE:
            return Failure(PortTaken(endpoint, "another program listens there"))
        why = os.strerror(number) if number else str(error.socketError)
        return Failure(CannotListen(endpoint, why))
    if failure.check(ValueError, TypeError, OSError):
        return Failure(CannotListen(endpoint, str(error)))
    return failure


def _spoken(endpoint: str) -> str:
    """Name an endpoint for people: ``port 9876`` rather than ``tcp:9876``."""
    kind, _, rest = endpoint.partition(":")
    port, _, more = rest.partition(":")
    if kind != "tcp" or not port.isdigit():
        return endpoint
    host = more.removeprefix("interface=").replace("\\:", ":")
    return f"port {port} of {host}" if host and "=" not in host else f"port {port}"


def _say(error: BaseException | None) -> None:
    """Write one sentence to the real standard error; a daemon has none."""
    if sys.__stderr__ is not None:
        print(error, file=sys.__stderr__, flush=True)


def _say_only(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say what went wrong in a sentence where it was foreseen, else as Python does."""
    if isinstance(error, RocketMQError):
        _say(error)
    else:
        sys.__excepthook__(kind, error, trace)


def _exit_with_failure() -> None:
    """Leave with code 1; nothing else can set it once the interpreter ends."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os._exit(1)
