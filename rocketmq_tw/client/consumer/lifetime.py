"""The life of a consumer, which is started and stopped once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import StateError
from rocketmq_tw.remoting.waiters import Waiters

T = TypeVar("T")


class State(Enum):
    """The state of a consumer."""

    NEW = "not started"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Lifetime:
    """
    The state of one consumer, and who waits for its end.

    :ivar state: only moves from one state to a later one.
    """

    _log = Logger()

    def __init__(self, group: str) -> None:
        self._group = group
        self._ended = Waiters()
        self.state = State.NEW

    @property
    def done(self) -> Deferred[None]:
        """A new Deferred at each access, which fires when the consumer has stopped."""
        if self.state is State.STOPPED:
            return succeed(None)
        return self._ended.add()

    def start(
        self, starting: Coroutine[Any, Any, T], cancel: Callable[[], object]
    ) -> Deferred[T]:
        """
        Run the coroutine that starts the consumer.

        :param cancel: stops the consumer; called when the Deferred is cancelled.
        """

        def cancelled(started: Deferred[T]) -> None:
            started.errback(CancelledError())
            cancel()

        started: Deferred[T] = Deferred(cancelled)

        def done(outcome: Any) -> None:
            if not started.called:
                started.callback(outcome)

        Deferred.fromCoroutine(starting).addBoth(done)
        return started

    def check_new(self) -> None:
        """
        Check that the consumer may be started.

        :raises StateError: it was started before.
        """
        if self.state is not State.NEW:
            raise StateError(f"the consumer is {self.state.value} already")

    async def has_started(self) -> None:
        """Note that the start is complete; if it was stopped, wait for its end."""
        if self.state is State.STARTING:
            self.state = State.RUNNING
        else:
            await self.done

    def end(self) -> None:
        """Note that the consumer has stopped; fire the Deferreds of :attr:`done`."""
        self.state = State.STOPPED
        self._ended.fire()

    def log_not_started(self, failure: Failure) -> None:
        """Log why a start in the background failed."""
        self._log.error(
            "the consumer of {group} did not start: {why}",
            group=self._group,
            why=failure.getErrorMessage(),
        )
