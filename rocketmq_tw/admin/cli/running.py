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
=====  ================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import click

from rocketmq_tw.admin.cli.options import Target

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient

OK, REFUSED, USAGE, UNREACHABLE, IN_PART, INTERRUPTED = 0, 1, 2, 3, 4, 130

#: What a command does; it returns the exit code.
Work = Callable[["AdminClient"], Awaitable[int]]


class Runner(Protocol):
    """Runs the work of a command; tests have one for a cluster in memory."""

    def __call__(self, target: Target, work: Work) -> int:
        """Run it, and return the exit code; errors are raised."""


def run_in_reactor(target: Target, work: Work) -> int:
    """
    Run the reactor until the work is done.

    :raises RocketMQError: the work failed.
    """
    from rocketmq_tw.remoting.transports import import_transports

    import_transports(with_tls=target.tls is not None)
    from twisted.internet.defer import Deferred
    from twisted.internet.task import react

    from rocketmq_tw.admin.client import AdminClient
    from rocketmq_tw.clock import use_monotonic_time

    codes: list[int] = []
    errors: list[BaseException] = []

    async def run(reactor: Any) -> None:
        try:
            admin = AdminClient(
                reactor,
                target.name_servers,
                credentials=target.credentials,
                tls=target.tls,
                timeout=target.timeout,
            )
            try:
                codes.append(await work(admin))
            finally:
                await admin.stop()
        except BaseException as error:
            errors.append(error)

    def start(reactor: Any) -> Deferred[None]:
        use_monotonic_time(reactor)
        return Deferred.fromCoroutine(run(reactor))

    try:
        react(start)
    except SystemExit:
        pass  # the exit code is that of the command, not of the reactor
    if errors:
        raise errors[0]
    return codes[0] if codes else INTERRUPTED


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error; None if it is a mistake of ours."""
    from rocketmq_tw.admin.errors import AdminError, NothingResponded
    from rocketmq_tw.auth.errors import BadPolicy
    from rocketmq_tw.client.errors import (
        NameServerUnavailable,
        SendError,
        ValidationError,
    )
    from rocketmq_tw.model.errors import IllegalName, RocketMQError
    from rocketmq_tw.remoting.errors import TransportError

    if isinstance(error, NothingResponded | NameServerUnavailable | TransportError):
        return UNREACHABLE
    if isinstance(error, SendError):
        refused = error.attempts and not isinstance(error.__cause__, TransportError)
        return REFUSED if refused else UNREACHABLE
    if isinstance(error, ValidationError | IllegalName | BadPolicy):
        return USAGE
    if isinstance(error, AdminError | RocketMQError):
        return REFUSED
    return None


def explain(error: Exception) -> str:
    """Return why a command failed, in one line that is safe on a terminal."""
    from rocketmq_tw.admin.texts import sentence
    from rocketmq_tw.model.log_safe import log_safe
    from rocketmq_tw.remoting.errors import BrokerError

    if isinstance(error, BrokerError):
        return f"{error.address}: {sentence(error)}"
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
            "this destroys something, and there is no terminal on which to ask: give"
            " --yes"
        )
    click.confirm(question, abort=True, err=True)
