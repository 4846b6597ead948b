"""
Handlers that have not returned their outcome yet.

A handler may return a Deferred, a coroutine or a future. It is cancelled when it
exceeds the timeout, or when the consumer stops; its messages are then retried, even if
it ignores the cancellation, and what it returns later is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, Final

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.dispatch.outcomes import Retry
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.time_limits import TimeLimit
from rocketmq_tw.model.message import StoredMessage

RETRY: Final = Retry()

#: Called with the queue, the messages and the outcome of their handler.
Done = Callable[[ProcessQueue, list[StoredMessage], Any], None]

_log = Logger()


class _Invocation(msgspec.Struct, eq=False):
    """A handler that has not returned its outcome yet."""

    handlers: RunningHandlers
    queue: ProcessQueue
    messages: list[StoredMessage]
    waiting: Deferred[Any]
    done: Done
    begun: float
    returned: bool = False

    def expire(self) -> None:
        """Cancel it: it has exceeded the timeout."""
        self.handlers.timed_out(self)


class RunningHandlers:
    """
    The handlers of one consumer that are waited for. All of them have one timer.

    :param timeout: seconds after which a handler is cancelled.
    """

    def __init__(self, clock: IReactorTime, timeout: float) -> None:
        self._clock = clock
        self._time_limit = TimeLimit(clock, timeout)
        self._running: set[_Invocation] = set()

    def wait(
        self,
        queue: ProcessQueue,
        messages: list[StoredMessage],
        waiting: Deferred[Any],
        done: Done,
    ) -> None:
        """Wait for an outcome, until the timeout; ``done`` is called once."""
        now = self._clock.seconds()
        invocation = _Invocation(self, queue, messages, waiting, done, now)
        self._time_limit.add(invocation, now)
        self._running.add(invocation)
        waiting.addBoth(self._fired, invocation)

    def cancel(self, queue: ProcessQueue | None = None) -> list[StoredMessage]:
        """
        Cancel the handlers of one queue, or all; their messages are retried.

        :returns: those messages.
        """
        running = [each for each in self._running if queue in (None, each.queue)]
        for invocation in running:
            self._cancel(invocation)
        return [message for each in running for message in each.messages]

    def stop(self) -> list[StoredMessage]:
        """Cancel all handlers, as :meth:`cancel` does, and stop the timer."""
        messages = self.cancel()
        self._time_limit.stop()
        return messages

    def _fired(self, outcome: Any, invocation: _Invocation) -> None:
        """Process what the handler has returned, or its failure."""
        if isinstance(outcome, Failure):
            outcome = _failed(outcome, invocation.messages)
        self._returned(outcome, invocation)

    def _returned(self, outcome: Any, invocation: _Invocation) -> None:
        """Process the outcome once; one that arrives after the timeout is ignored."""
        if invocation.returned:
            return
        invocation.returned = True
        self._time_limit.discard(invocation)
        self._running.discard(invocation)
        took = self._clock.seconds() - invocation.begun
        invocation.queue.counts.invocation_time += took
        invocation.done(invocation.queue, invocation.messages, outcome)

    def timed_out(self, invocation: _Invocation) -> None:
        """Cancel a handler that has exceeded the timeout."""
        _log.warn(
            "the handler of {id} was cancelled after {seconds:g} s",
            id=invocation.messages[0].message_id,
            seconds=self._time_limit.seconds,
        )
        self._cancel(invocation)

    def _cancel(self, invocation: _Invocation) -> None:
        """
        Cancel a handler, and retry its messages even if it ignores the cancellation.
        """
        try:
            invocation.waiting.cancel()
        except Exception:
            # The canceller of its Deferred failed; the others must be cancelled, too.
            log_failure(invocation.messages)
        self._returned(RETRY, invocation)


def outcome_of(returned: Any, messages: list[StoredMessage]) -> Any:
    """
    Convert what a handler has returned.

    :returns: its outcome, or the Deferred of it. One that has fired already, such as
        that of a coroutine that had nothing to wait for, need not be waited for.
    """
    outcome = deferred_of(returned)
    if isinstance(outcome, Deferred) and outcome.called and not outcome.paused:
        found: list[Any] = []
        outcome.addErrback(_failed, messages)
        outcome.addCallback(_keep, found)
        if found:
            return found[0]
    return outcome


def _failed(failure: Failure, messages: list[StoredMessage]) -> Retry:
    """Turn the failure of a handler into Retry, and log it."""
    if not isinstance(failure.value, CancelledError):
        log_failure(messages, failure)
    return RETRY


def _keep(outcome: Any, found: list[Any]) -> Any:
    """Keep an outcome."""
    found.append(outcome)
    return outcome


def deferred_of(outcome: Any) -> Any:
    """
    Convert a coroutine or an asyncio future to a Deferred; return other values as they
    are.
    """
    if outcome.__class__ is Deferred:
        return outcome
    # Not isinstance() alone, which takes a microsecond: Coroutine is an ABC.
    if outcome.__class__ is CoroutineType or isinstance(outcome, Coroutine):
        return Deferred.fromCoroutine(outcome)
    if hasattr(outcome, "add_done_callback"):
        return Deferred.fromFuture(outcome)
    return outcome


def log_failure(messages: list[StoredMessage], failure: Failure | None = None) -> None:
    """Log a handler's failure; by default the exception being handled."""
    _log.failure(
        "the handler failed on {id} of {topic}, attempt {attempt}",
        failure,
        id=messages[0].message_id,
        topic=messages[0].topic,
        attempt=messages[0].reconsume_times + 1,
    )
