"""
The requests of one client that wait for replies.

A broker pushes a reply over a connection of the client, and waits until it is
confirmed. One that nobody waits for any more is confirmed, too: there is nothing that
the responder could do about it.

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
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import ARRIVE_TIME, CORRELATION_ID, StoredMessage
from rocketmq_tw.model.sysflag import COMPRESSED
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import PushReplyMessage


class OutstandingRequests:
    """
    Maps the correlation ids of requests to those who wait for the replies.

    Each has an entry until its reply is here, it has failed, its time is over, or its
    Deferred is cancelled; ``max_outstanding_requests`` of the client's configuration
    limits how many there are.

    :param router: handles the requests of brokers.
    """

    _log = Logger()

    def __init__(
        self, router: Router, clock: IReactorTime, config: ClientConfig
    ) -> None:
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._config = config
        self._waiting: dict[str, Deferred[StoredMessage]] = {}
        router.on(PushReplyMessage, self._received)

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(
        self, correlation_id: str, topic: str, timeout: float
    ) -> Deferred[StoredMessage]:
        """
        Wait for the reply to a request that is about to be sent to a topic.

        :returns: fails with :class:`ReplyTimeout` after so many seconds. Cancelling it
            removes the entry.
        :raises QueueFull: too many requests wait.
        """
        limit = self._config.max_outstanding_requests
        if len(self._waiting) >= limit:
            raise QueueFull(
                f"{len(self._waiting)} requests wait for replies, as many as"
                " max_outstanding_requests of the client lets"
            )
        waiting: Deferred[StoredMessage] = Deferred(
            lambda _: self._forget(correlation_id)
        )
        self._waiting[correlation_id] = waiting

        def late(_result: Any, seconds: float) -> Failure:
            return Failure(ReplyTimeout(topic, seconds))

        return waiting.addTimeout(timeout, self._clock, late)

    def fail(self, correlation_id: str, failure: Failure) -> None:
        """Fail a request, if its reply is not here."""
        waiting = self._waiting.pop(correlation_id, None)
        if waiting is not None:
            waiting.errback(failure)

    def _forget(self, correlation_id: str) -> None:
        """Wait no more: the time is over, or the caller has cancelled."""
        self._waiting.pop(correlation_id, None)

    def _received(self, push: PushReplyMessage, _call: Call) -> Response:
        """Pass a reply to the request that waits for it."""
        text = push.properties or ""
        correlation_id = properties.find(text, CORRELATION_ID)
        waiting = self._waiting.pop(correlation_id or "", None)
        if waiting is None:
            self._log.debug(
                "a reply came to a request that does not wait: {id}",
                id=log_safe(correlation_id or "without an id"),
            )
        else:
            waiting.callback(self._message(push, text))
        return Response()

    def _message(self, push: PushReplyMessage, text: str) -> StoredMessage:
        """Return the reply as a message; its body is inflated when it is read."""
        table = properties.decode(text)
        table[ARRIVE_TIME] = str(int(self._wall_time() * 1000))
        message = StoredMessage(
            topic=push.topic,
            body=push.body,
            queue_id=push.queue_id,
            queue_offset=0,
            commit_log_offset=0,
            flag=push.flag,
            sys_flag=push.sys_flag,
            born_time_ms=push.born_timestamp,
            born_host=push.born_host,
            store_time_ms=push.store_timestamp,
            store_host=push.store_host,
            reconsume_times=push.reconsume_times or 0,
            prepared_transaction_offset=0,
            properties=table,
            size=0,
            body_crc=0,
        )
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
