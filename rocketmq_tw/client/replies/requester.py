"""
Sends the requests of one producer, and waits for their replies.

Source: ``DefaultMQProducerImpl.request`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail

from rocketmq_tw.client.errors import NotRunning, ReplyTimeout
from rocketmq_tw.client.replies.messages import as_request, make_correlation_id
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

    def request(
        self, message: Message, timeout: float, send: Send
    ) -> Deferred[StoredMessage]:
        """
        Send a request.

        :param timeout: seconds for all, until the reply is here.
        :returns: fires with the reply. Fails as ``send`` does, and with
            :class:`ReplyTimeout` and :class:`NotRunning`.
        """
        try:
            if not timeout > 0:
                raise ReplyTimeout(message.topic, timeout)
            if self._brokers.is_ready(message.topic):
                return self._ask(message, timeout, timeout, send)
        except Exception:
            return fail()
        return Deferred.fromCoroutine(self._prepare_and_ask(message, timeout, send))

    async def _prepare_and_ask(
        self, message: Message, timeout: float, send: Send
    ) -> StoredMessage:
        """Register where replies may come from, send, and wait for the reply."""
        begin = self._clock.seconds()
        # The request may have its reply also if a broker could not be reached.
        ready = self._brokers.prepare(message.topic)
        ready.addTimeout(timeout / 2, self._clock, lambda result, _seconds: None)
        await ready
        left = max(timeout - (self._clock.seconds() - begin), 0)
        return await self._ask(message, timeout, left, send)

    def _ask(
        self, message: Message, timeout: float, left: float, send: Send
    ) -> Deferred[StoredMessage]:
        """
        Send a request within the seconds that are left, and wait for the reply.

        :raises Exception: it cannot be one, or too many wait; nothing of it is kept.
        """
        correlation_id = make_correlation_id()
        request = as_request(message, correlation_id, self._client_id, left)
        pending = self._outstanding.expect(
            correlation_id, message.topic, owner=self, timeout=timeout, left=left
        )
        pending.sent(send(request, left))
        return pending.result

    def stop(self) -> None:
        """Fail the requests that still wait: the producer leaves its group."""
        error = NotRunning("the producer was stopped before the reply came")
        self._outstanding.fail_all_of(self, error)
