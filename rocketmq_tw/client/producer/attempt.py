"""
One message on its way to a broker.

::

    wait for room -> find the queues -> choose one -> connect -> write -> answer
                                             ^                              |
                                             +----- may pass, time left ----+

All attempts share one budget of time, so that a dead broker does not use it up: each
has its part, and half a second at least. Every attempt has its own header and number,
and the same unique key, by which consumers tell a message that was stored twice.

Source: ``DefaultMQProducerImpl.sendDefaultImpl`` of RocketMQ 5 for what is tried again;
that all kinds of sending follow the same rules is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import Attempt, NotDurable, SendCancelled, SendError
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.client.producer.results import SendResult, SendStatus, send_result
from rocketmq_tw.client.producer.selectors import Faults, RoundRobin
from rocketmq_tw.client.session import ClientSession
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError, RequestTimeout
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.requests.send import SendMessageV2

#: Seconds that an attempt has at least, if there are so many left.
_SHORTEST = 0.5
#: Seconds before the same broker is tried again, times the attempts made.
_PAUSE = 0.1

#: Chooses the queue, once, for messages that go to a certain one.
Choice = Callable[[Sequence[MessageQueue]], MessageQueue]
#: Writes a request; gives the answer, or None where there is none.
Transmit = Callable[[RemotingProtocol, SendMessageV2, float], Deferred[Any]]


def ask(
    connection: RemotingProtocol, request: SendMessageV2, timeout: float
) -> Deferred[Any]:
    """Send and wait for the answer."""
    return connection.call(request, timeout)


def tell(
    connection: RemotingProtocol, request: SendMessageV2, timeout: float
) -> Deferred[Any]:
    """Send one way; fires once the socket takes more."""
    connection.call_one_way(request)
    return connection.when_writable()


class Channel:
    """
    What the messages of one producer share on their way.

    :ivar under_way: all that have no result yet.
    """

    def __init__(
        self, session: ClientSession, group: str, flow: InFlight, require_ok: bool
    ) -> None:
        self.session = session
        self.group = group
        self.flow = flow
        self.require_ok = require_ok
        self.faults = Faults(session.reactor)
        self.turns = RoundRobin(self.faults)
        self.seconds = session.reactor.seconds
        self.under_way: set[Sending] = set()


class Sending:
    """
    The attempts to send one message.

    :param choice: chooses the queue; None lets each attempt take the next in turn.
    :param timeout: seconds for everything.
    :param attempts: how many at most.
    :ivar result: fires with a :class:`SendResult`, or None for a one-way message; fails
        with :class:`SendError`, :class:`NoRouteError`, :class:`NameServerUnavailable`,
        :class:`QueueFull` or :class:`NotDurable`.
    """

    __slots__ = (
        "_attempt_at",
        "_attempts",
        "_channel",
        "_choice",
        "_deadline",
        "_failed_at",
        "_has_room",
        "_left",
        "_share",
        "_prepared",
        "_step",
        "_transmit",
        "_written",
        "_where",
        "result",
    )

    def __init__(
        self,
        channel: Channel,
        prepared: Prepared,
        choice: Choice | None,
        timeout: float,
        attempts: int,
        transmit: Transmit = ask,
    ) -> None:
        self._channel = channel
        self._prepared = prepared
        self._choice = choice
        self._transmit = transmit
        self._deadline = channel.seconds() + timeout
        self._share = max(timeout / attempts, _SHORTEST)
        self._left = attempts
        self._attempts: list[Attempt] = []
        self._attempt_at = 0.0
        self._failed_at: str | None = None
        self._where: tuple[MessageQueue, str] | None = None
        self._step: Deferred[Any] | None = None
        self._has_room = False
        self._written = False
        self.result: Deferred[Any] = Deferred(self._cancelled)

    def start(self) -> None:
        """Begin, once there is room for the message."""
        self._channel.under_way.add(self)
        flow, size = self._channel.flow, self._prepared.size
        if flow.try_take(size):
            try:
                self._room_found(None)
            except Exception:
                self._finish(Failure())
            return
        self._then(flow.take(size), self._room_found, self._no_room)

    def _then(
        self,
        step: Deferred[Any],
        well: Callable[[Any], None],
        ill: Callable[[Failure], None],
        limited: bool = True,
    ) -> None:
        """Go on when a step is done, or when the time is up."""
        self._step = step
        if limited and not step.called:
            left = max(self._deadline - self._channel.seconds(), 0)
            step.addTimeout(left, self._channel.session.reactor, self._late)
        step.addCallbacks(well, ill)
        step.addErrback(self._finish)

    def _late(self, _result: Any, _seconds: float) -> Failure:
        """Turn our own cancellation of a step into an error with a name."""
        return Failure(RequestTimeout(self._prepared.topic, "the time was up"))

    # -- room and route

    def _room_found(self, _result: None) -> None:
        """Find the topic's queues."""
        self._has_room = True
        routes = self._channel.session.routes
        queues = routes.writable(self._prepared.topic)
        if queues:
            self._attempt(queues)
            return
        found = routes.find_to_publish(self._prepared.topic)
        self._then(found, self._attempt, self._no_queues)

    def _no_room(self, failure: Failure) -> None:
        """Give up."""
        if failure.check(RequestTimeout):
            why = "there was no room for it in time"
            failure = Failure(SendError(self._prepared.topic, [], why))
        self._finish(failure)

    def _no_queues(self, failure: Failure) -> None:
        """Give up, or name the time that was up."""
        if failure.check(RequestTimeout):
            why = "its route was not found in time"
            failure = Failure(SendError(self._prepared.topic, [], why))
        self._finish(failure)

    # -- one attempt

    def _attempt(self, queues: list[MessageQueue]) -> None:
        """Choose a queue and write to its broker."""
        channel = self._channel
        now = self._attempt_at = channel.seconds()
        if now >= self._deadline:
            why = "its time was up before it was its turn"
            self._finish(Failure(SendError(self._prepared.topic, self._attempts, why)))
            return
        self._left -= 1
        if self._choice is not None:
            queue = self._choice(queues)
        else:
            queue = channel.turns.choose(queues, self._failed_at)
        address = channel.session.broker_address(queue.broker_name)
        self._where = (queue, address or "?")
        if address is None:
            error = ConnectError(queue.broker_name, "its master is not known")
            self._attempt_failed(Failure(error))
            return
        live = channel.session.pool.live(address)
        if live is not None:
            self._write(live)
            return
        connected = channel.session.pool.connection(address)
        limit = min(self._share, self._deadline - now)
        connected.addTimeout(limit, channel.session.reactor, self._not_connected)
        self._then(connected, self._write, self._attempt_failed, limited=False)

    def _not_connected(self, _result: Any, seconds: float) -> Failure:
        """Name the time that connecting took."""
        assert self._where is not None
        why = f"could not connect in {seconds:g} s"
        return Failure(ConnectError(self._where[1], why))

    def _write(self, connection: RemotingProtocol) -> None:
        """Write the request; from now on the broker may store the message."""
        channel = self._channel
        assert self._where is not None
        now = channel.seconds()
        limit = min(self._attempt_at + self._share, self._deadline) - now
        if limit <= 0:
            self._attempt_failed(self._not_connected(None, now - self._attempt_at))
            return
        request = self._prepared.request(channel.group, self._where[0], now)
        answer = self._transmit(connection, request, limit)
        self._written = True
        self._step = answer
        answer.addCallbacks(self._answered, self._attempt_failed)
        answer.addErrback(self._finish)

    def _answered(self, answer: Any) -> None:
        """Give the result."""
        assert self._where is not None
        queue, channel = self._where[0], self._channel
        if answer is None:
            self._finish(None)
            return
        channel.faults.succeeded(
            queue.broker_name, channel.seconds() - self._attempt_at
        )
        result = send_result(answer, queue, self._prepared.message_id)
        if channel.require_ok and result.status is not SendStatus.SEND_OK:
            self._finish(Failure(NotDurable(result)))
        else:
            self._finish(result)

    # -- the next attempt

    def _attempt_failed(self, failure: Failure) -> None:
        """Note the attempt, and make another if that may help."""
        if self.result.called:
            return
        assert self._where is not None
        (queue, address), error = self._where, failure.value
        now, channel = self._channel.seconds(), self._channel
        assert error is not None
        self._attempts.append(
            Attempt(
                queue.broker_name,
                address,
                queue.queue_id,
                now - self._attempt_at,
                error,
            )
        )
        retryable = getattr(error, "retryable", False)
        if retryable:
            channel.faults.failed(queue.broker_name)
            # The route may be out of date; whoever sends next has the new one.
            fresh = channel.session.routes.find(queue.topic, refresh=True)
            fresh.addErrback(lambda _: None)
        if isinstance(error, RequestTimeout):
            channel.session.suspect(address, self._attempt_at)
        if not retryable or self._left <= 0 or now >= self._deadline:
            self._finish(Failure(SendError(queue.topic, self._attempts)))
            return
        self._failed_at = queue.broker_name
        self._again(queue)

    def _again(self, failed: MessageQueue) -> None:
        """Try another broker at once, the same one after a pause."""
        routes = self._channel.session.routes
        queues = routes.writable(failed.topic)
        if any(queue.broker_name != failed.broker_name for queue in queues):
            self._attempt(queues)
            return
        reactor = self._channel.session.reactor
        pause = min(
            _PAUSE * len(self._attempts), self._deadline - self._channel.seconds()
        )
        self._then(
            deferLater(reactor, pause), self._room_found, self._finish, limited=False
        )

    # -- the end

    def _cancelled(self, result: Deferred[SendResult]) -> None:
        """The caller wants no result any more; a late answer is dropped."""
        self._end()
        result.errback(SendCancelled(self._written))
        if self._step is not None:
            self._step.cancel()

    def _finish(self, outcome: Any) -> None:
        """Give the outcome to the caller, unless the caller has gone."""
        if self.result.called:
            return
        if isinstance(outcome, Failure) and outcome.check(CancelledError):
            outcome = Failure(SendCancelled(self._written))
        self._end()
        if isinstance(outcome, Failure):
            self.result.errback(outcome)
        else:
            self.result.callback(outcome)

    def _end(self) -> None:
        """Make room for others."""
        self._channel.under_way.discard(self)
        if self._has_room:
            self._has_room = False
            self._channel.flow.give(self._prepared.size)
