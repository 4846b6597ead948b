"""
Sends the requests of one producer, and waits for their replies.

Source: ``DefaultMQProducerImpl.request`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NotRunning, ReplyTimeout
from rocketmq_tw.client.replies.messages import as_request
from rocketmq_tw.model.message import Message, StoredMessage

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Sends a message; fails as a producer's ``send`` does. The number is its timeout.
Send = Callable[[Message, float], Deferred[Any]]


class Requester:
    """Sends requests."""

    def __init__(self, session: ClientSession) -> None:
        self._client_id = session.client_id
        self._outstanding = session.outstanding
        self._brokers = session.reply_brokers
        self._clock = session.clock
        #: The correlation ids of this producer's requests that wait.
        self._waiting: set[str] = set()

    def request(
        self, message: Message, timeout: float, send: Send
    ) -> Deferred[StoredMessage]:
        """
        Send a request.

        :param timeout: seconds for all, until the reply is here.
        :returns: fires with the reply. Fails as ``send`` does, and with
            :class:`ReplyTimeout` and :class:`NotRunning`.
        """
        return Deferred.fromCoroutine(self._request(message, timeout, send))

    async def _request(
        self, message: Message, timeout: float, send: Send
    ) -> StoredMessage:
        """Register where replies may come from, send, and wait for the reply."""
        left = timeout
        if not left > 0:
            raise ReplyTimeout(message.topic, timeout)
        if not self._brokers.is_ready(message.topic):
            begin = self._clock.seconds()
            # The request may have its reply also if a broker could not be reached.
            ready = self._brokers.prepare(message.topic)
            ready.addTimeout(timeout / 2, self._clock, lambda result, _seconds: None)
            await ready
            left -= self._clock.seconds() - begin
        correlation_id = str(uuid4())
        reply = self._outstanding.expect(correlation_id, message.topic, left)
        self._waiting.add(correlation_id)
        request = as_request(message, correlation_id, self._client_id, left)
        sent = send(request, left)
        sent.addErrback(self._not_sent, correlation_id)
        try:
            return await reply
        except ReplyTimeout:
            raise ReplyTimeout(message.topic, timeout) from None
        finally:
            self._waiting.discard(correlation_id)
            # If the reply came before the broker's response, that is not waited for.
            sent.cancel()

    def _not_sent(self, failure: Failure, correlation_id: str) -> None:
        """Fail a request that could not be sent."""
        self._outstanding.fail(correlation_id, failure)

    def stop(self) -> None:
        """Fail the requests that still wait: the producer leaves its group."""
        for correlation_id in list(self._waiting):
            error = NotRunning("the producer was stopped before the reply came")
            self._outstanding.fail(correlation_id, Failure(error))
