"""
Runs a command in the reactor, and turns its errors into exit codes.

=====  ================================================================
code   meaning
=====  ================================================================
0      done
1      what is named does not exist, a server refused, a fault was found
2      the command line is wrong
3      no server could be reached
4      done in part: some servers failed
130    interrupted
141    who reads the output has closed it
=====  ================================================================
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import click

from rocketmq_tw.admin.cli.options import Target

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rocketmq_tw.admin.client import AdminClient

OK, REFUSED, USAGE, UNREACHABLE, IN_PART, INTERRUPTED = 0, 1, 2, 3, 4, 130
CLOSED_PIPE = 141
#: Seconds in which connections are closed when a command is interrupted.
_CLOSING = 2.0

#: What a command does; it returns the exit code.
Work = Callable[["AdminClient"], Awaitable[int]]


class Runner(Protocol):
    """Runs the work of a command; tests have one for a cluster in memory."""

    def __call__(self, target: Target, work: Work) -> int:
        """Run it, and return the exit code; errors are raised."""


def run_in_reactor(target: Target, work: Work) -> int:
    """
    Run the reactor until the work is done, or until a signal interrupts it.

    :raises RocketMQError: the work failed.
    """
    from rocketmq_tw.remoting.transports import import_transports

    import_transports(with_tls=target.tls is not None)
    from twisted.internet.defer import Deferred
    from twisted.internet.task import react

    from rocketmq_tw.clock import use_monotonic_time

    codes: list[int] = []
    errors: list[BaseException] = []
    interrupted: list[int] = []

    async def run(reactor: Any) -> None:
        try:
            codes.append(await _with_client(reactor, target, work))
        except BaseException as error:
            errors.append(error)

    def start(reactor: Any) -> Deferred[None]:
        use_monotonic_time(reactor)
        running = Deferred.fromCoroutine(run(reactor))

        def interrupt() -> Deferred[object] | None:
            if running.called:
                return None
            interrupted.append(INTERRUPTED)
            return _cancel(reactor, running)

        # Otherwise connections would be lost first, and reported as errors.
        reactor.addSystemEventTrigger("before", "shutdown", interrupt)
        return running

    try:
        react(start)
    except SystemExit:
        pass  # the exit code is that of the command, not of the reactor
    if interrupted:
        return INTERRUPTED
    if errors:
        raise errors[0]
    return codes[0]


async def _with_client(reactor: Any, target: Target, work: Work) -> int:
    """Do the work with a client of its own."""
    from rocketmq_tw.admin.client import AdminClient

    admin = AdminClient(
        reactor,
        target.name_servers,
        credentials=target.credentials,
        tls=target.tls,
        timeout=target.timeout,
    )
    try:
        return await work(admin)
    finally:
        await admin.stop()


def _cancel(reactor: Any, running: Deferred[None]) -> Deferred[object]:
    """Cancel the work; fires when its connections are closed, or after a while."""
    from twisted.internet.defer import Deferred

    ended: Deferred[object] = Deferred()
    running.addBoth(ended.callback)
    running.cancel()
    return ended.addTimeout(_CLOSING, reactor, lambda *_: None)


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error; None if it is a mistake of ours."""
    from rocketmq_tw.admin.errors import NothingResponded, is_bad_input
    from rocketmq_tw.auth.errors import BadPolicy
    from rocketmq_tw.client.errors import NameServerUnavailable, SendError
    from rocketmq_tw.model.errors import RocketMQError
    from rocketmq_tw.remoting.errors import TransportError

    if isinstance(error, NothingResponded | NameServerUnavailable | TransportError):
        return UNREACHABLE
    if isinstance(error, SendError):
        refused = error.attempts and not isinstance(error.__cause__, TransportError)
        return REFUSED if refused else UNREACHABLE
    if is_bad_input(error) or isinstance(error, BadPolicy):
        return USAGE
    if isinstance(error, RocketMQError):
        return REFUSED
    return None


def explain(error: Exception) -> str:
    """Return why a command failed, in one line that is safe on a terminal."""
    from rocketmq_tw.admin.texts import sentence
    from rocketmq_tw.model.log_safe import log_safe
    from rocketmq_tw.remoting.errors import BrokerError

    if isinstance(error, BrokerError):
        return f"{log_safe(error.address)}: {sentence(error)}"
    return log_safe(" ".join(str(error).split()), 1000)


def is_terminal(stream: Any = None) -> bool:
    """Whether somebody can be asked, or looks at what is printed."""
    return bool((stream or sys.stdin).isatty())


def confirm(question: str, *, yes: bool, terminal: bool) -> None:
    """
    Ask before something is destroyed.

    :param yes: ``--yes`` was given.
    :raises click.UsageError: there is no terminal on which to ask.
    :raises click.Abort: the user does not want it.
    """
    if yes:
        return
    if not terminal:
        raise click.UsageError(
            "this asks before it changes anything, and there is no terminal on which"
            " to ask: give --yes"
        )
    # A reactor has a handler that does nothing before the question is answered.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        click.confirm(question, abort=True, err=True)
    finally:
        signal.signal(signal.SIGINT, handler)
