"""
One message, from the caller's ``send`` to its result.

::

    wait for a permit -> find the queues -> choose one -> attempt -> result
                              ^                |  ^           |
                              |                |  +-----------+ another broker
                              +--- back off <--+ all of them have failed

All attempts share one budget of time, so that a dead broker does not use it up. Every
attempt has its own header and request number, and the same unique key, by which
consumers recognise a message that was stored twice. Which failures are followed by
another attempt is in :mod:`rocketmq_tw.client.producer.retry`.

Source: ``DefaultMQProducerImpl.sendDefaultImpl`` of RocketMQ 5; that all kinds of
sending follow the same rules is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.errors import (
    Attempt,
    NameServerUnavailable,
    NoRouteError,
    NotDurable,
    SendCancelled,
    SendError,
)
from rocketmq_tw.client.producer.attempt import SendAttempt, Transmit
from rocketmq_tw.client.producer.faults import Faults
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.client.producer.results import SendStatus, send_result
from rocketmq_tw.client.producer.retry import (
    LAST_MOMENT,
    RetryPolicy,
    pause,
    reached_broker,
)
from rocketmq_tw.client.producer.selectors import Choice, RoundRobin
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import RequestTimeout
from rocketmq_tw.wire.requests.send import SendResponse


class SendContext:
    """
    What the messages of one producer share.

    :ivar pending: all that have no result yet.
    """

    def __init__(
        self,
        *,
        group: str,
        brokers: Brokers,
        routes: RouteCache,
        clock: IReactorTime,
        in_flight: InFlight,
        require_ok: bool,
    ) -> None:
        self.group = group
        self.brokers = brokers
        self.routes = routes
        self.clock = clock
        self.in_flight = in_flight
        self.require_ok = require_ok
        self.faults = Faults(clock)
        self.round_robin = RoundRobin(self.faults)
        self.pending: set[PendingSend] = set()


class PendingSend:
    """
    A message that has no result yet.

    :param choice: chooses the queue; None lets each attempt take the next in turn.
    :param timeout: seconds for everything.
    :ivar result: fires with a :class:`SendResult`, or None for a one-way message; fails
        with :class:`SendError`, :class:`NoRouteError`, :class:`NameServerUnavailable`,
        :class:`QueueFull` or :class:`NotDurable`.
    """

    __slots__ = (
        "_attempt",
        "_choice",
        "_context",
        "_deadline",
        "_failed_attempts",
        "_failed_brokers",
        "_has_permit",
        "_maybe_sent",
        "_prepared",
        "_received",
        "_retry",
        "_rounds",
        "_step",
        "_time_for_one",
        "_transmit",
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
        self._deadline = context.clock.seconds() + timeout
        self._time_for_one = retry.time_for_one(timeout)
        self._attempt: SendAttempt | None = None
        self._failed_attempts: list[Attempt] = []
        self._failed_brokers: frozenset[str] = frozenset()
        self._rounds = 0
        #: How many attempts a broker may have received; see :class:`RetryPolicy`.
        self._received = 0
        #: What is waited for now: a permit, a route, a response or a pause.
        self._step: Deferred[Any] | None = None
        self._has_permit = False
        self._maybe_sent = False
        self.result: Deferred[Any] = Deferred(self._cancelled)

    def start(self) -> None:
        """Begin, once there is a permit for the message."""
        context, size = self._context, self._prepared.size
        context.pending.add(self)
        if context.in_flight.try_acquire(size):
            try:
                self._permitted(None)
            except Exception:
                self._finish(Failure())
            return
        why = "too many messages were in flight all the time"
        self._after(context.in_flight.acquire(size), self._permitted, self._finish, why)

    def _after(
        self,
        step: Deferred[Any],
        on_success: Callable[[Any], None],
        on_failure: Callable[[Failure], None],
        late: str,
    ) -> None:
        """
        Continue when a step is done, or when the message's time is up.

        :param late: says what there was no time for.
        """
        self._step = step
        if not step.called:
            clock = self._context.clock

            def expired(_result: Any, _seconds: float) -> Failure:
                return Failure(self._error(late))

            step.addTimeout(max(self._deadline - clock.seconds(), 0), clock, expired)
        step.addCallbacks(on_success, on_failure)
        step.addErrback(self._finish)

    def _permitted(self, _result: None) -> None:
        """Go on with a permit."""
        self._has_permit = True
        self._find_queues(None)

    def _find_queues(self, _result: None) -> None:
        """Find the topic's queues, and make the first attempt of a round."""
        routes, topic = self._context.routes, self._prepared.topic
        queues = routes.writable(topic)
        if queues:
            self._start_attempt(queues)
            return
        found = routes.find_to_publish(topic)
        why = "its route was not found in time"
        self._after(found, self._start_attempt, self._no_queues, why)

    def _no_queues(self, failure: Failure) -> None:
        """Give up; but a topic that had queues just now may have them again."""
        if self._failed_attempts and failure.check(NoRouteError, NameServerUnavailable):
            self._back_off()
        else:
            self._finish(failure)

    # -- attempts

    def _start_attempt(self, queues: Sequence[MessageQueue]) -> None:
        """Choose a queue and send to its broker."""
        context = self._context
        now = context.clock.seconds()
        left = self._deadline - now
        if left <= 0:
            self._finish(Failure(self._error("its time was up before it was its turn")))
            return
        if self._choice is None:
            queue = context.round_robin.choose(queues, self._failed_brokers)
        elif self._attempt is None:
            queue = self._choice(queues)
        else:
            queue = self._attempt.queue
        limit = self._time_for_one
        self._attempt = attempt = SendAttempt(
            context.brokers, context.clock, queue, now, limit if limit < left else left
        )
        self._step = step = attempt.run(self._prepared, context.group, self._transmit)
        step.addCallbacks(self._responded, self._attempt_failed)
        step.addErrback(self._finish)

    def _responded(self, response: SendResponse | None) -> None:
        """Give the result."""
        context, attempt = self._context, self._attempt
        assert attempt is not None
        if response is None:
            self._finish(None)
            return
        queue = attempt.queue
        latency = context.clock.seconds() - attempt.started_at
        context.faults.succeeded(queue.broker_name, latency)
        result = send_result(response, queue, self._prepared.message_id)
        if context.require_ok and result.status is not SendStatus.SEND_OK:
            self._finish(Failure(NotDurable(result)))
        else:
            self._finish(result)

    def _attempt_failed(self, failure: Failure) -> None:
        """Record the attempt, and make another if that may help."""
        if self.result.called:
            return
        attempt, error = self._attempt, failure.value
        assert attempt is not None and error is not None
        self._record(attempt, error)
        if isinstance(error, RequestTimeout):
            self._context.brokers.mark_unresponsive(attempt.address, attempt.started_at)
        if getattr(error, "retryable", False):
            self._context.faults.failed(attempt.queue.broker_name)
            # The route may be out of date; the next attempt has the new one.
            routes = self._context.routes
            found = routes.find(self._prepared.topic, refresh=True)
            found.addErrback(lambda _: None)
        if self._retry.permits(error, self._received):
            self._try_another(attempt.queue.broker_name)
        else:
            self._finish(Failure(self._error()))

    def _record(self, attempt: SendAttempt, error: BaseException) -> None:
        """Keep a failed attempt for the error that lists them all."""
        self._maybe_sent |= attempt.written
        self._received += reached_broker(error)
        self._failed_attempts.append(
            Attempt(
                broker_name=attempt.queue.broker_name,
                address=attempt.address,
                queue_id=attempt.queue.queue_id,
                elapsed=self._context.clock.seconds() - attempt.started_at,
                cause=error,
            )
        )

    def _try_another(self, broker_name: str) -> None:
        """Try a broker that has not failed in this round, or wait for the next one."""
        failed = self._failed_brokers = self._failed_brokers | {broker_name}
        queues = self._context.routes.writable(self._prepared.topic)
        others = any(queue.broker_name not in failed for queue in queues)
        if others and self._choice is None:
            self._start_attempt(queues)
        else:
            self._back_off()

    def _back_off(self) -> None:
        """Begin another round in a while, if there is time for one."""
        clock = self._context.clock
        left = self._deadline - clock.seconds()
        if left < LAST_MOMENT:
            self._finish(Failure(self._error()))
            return
        self._failed_brokers = frozenset()
        waiting: Deferred[None] = deferLater(clock, pause(self._rounds, left))
        self._rounds += 1
        begin = self._find_queues if self._choice is None else self._same_queue
        self._after(waiting, begin, self._finish, "its time was up")

    def _same_queue(self, _result: None) -> None:
        """Try the queue that was chosen: another would change the order."""
        self._start_attempt(())

    # -- the end

    def _error(self, why: str = "") -> SendError:
        """Make the error that lists the attempts."""
        return SendError(self._prepared.topic, self._failed_attempts, why)

    def _cancelled(self, result: Deferred[Any]) -> None:
        """Stop, as the caller wants no result any more; a late response is dropped."""
        self._end()
        result.errback(self._cancellation())
        if self._step is not None:
            self._step.cancel()

    def _cancellation(self) -> SendCancelled:
        """Make the error of a cancelled send."""
        attempt = self._attempt
        written = attempt is not None and attempt.written
        return SendCancelled(self._maybe_sent or written)

    def _finish(self, outcome: Any) -> None:
        """Give the outcome to the caller, unless the caller has cancelled."""
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
        """Return the permit."""
        self._context.pending.discard(self)
        if self._has_permit:
            self._has_permit = False
            self._context.in_flight.release(self._prepared.size)
