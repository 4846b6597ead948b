"""
Pulls one queue while it is assigned to this consumer.

Messages are dispatched as soon as they are here; the next pull follows at once, and
leaves with those of other queues whose responses came together with this one. Handlers
that wait run while the broker works. A broker holds a pull that finds nothing for 15 s;
the client waits 30 s for the response.

Source: ``DefaultMQPushConsumerImpl.pullMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.limits import CacheSize, PullLimits, is_over
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.consumer.pull_result import PullStatus, read_response
from rocketmq_tw.client.consumer.pulls import (
    PUSH,
    TIMEOUT,
    Pull,
    PullKind,
    PullSender,
)
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import MASTER_ID
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import BrokerError, ConnectError, ConnectionLost
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pull import COMMIT_OFFSET, PullResponse

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.client.routes import RouteCache

#: Seconds without a response or a timeout after which the watchdog pulls again.
WATCHDOG: Final = TIMEOUT + 15.0
#: Seconds until the next step: while the cache is over its limit, while the queue is
#: paused or not locked, when a broker asks for fewer requests, and after other errors.
OVER_LIMIT_WAIT: Final = 0.05
PAUSED_WAIT: Final = 1.0
FLOW_CONTROL_WAIT: Final = 0.02
ERROR_WAIT: Final = 1.0


class FetchOffsets(Protocol):
    """The offsets of a consumer, as its fetchers use them."""

    def for_pull(self, queue: MessageQueue) -> int:
        """Return the offset that a pull commits; 0: none."""

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Called when nothing before ``offset`` is left in the cache."""

    def note_sent(self, queue: MessageQueue, offset: int) -> bool:
        """Called with an offset that was sent with a pull; returns if it is new."""

    def note_lost(self, queue: MessageQueue) -> None:
        """Called when a pull has failed that took a new offset along."""


class Fetcher:
    """
    Pulls one queue.

    :param messages: holds pulled messages until they are consumed.
    :param cache: counts the bytes held by all queues of the consumer.
    :param subscription_of: returns the subscription to the topic; while it is None,
        nothing is pulled.
    :param is_held: whether the queue is locked by this consumer, or needs no lock;
        while it is not, nothing is pulled.
    :param dispatch: dispatches new messages, which are in ``messages`` already.
    :param on_illegal_offset: called once, with the fetcher and the offset the broker
        proposes, if ours is outside the queue. The fetcher has stopped then.
    :param kind: the requests to pull with.
    :ivar queue: the queue to pull.
    :ivar paused: True while nothing should be pulled.
    :ivar pulled_at: when the last pull was sent.
    :ivar next_offset: the queue offset of the next pull.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        group: str,
        messages: ProcessQueue,
        offsets: FetchOffsets,
        cache: CacheSize,
        limits: PullLimits,
        brokers: Brokers,
        routes: RouteCache,
        clock: IReactorTime,
        subscription_of: Callable[[str], Subscription | None],
        is_held: Callable[[MessageQueue], bool],
        dispatch: Callable[[ProcessQueue, list[StoredMessage]], None],
        on_illegal_offset: Callable[[Fetcher, int], None],
        kind: PullKind = PUSH,
    ) -> None:
        self.messages = messages
        self._offsets = offsets
        self._cache = cache
        self._limits = limits
        self._brokers = brokers
        self._routes = routes
        self._clock = clock
        self._subscription_of = subscription_of
        self._is_held = is_held
        self._dispatch = dispatch
        self._on_illegal_offset = on_illegal_offset
        self._flags = kind.flags
        self._stopped = True
        self._broker_id = MASTER_ID
        self._pending: Pull | None = None
        #: Whether the pull in flight takes a new offset along.
        self._commits = False
        self.pulled_at = 0.0
        self._failing = False
        self._scheduled: IDelayedCall | None = None
        self.queue: MessageQueue = messages.queue
        self.paused = False
        self.next_offset = 0
        self._sender = PullSender(
            group=group,
            queue=messages.queue,
            batch=limits.batch,
            kind=kind,
            brokers=brokers,
            clock=clock,
            received=self._received,
            failed=self._failed,
        )

    def start(self, offset: int) -> None:
        """Start pulling at a queue offset."""
        self.next_offset = offset
        self._stopped = False
        self._step()

    def stop(self) -> None:
        """Stop pulling; the response of a pull in flight is dropped."""
        self._stopped = True
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()

    def wake(self) -> None:
        """Take the scheduled step now."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._step()

    def check(self) -> None:
        """Pull again if the last pull got neither a response nor a timeout."""
        waits = self._clock.seconds() - self.pulled_at
        if self._stopped or self._pending is None or waits <= WATCHDOG:
            return
        self._log.warn(
            "pulling {queue} again: no response for {waits:.0f} s",
            queue=self.queue,
            waits=waits,
        )
        pending, self._pending = self._pending, None
        pending.cancel()
        self._commit_lost()
        self._step()

    # -- one step

    def _step(self) -> None:
        """Pull now, or schedule the next step."""
        self._scheduled = None
        if self._stopped or self._pending is not None:
            return
        subscription = self._subscription_of(self.queue.topic)
        if self.paused or not self._is_held(self.queue):
            self._step_in(PAUSED_WAIT)
        elif is_over(self._limits, self.messages, self._cache):
            self._step_in(OVER_LIMIT_WAIT)
        elif subscription is None:
            self._step_in(ERROR_WAIT)
        else:
            self._pull(subscription)

    def _step_in(self, seconds: float) -> None:
        """Schedule the next step."""
        if not self._stopped and self._scheduled is None:
            self._scheduled = self._clock.callLater(seconds, self._step)

    def _pull(self, subscription: Subscription) -> None:
        """Send a pull to the broker that was suggested last."""
        queue, brokers = self.queue, self._brokers
        address = brokers.address(queue.broker_name, self._broker_id, any_broker=True)
        if address is None:
            self._broker_id = MASTER_ID
            self._refresh_route()
            self._step_in(ERROR_WAIT)
            return
        commit, flags = self._offsets.for_pull(queue), self._flags
        # Only the master keeps offsets; replicas copy them.
        if commit > 0 and address == brokers.address(queue.broker_name):
            flags |= COMMIT_OFFSET
            self._commits = self._offsets.note_sent(queue, commit)
        else:
            commit = 0
            self._commits = False
        self.pulled_at = self._clock.seconds()
        self._pending = pull = Pull(self._sender, address, subscription)
        pull.send(offset=self.next_offset, commit=commit, flags=flags)

    # -- the result of a pull

    def _received(self, response: PullResponse, pull: Pull) -> None:
        """Keep and dispatch the messages, then send the next pull."""
        if pull is not self._pending:
            return
        result = read_response(
            response, self.queue, pull.subscription, self._limits.inflate
        )
        self._failing = False
        self._broker_id = result.suggested_broker_id
        if result.status is not PullStatus.FOUND:
            self._look_for_suggested()
        if result.status is PullStatus.OFFSET_ILLEGAL:
            self._pending = None
            self._stopped = True
            self._on_illegal_offset(self, result.next_offset)
            return
        if result.next_offset < self.next_offset:
            self._log.warn(
                "the broker moved {queue} back from {here} to {there}",
                queue=self.queue,
                here=self.next_offset,
                there=result.next_offset,
            )
        if result.messages:
            counts = self.messages.counts
            counts.pulls += 1
            counts.pull_time += self._clock.seconds() - self.pulled_at
            counts.pulled += len(result.messages)
        new = self.messages.put(result.messages)
        self._pending = None
        self.next_offset = result.next_offset
        if not len(self.messages):
            # Everything before is consumed or did not match.
            self._offsets.update(self.queue, result.next_offset)
        try:
            if new:
                self._dispatch(self.messages, new)
        finally:
            if result.messages and self._limits.interval:
                self._step_in(self._limits.interval)
            else:
                self._step()

    def _look_for_suggested(self) -> None:
        """Refresh the route if it lacks the broker that is to be asked next."""
        if self._brokers.address(self.queue.broker_name, self._broker_id) is None:
            self._refresh_route()

    def _failed(self, failure: Failure, pull: Pull) -> None:
        """Log the failure and schedule another pull."""
        if pull is not self._pending:
            if not isinstance(failure.value, CancelledError):
                self._log.failure("dispatching messages failed", failure)
            return
        self._pending = None
        self._commit_lost()
        error = failure.value
        code = error.code if isinstance(error, BrokerError) else None
        if code == ResponseCode.FLOW_CONTROL:
            self._step_in(FLOW_CONTROL_WAIT)
            return
        gone = isinstance(error, (ConnectError, ConnectionLost))
        if gone or code == ResponseCode.TOPIC_NOT_EXIST:
            self._refresh_route()
        self._broker_id = MASTER_ID
        # Log one warning, not one a second, while it keeps failing.
        log = self._log.debug if self._failing else self._log.warn
        log("pulling {queue} failed: {error}", queue=self.queue, error=error)
        self._failing = True
        self._step_in(ERROR_WAIT)

    def _commit_lost(self) -> None:
        """Let the offset be sent again that the last pull took along."""
        if self._commits:
            self._commits = False
            self._offsets.note_lost(self.queue)

    def _refresh_route(self) -> None:
        """Refresh the route: the queue may have moved, or may not exist any more."""
        found = self._routes.find(self.queue.topic, refresh=True)
        found.addErrback(lambda _: None)
