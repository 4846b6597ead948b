"""
The requests of one client that wait for replies.

A broker pushes a reply over a connection of the client, and waits until it is
confirmed. One that nobody waits for any more is confirmed, too: there is nothing that
the responder could do about it.

This is on the path of every request: it has no timer of its own, and no Deferred but
the one that its caller gets.

Source: ``RequestFutureHolder`` and ``ClientRemotingProcessor.receiveReplyMessage`` of
RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.config import ClientConfig
from rocketmq_tw.client.errors import QueueFull, ReplyTimeout
from rocketmq_tw.client.time_limits import TimeLimit, TimeLimits
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import ARRIVE_TIME, CORRELATION_ID, StoredMessage
from rocketmq_tw.model.sysflag import COMPRESSED
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.pulled import PulledMessage
from rocketmq_tw.wire.requests.reply import PushReplyMessage


class PendingRequest:
    """
    A request without a reply yet.

    One is created for every request. Its arguments are positional, as those of
    :class:`~rocketmq_tw.client.producer.pending.PendingSend`.

    :param owner: the one that sends it.
    :param timeout: seconds that it was given, for the error.
    :ivar result: fires with the reply, as a :class:`StoredMessage`. Cancelling it stops
        waiting.
    """

    __slots__ = (
        "_outstanding",
        "_sending",
        "_time_limit",
        "_timeout",
        "_topic",
        "correlation_id",
        "owner",
        "result",
    )

    def __init__(
        self,
        outstanding: OutstandingRequests,
        owner: object,
        correlation_id: str,
        topic: str,
        timeout: float,
        time_limit: TimeLimit,
    ) -> None:
        self._outstanding = outstanding
        self.owner = owner
        self.correlation_id = correlation_id
        self._topic = topic
        self._timeout = timeout
        self._time_limit = time_limit
        self._sending: Deferred[Any] | None = None
        self.result: Deferred[StoredMessage] = Deferred(self._cancelled)

    def sent(self, sending: Deferred[Any]) -> None:
        """
        Fail if its message cannot be sent.

        :param sending: the send of its message, which is cancelled at the end: if the
            reply came before the broker's response, that is not waited for.
        """
        self._sending = sending
        sending.addErrback(self.fail)
        if self.result.called:
            sending.cancel()

    def replied(self, reply: StoredMessage) -> None:
        """Fire with the reply, unless it waits no more."""
        if self._end():
            self.result.callback(reply)

    def fail(self, failure: Failure) -> None:
        """Fail, unless it waits no more."""
        if self._end():
            self.result.errback(failure)

    def expire(self) -> None:
        """Fail: no reply has come in time."""
        self.fail(Failure(ReplyTimeout(self._topic, self._timeout)))

    def _cancelled(self, _result: Deferred[StoredMessage]) -> None:
        """Wait no more, because the caller has cancelled."""
        self._end()

    def _end(self) -> bool:
        """Wait no more; return whether it waited until now."""
        # Cancelling the send leads to this again.
        if not self._outstanding.forget(self):
            return False
        self._time_limit.discard(self)
        if self._sending is not None:
            self._sending.cancel()
        return True


class OutstandingRequests:
    """
    Maps the correlation ids of requests to those who wait for the replies.

    Each has an entry until its reply is here, it has failed, its time is over, or its
    Deferred is cancelled; ``max_outstanding_requests`` of the client's configuration
    limits how many there are.

    :param router: handles the requests of brokers.
    :param time_limits: those of the client; who has them stops them.
    """

    _log = Logger()

    def __init__(
        self,
        router: Router,
        clock: IReactorTime,
        time_limits: TimeLimits,
        config: ClientConfig,
    ) -> None:
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._time_limits = time_limits
        self._config = config
        self._waiting: dict[str, PendingRequest] = {}
        router.on(PushReplyMessage, self._received)

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(
        self,
        correlation_id: str,
        topic: str,
        *,
        owner: object,
        timeout: float,
        left: float,
    ) -> PendingRequest:
        """
        Wait for the reply to a request that is about to be sent to a topic.

        :param timeout: seconds that its caller has set, for the error.
        :param left: seconds until it fails with :class:`ReplyTimeout`.
        :raises QueueFull: too many requests wait.
        """
        limit = self._config.max_outstanding_requests
        if len(self._waiting) >= limit:
            raise QueueFull(
                f"{len(self._waiting)} requests wait for replies, as many as"
                " max_outstanding_requests of the client lets"
            )
        time_limit = self._time_limits.of(left)
        pending = PendingRequest(
            self, owner, correlation_id, topic, timeout, time_limit
        )
        self._waiting[correlation_id] = pending
        time_limit.add(pending, self._clock.seconds())
        return pending

    def fail_all_of(self, owner: object, error: Exception) -> None:
        """Fail the requests of one producer that still wait."""
        for pending in list(self._waiting.values()):
            if pending.owner is owner:
                pending.fail(Failure(error))

    def forget(self, pending: PendingRequest) -> bool:
        """Remove a request that waits no more; return whether it was there."""
        return self._waiting.pop(pending.correlation_id, None) is not None

    def _received(self, push: PushReplyMessage, _call: Call) -> Response:
        """Pass a reply to the request that waits for it."""
        text = push.properties or ""
        correlation_id = properties.find(text, CORRELATION_ID)
        pending = self._waiting.get(correlation_id or "")
        if pending is None:
            self._log.debug(
                "a reply came to a request that does not wait: {id}",
                id=log_safe(correlation_id or "without an id"),
            )
        else:
            pending.replied(self._message(push, text))
        return Response()

    def _message(self, push: PushReplyMessage, text: str) -> StoredMessage:
        """Return the reply as a message; what few read is decoded when it is read."""
        arrived = f"{ARRIVE_TIME}\x01{int(self._wall_time() * 1000)}\x02"
        if text and text[-1] != properties.PAIR_END:
            text += properties.PAIR_END
        text += arrived
        kind: type[StoredMessage] = PulledMessage
        table: Any = text.encode("utf-8", "replace")
        if push.sys_flag & COMPRESSED:
            kind, table = StoredMessage, properties.decode(text)
        message = kind(
            push.topic, push.body, push.queue_id, 0, 0, push.flag, push.sys_flag,
            push.born_timestamp, push.born_host, push.store_timestamp, push.store_host,
            push.reconsume_times or 0, 0, table, 0, 0,
        )  # fmt: skip
        if push.sys_flag & COMPRESSED:
            return _inflated_later(message, self._config)
        return message


def _inflated_later(message: StoredMessage, config: ClientConfig) -> StoredMessage:
    """Return the message with a body that is inflated when it is read."""
    # Here, because other clients need not import it.
    from rocketmq_tw.client.consumer.compressed import (
        CompressedBody,
        InflateLimits,
        inflate_later,
    )

    body = CompressedBody.of(message.body, message.sys_flag)
    kept = msgspec.structs.replace(message, body=body)
    return inflate_later([kept], InflateLimits.of(config))[0]
