"""
Listening ports, and how a program ends if it cannot open its port.

``twistd`` shows a traceback if a service fails to start. For an endpoint that fails
later (``StreamServerEndpointService``) it only logs a line and keeps running without a
port. Here a port in use ends the program at once: one sentence on standard error and
exit code 1, in the foreground and as a daemon.

A daemon is a second process, and ``twistd`` shows the shell only the first 100 bytes of
its error, as a ``repr``. Therefore the usual problems are checked before the program
becomes a daemon (:mod:`rocketmq_tw.remoting.preflight`). For all others,
:class:`Program` keeps the shell's standard error open until it has started.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.accepting import accept_in_turn
from rocketmq_tw.remoting.addresses import EndpointString
from rocketmq_tw.remoting.closing import Closings, close_in_turn
from rocketmq_tw.remoting.descriptors import grow_table
from rocketmq_tw.remoting.listen_errors import CannotListen, cannot_listen
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.tls import ServerSide

if TYPE_CHECKING:
    from rocketmq_tw.remoting.readiness import Readiness

#: How many connections may wait to be accepted, where the endpoint does not say; as
#: with Apache RocketMQ. The system may allow fewer.
BACKLOG = 1024


class Listener(Service):
    """
    One port. It is opened on request, since a recovery may have to come first, and
    closed with the service. Connections stay open; their factory closes them.

    :param reactor: makes the endpoint.
    :param tls: accepts TLS on the port; None does not.
    :param peers: logs whom a port behind a proxy refuses; None makes one.
    """

    def __init__(
        self,
        reactor: Any,
        tls: ServerSide | None = None,
        peers: PeerLog | None = None,
    ) -> None:
        self._reactor = reactor
        self._peers = peers or PeerLog(reactor)
        self._tls = tls
        self._port: IListeningPort | None = None
        self._closings = Closings(
            reactor, on_many=self._pause_accepting, on_none=self.accept
        )

    @property
    def address(self) -> IAddress | None:
        """The address it listens on; None while it does not."""
        return None if self._port is None else self._port.getHost()

    def start(self, endpoint: str, factory: IProtocolFactory) -> Deferred[None]:
        """
        Open the port and accept connections; see :meth:`take`.

        :returns: fires when connections are accepted.
        """
        return self.take(endpoint, factory).addCallback(lambda _: self.accept())

    def take(self, endpoint: str, factory: IProtocolFactory) -> Deferred[None]:
        """
        Open the port, so that no other program can; connections wait for
        :meth:`accept`.

        :param endpoint: an endpoint string, e.g. ``tcp:9876:interface=127.0.0.1``.
        :returns: fires when the port is open, for TCP and UNIX sockets at once. Fails
            with :class:`PortTaken`, :class:`NameUnresolved` or :class:`CannotListen`.
        """

        def listen() -> Any:
            parts = EndpointString.parse(endpoint).with_backlog(BACKLOG)
            made = factory if self._tls is None else self._tls.around(factory)
            if parts.is_proxied:
                from rocketmq_tw.remoting.proxied import ProxiedFactory

                made = ProxiedFactory(made, self._reactor, self._peers)
            described = str(parts.without_proxy())
            return serverFromString(self._reactor, described).listen(made)

        def taken(port: IListeningPort) -> None:
            self._port = port
            _call_if_there(port, "stopReading")
            accept_in_turn(port)
            close_in_turn(port, self._closings)

        opened: Deferred[Any] = maybeDeferred(listen)
        opened.addCallbacks(taken, lambda failure: _explained(endpoint, failure))
        return opened

    def accept(self) -> None:
        """Accept connections, including those that wait."""
        if self._port is not None:
            _call_if_there(self._port, "startReading")

    def _pause_accepting(self) -> None:
        """Accept no connections until :meth:`accept`."""
        if self._port is not None:
            _call_if_there(self._port, "stopReading")

    def stopService(self) -> Deferred[None]:
        """Close the port; fires when it is free."""
        super().stopService()
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        stop: Any = port.stopListening
        closed: Deferred[None] = maybeDeferred(stop)
        return closed


def ignore_hangup() -> None:
    """
    Let SIGHUP do nothing, unless something handles it.

    Many tools send it to programs whose log they have rotated; by default it would kill
    this one.
    """
    with contextlib.suppress(ValueError):  # another thread than the main one
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Program(MultiService):
    """
    The top of a program's services: ends the program if one of them cannot start.

    A child whose start takes time has an attribute ``started``, a Deferred that it
    creates in ``startService``; a failure there is the reason.

    :param reactor: stopped if a start fails after the reactor has started.
    :param logs: gives the application its log, before it begins; None leaves that to
        ``twistd``.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        *services: IService,
        logs: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__()
        ignore_hangup()
        self._logs = logs
        self._readiness = _readiness(reactor)
        self._reactor = reactor
        # None after all children have started, or if there is no standard error.
        self._shell: int | None = _copy_of_stderr()
        # Number of children that have neither started nor failed.
        self._starting = 0
        self._is_ending = False
        for service in services:
            service.setServiceParent(self)

    def setServiceParent(self, parent: Any) -> None:
        """Become part of an application, which gets its log then."""
        if self._logs is not None and hasattr(parent, "setComponent"):
            self._logs(parent)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """
        Start all children.

        :raises RocketMQError: one failed at once. ``twistd`` passes it to the waiting
            parent of a daemon, removes its pid file and exits.
        """
        grow_table()
        super().startService()
        children = [getattr(service, "started", None) for service in self]
        waiting = [each for each in children if isinstance(each, Deferred)]
        self._starting = len(waiting)
        for started in waiting:
            self._watch(started)
        if not waiting:
            self._all_started()

    def stopService(self) -> Any:
        """Stop all children; fires when they have stopped."""
        if self._readiness is None:
            return super().stopService()
        self._readiness.stopping()
        stopped = maybeDeferred(super().stopService)
        return stopped.addBoth(self._no_longer_ready)

    def _no_longer_ready(self, result: Any) -> Any:
        """Report no more to the service manager."""
        if self._readiness is not None:
            self._readiness.stop()
        return result

    def _all_started(self) -> None:
        """Leave the shell alone, and report to the service manager."""
        self._close_shell()
        if self._readiness is not None and not self._is_ending:
            self._readiness.ready()

    def _watch(self, started: Deferred[Any]) -> None:
        """Raise a failure that exists already; end the program on a later one."""
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
        """Count a child that has started."""
        self._starting -= 1
        if not self._starting:
            self._all_started()

    def _end(self, failure: Failure) -> None:
        """
        Stop the reactor, so that everything is closed in order; then exit with code 1.
        """
        self._print_to_shell(failure.value)
        self._close_shell()
        if not failure.check(RocketMQError):
            self._log.failure("the program could not start", failure)
        self._log.critical("{why}; the program ends", why=failure.getErrorMessage())
        _print(failure.value)
        if self._is_ending:
            return
        self._is_ending = True
        # twistd cannot set the exit code; this runs after it has cleaned up.
        atexit.register(_exit_with_failure)
        self._reactor.stop()

    def _print_to_shell(self, error: BaseException | None) -> None:
        """Write the sentence to the shell from which a daemon was started."""
        if self._shell is None or not isinstance(error, RocketMQError):
            return
        with contextlib.suppress(OSError):
            # In the foreground both are the same, and the exception hook prints the
            # sentence.
            if not os.path.sameopenfile(self._shell, _STDERR):
                os.write(self._shell, f"{error}\n".encode())

    def _close_shell(self) -> None:
        """Close the copy of the shell's standard error."""
        if self._shell is not None:
            os.close(self._shell)
        self._shell = None


_STDERR = 2


def _readiness(reactor: Any) -> Readiness | None:
    """Return what reports to a service manager; None if there is none."""
    if "NOTIFY_SOCKET" not in os.environ:
        return None
    from rocketmq_tw.remoting.readiness import Readiness

    return Readiness(reactor, os.environ)


@contextlib.contextmanager
def ends_in_a_sentence() -> Iterator[None]:
    """Print only the sentence of a RocketMQError that ends the program."""
    try:
        yield
    except RocketMQError:
        sys.excepthook = _print_sentence
        raise


def _copy_of_stderr() -> int | None:
    """Duplicate the descriptor of standard error, which a daemon closes."""
    try:
        return os.dup(_STDERR)
    except OSError:
        return None


def _call_if_there(port: IListeningPort, name: str) -> None:
    """Call a method that starts or stops accepting, if the port has it."""
    method = getattr(port, name, None)
    if method is not None:
        method()


def _explained(endpoint: str, failure: Failure) -> Failure:
    """Convert the errors of opening a port into CannotListen."""
    error = failure.value
    if isinstance(error, CannotListenError):
        return Failure(cannot_listen(endpoint, error.socketError))
    if failure.check(ValueError, TypeError, OSError):
        return Failure(CannotListen(endpoint, str(error)))
    return failure


def _print(error: BaseException | None) -> None:
    """Write a sentence to the real standard error; a daemon has none."""
    if sys.__stderr__ is not None:
        print(error, file=sys.__stderr__, flush=True)


def _print_sentence(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the sentence of a RocketMQError, or the usual traceback."""
    if isinstance(error, RocketMQError):
        _print(error)
    else:
        sys.__excepthook__(kind, error, trace)


def _exit_with_failure() -> None:
    """Exit with code 1; nothing else can set the code while the interpreter exits."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os._exit(1)
