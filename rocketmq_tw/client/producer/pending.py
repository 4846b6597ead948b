"""
One message, from the caller's ``send`` to its result.

::

    wait for a permit -> find the queues -> choose one -> attempt -> result
                              ^                |  ^           |
                              |                |  +-----------+ another broker
                              +--- back off <--+ all of them have failed

All attempts share one timeout, and each gets a part of it, so that an unresponsive
broker does not use it up. Every attempt has its own header and request number, but the
same unique key, by which consumers recognise a message that was stored twice. The rules
for further attempts are in :mod:`rocketmq_tw.client.producer.retry`.

Source: ``DefaultMQProducerImpl.sendDefaultImpl`` of RocketMQ 5, except that all kinds
of sends follow the same rules here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import (
    NameServerUnavailable,
    NoRouteError,
    NotDurable,
    QueueFull,
    SendCancelled,
    SendError,
)
from rocketmq_tw.client.producer.attempt import SendAttempt, Transmit
from rocketmq_tw.client.producer.context import SendContext
from rocketmq_tw.client.producer.failed import FailedAttempts
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.client.producer.results import SendStatus, send_result
from rocketmq_tw.client.producer.retry import (
    LAST_MOMENT,
    RetryPolicy,
    pause,
)
from rocketmq_tw.client.producer.selectors import Choice
from rocketmq_tw.client.time_limits import TimeLimit
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.wire.requests.send import SendResponse


class PendingSend:
    """
    A message that has no result yet.

    One is created for every message. The arguments are positional: naming them would
    cost 2 % of a send.

    :param choice: chooses the queue; None lets each attempt use the next queue.
    :param timeout: seconds for all attempts together.
    :ivar result: fires with a :class:`SendResult`, or None for a one-way message; fails
        with :class:`SendError`, :class:`NoRouteError`, :class:`NameServerUnavailable`,
        :class:`QueueFull` or :class:`NotDurable`.
    """

    __slots__ = (
        "_attempt",
        "_choice",
        "_context",
        "_deadline",
        "_failed",
        "_first",
        "_has_permit",
        "_prepared",
        "_retry",
        "_step",
        "_time_for_one",
        "_timeout",
        "_transmit",
        "_wait_limit",
        "result",
    )

    def __init__(
        self,
        context: SendContext,
        prepared: Prepared,
        choice: Choice | None,
        timeout: float,
        retry: RetryPolicy,
        transmit: Transmit,
    ) -> None:
        self._context = context
        self._prepared = prepared
        self._choice = choice
        self._retry = retry
        self._transmit = transmit
        self._timeout = timeout
        self._deadline = context.clock.seconds() + timeout
        self._time_for_one = retry.time_for_one(timeout)
        self._attempt: SendAttempt | None = None
        #: The queue of the first attempt, if it was chosen before.
        self._first: MessageQueue | None = None
        self._failed: FailedAttempts | None = None
        #: What the message waits for now: a permit, a route, a response or a pause.
        self._step: Deferred[Any] | None = None
        self._has_permit = False
        #: Set while it waits for a permit.
        self._wait_limit: TimeLimit | None = None
        self.result: Deferred[Any] = Deferred(self.cancelled)

    def start(self, first: MessageQueue | None = None) -> None:
        """
        Start, as soon as there is a permit for the message.

        :param first: the queue of the first attempt, if it was chosen already.
        """
        self._first = first
        context, size = self._context, self._prepared.size
        context.pending.add(self)
        if context.in_flight.try_acquire(size):
            self.granted()
            return
        try:
            context.in_flight.wait(self, size)
        except QueueFull:
            self._finish(Failure())
            return
        self._wait_limit = context.time_limits.of(max(self._timeout, 0))
        self._wait_limit.add(self, context.clock.seconds())

    def granted(self) -> None:
        """Continue with a permit."""
        self._has_permit = True
        if self._wait_limit is not None:
            self._wait_limit.discard(self)
            self._wait_limit = None
        try:
            self._find_queues(None)
        except Exception:
            self._finish(Failure())

    def expire(self) -> None:
        """Fail: the time has passed before there was a permit."""
        why = "too many messages were in flight all the time"
        self._finish(Failure(self._error(why)))

    def resume(
        self, attempt: SendAttempt, result: Deferred[Any], failure: Failure
    ) -> None:
        """
        Continue after a first attempt that another object has made.

        :param attempt: the attempt; its message has a permit.
        :param result: fires with the result, as :attr:`result`.
        :param failure: why the attempt has failed.
        """
        self.result = result
        self._attempt = attempt
        self._has_permit = True
        self._deadline = attempt.started_at + self._timeout
        self._context.pending.add(self)
        try:
            self._attempt_failed(failure)
        except Exception:
            self._finish(Failure())

    def _after(
        self,
        step: Deferred[Any],
        on_success: Callable[[Any], None],
        on_failure: Callable[[Failure], None],
        late: str,
    ) -> None:
        """
        Continue when a step is done, or when the timeout has passed.

        :param late: the reason in the error after the timeout.
        """
        self._step = step
        if not step.called:
            context = self._context

            def expired(_result: Any, _seconds: float) -> Failure:
                return Failure(self._error(late))

            left = max(self._deadline - context.clock.seconds(), 0)
            step.addTimeout(left, context.clock, expired)
        step.addCallbacks(on_success, on_failure)
        step.addErrback(self._finish)

    def _find_queues(self, _result: None) -> None:
        """Find the topic's queues, and make the first attempt of a round."""
        routes, topic = self._context.routes, self._prepared.topic
        queues = routes.to_publish(topic)
        if queues:
            self._start_attempt(queues)
            return
        found = self._context.publish_routes.find(topic)
        why = "its route was not found in time"
        self._after(found, self._start_attempt, self._no_queues, why)

    def _no_queues(self, failure: Failure) -> None:
        """Fail; but retry if the topic had queues before, or its master is away."""
        is_away = self._context.routes.awaits_master(self._prepared.topic)
        had_some = self._failed is not None or is_away
        if had_some and failure.check(NoRouteError, NameServerUnavailable):
            self._failed = self._failed or FailedAttempts()
            self._back_off(self._failed, failure)
        else:
            self._finish(failure)

    # -- attempts

    def _start_attempt(self, queues: Sequence[MessageQueue]) -> None:
        """Choose a queue and send to its broker."""
        context = self._context
        now = context.clock.seconds()
        left = self._deadline - now
        if left <= 0:
            self._finish(
                Failure(self._error("the timeout passed before the first attempt"))
            )
            return
        first, self._first = self._first, None
        if first is not None:
            queue = first
        elif self._choice is None:
            failed = self._failed.brokers if self._failed else ()
            queue = context.round_robin.choose(queues, failed)
        elif self._attempt is None:
            queue = self._choice(queues)
        else:
            queue = self._attempt.queue
        limit = self._time_for_one
        if limit > left:
            limit = left
        self._attempt = attempt = SendAttempt(
            context.brokers, context.clock, queue, now, limit, context.wall_time()
        )
        self._step = step = attempt.run(self._prepared, context.group, self._transmit)
        step.addCallbacks(self._responded, self._attempt_failed)
        step.addErrback(self._finish)

    def _responded(self, response: SendResponse | None) -> None:
        """Turn the response into the result."""
        context, attempt = self._context, self._attempt
        assert attempt is not None
        if response is None:
            self._finish(None)
            return
        queue = attempt.queue
        if not context.routes.writable(queue.topic):
            context.routes.created(queue.topic)
        latency = context.clock.seconds() - attempt.started_at
        context.faults.succeeded(queue.broker_name, latency)
        result = send_result(response, queue, self._prepared.message_id)
        if context.require_ok and result.status is not SendStatus.SEND_OK:
            self._finish(Failure(NotDurable(result)))
        else:
            self._finish(result)

    def _attempt_failed(self, failure: Failure) -> None:
        """Record the attempt, and make another if the rules permit it."""
        if self.result.called:
            return
        context, attempt, error = self._context, self._attempt, failure.value
        assert attempt is not None and error is not None
        failed = self._failed = self._failed or FailedAttempts()
        failed.add(attempt, error, context.clock.seconds())
        if isinstance(error, RequestTimeout):
            context.brokers.mark_unresponsive(attempt.address, attempt.started_at)
        if getattr(error, "retryable", False):
            context.faults.failed(attempt.queue.broker_name)
            # The route may be outdated; the next attempt uses the new one.
            found = context.routes.find(self._prepared.topic, refresh=True)
            found.addErrback(lambda _: None)
        if self._retry.permits(error, failed.received):
            self._try_another(failed)
        else:
            self._finish(Failure(self._error()))

    def _try_another(self, failed: FailedAttempts) -> None:
        """
        Try a broker that has not failed in this round, or wait for the next round.
        """
        queues = self._context.routes.writable(self._prepared.topic)
        others = any(queue.broker_name not in failed.brokers for queue in queues)
        if others and self._choice is None:
            self._start_attempt(queues)
        else:
            self._back_off(failed)

    def _back_off(self, failed: FailedAttempts, why: Failure | None = None) -> None:
        """
        Start another round after a pause, if there is time for it.

        :param why: what to fail with if no attempt was made.
        """
        left = self._deadline - self._context.clock.seconds()
        if left < LAST_MOMENT:
            has_attempts = bool(failed.attempts) or why is None
            self._finish(Failure(self._error()) if has_attempts else why)
            return
        waiting: Deferred[None] = deferLater(
            self._context.clock, pause(failed.rounds, left)
        )
        failed.end_round()
        begin = self._find_queues if self._choice is None else self._same_queue
        self._after(waiting, begin, self._finish, "the timeout passed")

    def _same_queue(self, _result: None) -> None:
        """Try the chosen queue again: another one would change the order."""
        self._start_attempt(())

    # -- the result

    def _error(self, why: str = "") -> SendError:
        """Return the error that lists the attempts."""
        attempts = self._failed.attempts if self._failed else []
        return SendError(self._prepared.topic, attempts, why)

    def cancelled(self, result: Deferred[Any]) -> None:
        """Stop, because the caller has cancelled; a late response is dropped."""
        self._end()
        result.errback(self._cancellation())
        if self._step is not None:
            self._step.cancel()

    def _cancellation(self) -> SendCancelled:
        """Return the error of a cancelled send."""
        attempt, failed = self._attempt, self._failed
        written = attempt is not None and attempt.written
        return SendCancelled(written or (failed is not None and failed.maybe_sent))

    def _finish(self, outcome: Any) -> None:
        """Fire the result, unless the caller has cancelled."""
        if self.result.called:
            return
        if isinstance(outcome, Failure) and outcome.check(CancelledError):
            outcome = Failure(self._cancellation())
        self._end()
        if isinstance(outcome, Failure):
            self.result.errback(outcome)
        else:
            self.result.callback(outcome)

    def _end(self) -> None:
        """Return the permit, or wait for none any more."""
        self._context.pending.discard(self)
        if self._wait_limit is not None:
            self._wait_limit.discard(self)
            self._wait_limit = None
            self._context.in_flight.stop_waiting(self)
        if self._has_permit:
            self._has_permit = False
            self._context.in_flight.release(self._prepared.size)
