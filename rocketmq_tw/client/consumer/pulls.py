"""
Sends the pulls of one queue, and waits for their responses.

On the path of every message, once a pull: if the broker is connected there is no
Deferred and no timer for each pull, and the header is prepared. Everything else is left
to :meth:`.Brokers.call`. Measured: 2.7 microseconds of CPU a pull in place of 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.client.time_limits import TimeLimit
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import no_response
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.prepared_pull import decode_found, encode_pull, pull_format
from rocketmq_tw.wire.requests.pull import (
    SUBSCRIPTION,
    SUSPEND,
    PullMessage,
    PullResponse,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers

#: Milliseconds for which a broker may hold a pull; seconds to wait for its response.
SUSPEND_MS: Final = 15_000
TIMEOUT: Final = 30.0


class PullKind(msgspec.Struct, frozen=True):
    """
    The requests that a kind of consumer pulls with.

    :ivar request: the type of the requests.
    :ivar flags: their system flags; ``SUBSCRIPTION`` sends the subscription along.
    """

    request: type[PullMessage] = PullMessage
    flags: int = SUSPEND


PUSH: Final = PullKind()


class PullSender:
    """
    Sends the pulls of one queue.

    :param batch: messages requested by one pull.
    :param received: called with a response and its :class:`Pull`; what it raises is
        passed to ``failed``.
    :param failed: called with a failure and its pull.
    """

    def __init__(
        self,
        *,
        group: str,
        queue: MessageQueue,
        batch: int,
        kind: PullKind,
        brokers: Brokers,
        clock: IReactorTime,
        received: Callable[[PullResponse, Pull], None],
        failed: Callable[[Failure, Pull], None],
    ) -> None:
        self._group = group
        self._queue = queue
        self._batch = batch
        self._kind = kind
        self._form = b""
        #: The subscription that the prepared header is for.
        self._form_for: Subscription | None = None
        self.brokers = brokers
        self.clock = clock
        self.received = received
        self.failed = failed
        self.request_type = kind.request

    def request(
        self, subscription: Subscription, *, offset: int, commit: int, flags: int
    ) -> PullMessage:
        """Return the request of a pull."""
        by_itself = flags & SUBSCRIPTION
        return self.request_type(
            consumer_group=self._group,
            topic=self._queue.topic,
            queue_id=self._queue.queue_id,
            queue_offset=offset,
            max_msg_nums=self._batch,
            sys_flag=flags,
            commit_offset=commit,
            suspend_timeout_millis=SUSPEND_MS,
            subscription=subscription.sub_string if by_itself else None,
            sub_version=subscription.sub_version,
            expression_type=subscription.expression_type,
        )

    def form(self, subscription: Subscription) -> bytes:
        """Return the prepared header of pulls; see :func:`pull_format`."""
        if subscription is not self._form_for and subscription != self._form_for:
            request = self.request(
                subscription, offset=0, commit=0, flags=self._kind.flags
            )
            self._form, self._form_for = pull_format(request), subscription
        return self._form


class Pull:
    """
    One pull; if the broker is connected, it is the :class:`.Caller` itself.

    :ivar subscription: to the topic when it was sent.
    """

    __slots__ = (
        "_address",
        "_connection",
        "_deferred",
        "_is_cancelled",
        "_opaque",
        "_sender",
        "_time_limit",
        "request_type",
        "subscription",
    )

    def __init__(
        self, sender: PullSender, address: str, subscription: Subscription
    ) -> None:
        self._sender = sender
        self._address = address
        self._connection: RemotingProtocol | None = None
        self._time_limit: TimeLimit | None = None
        self._deferred: Deferred[Any] | None = None
        self._is_cancelled = False
        self._opaque = 0
        self.subscription = subscription
        self.request_type = sender.request_type

    def send(self, *, offset: int, commit: int, flags: int) -> None:
        """
        Send the request. The response may be there before this returns.

        :param offset: the queue offset to pull from.
        :param commit: the offset that the broker stores with ``COMMIT_OFFSET``, else 0.
        """
        sender, subscription = self._sender, self.subscription
        live = sender.brokers.live(self._address)
        if live is not None and live.sign is None and not live.calls.is_full:
            calls = live.calls
            self._connection = live
            self._opaque = opaque = calls.next_opaque()
            form = sender.form(subscription)
            self._time_limit = limit = sender.brokers.time_limits.of(TIMEOUT)
            limit.add(self, sender.clock.seconds())
            calls.expect(opaque, self, decode_found, with_body=True)
            live.write_request(encode_pull(form, commit, offset, flags, opaque), False)
            return
        request = sender.request(
            subscription, offset=offset, commit=commit, flags=flags
        )
        called: Deferred[Any] = sender.brokers.call(self._address, request, TIMEOUT)
        self._deferred = called
        called.addCallback(sender.received, self)
        called.addErrback(sender.failed, self)

    def cancel(self) -> None:
        """Ignore a late response."""
        self._is_cancelled = True
        if self._connection is not None:
            self._has_ended()
            self._connection.calls.forget(self._opaque)
        elif self._deferred is not None:
            self._deferred.cancel()

    # -- what the connection and the time limit call

    def responded(self, response: PullResponse) -> None:
        """Pass on the response."""
        sender = self._sender
        self._has_ended()
        try:
            sender.received(response, self)
        except Exception:
            sender.failed(Failure(), self)

    def failed(self, failure: Failure) -> None:
        """Pass on the failure, unless it was cancelled because another call failed."""
        if self._is_cancelled:
            return
        self._has_ended()
        self._sender.failed(failure, self)

    def expire(self) -> None:
        """Fail: there was no response in time."""
        self.cancel()
        error = no_response(self._address, self.request_type, TIMEOUT)
        self._sender.failed(Failure(error), self)

    def _has_ended(self) -> None:
        """Do not let it expire."""
        if self._time_limit is not None:
            self._time_limit.discard(self)
