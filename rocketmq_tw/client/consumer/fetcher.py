"""
Pulling one queue, again and again, as long as it is ours.

The next pull leaves before the messages of the last one are handed over, so that the
broker works while the handlers do. A broker holds a pull that finds nothing for 15 s;
the client waits 30 s for the answer.

Source: ``DefaultMQPushConsumerImpl.pullMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.process_queue import CacheSize, ProcessQueue
from rocketmq_tw.client.consumer.pull_result import PullStatus, read_response
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import BrokerError, ConnectError
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pull import (
    COMMIT_OFFSET,
    SUSPEND,
    PullMessage,
    PullResponse,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Milliseconds that a broker may hold a pull; seconds that we wait for its answer.
SUSPEND_MS: Final = 15_000
TIMEOUT: Final = 30.0
#: Seconds without an answer after which the watchdog pulls anew.
STUCK: Final = TIMEOUT + 15.0
#: Seconds until the next look when the cache is full, the consumer is paused, a broker
#: asks for less, and after any other error.
WHEN_FULL: Final = 0.05
WHEN_PAUSED: Final = 1.0
WHEN_SLOWED: Final = 0.02
AFTER_ERROR: Final = 1.0

_MIB: Final = 1 << 20
_FLOW_CONTROL: Final = 215
_MASTER: Final = 0


class PullLimits(msgspec.Struct, frozen=True, kw_only=True):
    """
    When a queue is not pulled further; each is compared with ``>``.

    :ivar span: queue offsets between the first message and the last.
    :ivar size: bytes of bodies, of one queue and of all queues of the consumer.
    """

    batch: int = 32
    messages: int = 1000
    span: int = 2000
    size: int = 100 << 20
    total_size: int = 64 << 20


class PullLoop:
    """
    Pulls one queue.

    :param subscription_of: what the group reads of the topic now; None ends nothing, it
        only holds the loop.
    :param hand_over: takes new messages; they are in ``held`` already.
    :param illegal: called with the loop, once, and the offset the broker proposes, when
        the queue does not hold ours. The loop has stopped then.
    :ivar paused: nothing is pulled meanwhile.
    :ivar next_offset: the queue offset to ask for next.
    """

    _log = Logger()

    def __init__(
        self,
        session: ClientSession,
        group: str,
        held: ProcessQueue,
        offsets: RemoteOffsetStore,
        cache: CacheSize,
        limits: PullLimits,
        subscription_of: Callable[[str], Subscription | None],
        hand_over: Callable[[ProcessQueue, list[StoredMessage]], None],
        illegal: Callable[[PullLoop, int], None],
    ) -> None:
        self._session = session
        self._group = group
        self.held = held
        self._offsets = offsets
        self._cache = cache
        self._limits = limits
        self._subscription_of = subscription_of
        self._hand_over = hand_over
        self._illegal = illegal
        self._stopped = True
        self._broker_id = _MASTER
        self._pending: Deferred[Any] | None = None
        self._pulled_at = 0.0
        self._failing = False
        self._later: IDelayedCall | None = None
        self.paused = False
        self.next_offset = 0

    def start(self, offset: int) -> None:
        """Pull from a queue offset on."""
        self.next_offset = offset
        self._stopped = False
        self._step()

    def stop(self) -> None:
        """Pull no more; an answer that is on its way is dropped."""
        self._stopped = True
        if self._later is not None:
            self._later.cancel()
            self._later = None
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()

    def wake(self) -> None:
        """Look at once whether to pull, instead of later."""
        if self._later is not None:
            self._later.cancel()
            self._step()

    def check(self) -> None:
        """Begin anew if the last pull was never answered: no loop may stand still."""
        waits = self._session.reactor.seconds() - self._pulled_at
        if self._stopped or self._pending is None or waits <= STUCK:
            return
        self._log.warn("pulling {queue} was stuck", queue=self.held.queue)
        pending, self._pending = self._pending, None
        pending.cancel()
        self._step()

    # -- one step

    def _step(self) -> None:
        """Pull, or look again in a while."""
        self._later = None
        if self._stopped or self._pending is not None:
            return
        wait = self._hold()
        subscription = self._subscription_of(self.held.queue.topic)
        if wait:
            self._step_in(wait)
        elif subscription is None:
            self._step_in(AFTER_ERROR)
        else:
            self._pull(subscription)

    def _step_in(self, seconds: float) -> None:
        """Take the next step later."""
        if not self._stopped and self._later is None:
            self._later = self._session.reactor.callLater(seconds, self._step)

    def _hold(self) -> float:
        """Give the seconds to hold back; 0 if there is room."""
        held, limits = self.held, self._limits
        if self.paused:
            return WHEN_PAUSED
        count = len(held)
        if not count:
            # However full the others are, an empty queue may have one pull's worth.
            return 0.0
        full = (
            count > limits.messages
            or held.size // _MIB > limits.size // _MIB
            or held.span > limits.span
            or self._cache.total > limits.total_size
        )
        return WHEN_FULL if full else 0.0

    def _pull(self, subscription: Subscription) -> None:
        """Ask the broker."""
        queue = self.held.queue
        session = self._session
        address = session.broker_address(
            queue.broker_name, self._broker_id, any_broker=True
        )
        if address is None:
            self._broker_id = _MASTER
            self._refresh_route()
            self._step_in(AFTER_ERROR)
            return
        commit = self._offsets.read(queue) or 0
        flags = SUSPEND
        # Replicas keep no offsets of their own.
        if commit > 0 and address == session.broker_address(queue.broker_name):
            flags |= COMMIT_OFFSET
        request = PullMessage(
            consumer_group=self._group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            queue_offset=self.next_offset,
            max_msg_nums=self._limits.batch,
            sys_flag=flags,
            commit_offset=commit if flags & COMMIT_OFFSET else 0,
            suspend_timeout_millis=SUSPEND_MS,
            sub_version=subscription.sub_version,
            expression_type=subscription.expression_type,
        )
        if flags & COMMIT_OFFSET:
            self._offsets.note_sent(queue, commit)
        self._pulled_at = session.reactor.seconds()
        pulled = self._pending = session.call(address, request, TIMEOUT)
        pulled.addCallback(self._answered, pulled, subscription)
        pulled.addErrback(self._failed, pulled)

    # -- what came of it

    def _answered(
        self, answer: PullResponse, pulled: Deferred[Any], subscription: Subscription
    ) -> None:
        """Take what was found, and pull on."""
        if pulled is not self._pending:
            return
        result = read_response(answer, self.held.queue, subscription)
        self._failing = False
        self._broker_id = result.suggested_broker_id
        if result.status is PullStatus.OFFSET_ILLEGAL:
            self._pending = None
            self._stopped = True
            self._illegal(self, result.next_offset)
            return
        if result.next_offset < self.next_offset:
            self._log.warn(
                "{queue} goes back from {here} to {there}",
                queue=self.held.queue,
                here=self.next_offset,
                there=result.next_offset,
            )
        fresh = self.held.put(result.messages)
        self._pending = None
        self.next_offset = result.next_offset
        if not len(self.held):
            # All before is consumed, or is not for us.
            self._offsets.update(self.held.queue, result.next_offset)
        self._step()
        if fresh:
            self._hand_over(self.held, fresh)

    def _failed(self, failure: Failure, pulled: Deferred[Any]) -> None:
        """Say why, and pull again in a while."""
        if pulled is not self._pending:
            if not isinstance(failure.value, CancelledError):
                self._log.failure("handing messages over failed", failure)
            return
        self._pending = None
        error = failure.value
        code = error.code if isinstance(error, BrokerError) else None
        if code == _FLOW_CONTROL:
            self._step_in(WHEN_SLOWED)
            return
        if code == ResponseCode.TOPIC_NOT_EXIST or isinstance(error, ConnectError):
            self._refresh_route()
        self._broker_id = _MASTER
        # One line, not one a second, for as long as it lasts.
        log = self._log.debug if self._failing else self._log.warn
        log("pulling {queue} failed: {error}", queue=self.held.queue, error=error)
        self._failing = True
        self._step_in(AFTER_ERROR)

    def _refresh_route(self) -> None:
        """Ask for the route anew: the queue may be elsewhere, or gone."""
        found = self._session.routes.find(self.held.queue.topic, refresh=True)
        found.addErrback(lambda _: None)
