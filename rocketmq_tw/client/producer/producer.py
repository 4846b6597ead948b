"""
The producer: sends messages, one Deferred each.

Source: ``DefaultMQProducer`` of RocketMQ 5 for the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail

from rocketmq_tw.client.errors import NotRunning, ValidationError
from rocketmq_tw.client.producer.attempt import call_one_way
from rocketmq_tw.client.producer.batches import send_in_turn, split
from rocketmq_tw.client.producer.large import LargeSend
from rocketmq_tw.client.producer.life import ProducerLife
from rocketmq_tw.client.producer.message import LargeBody, Prepared
from rocketmq_tw.client.producer.recall import recall
from rocketmq_tw.client.producer.results import SendResult
from rocketmq_tw.client.producer.selectors import Choice, Key, Selector, choice_of
from rocketmq_tw.client.producer.sends import ONE_WAY
from rocketmq_tw.client.replies.messages import as_reply
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.queue import MessageQueue


class Producer(ProducerLife):
    """
    Sends messages. Made by :meth:`rocketmq_tw.client.client.Client.producer`.

    :param group: the producer group; its name is sent with every message.
    :raises ValidationError: the group's name is not legal.
    :raises GroupInUse: the client has a producer of that group already.
    """

    def send(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[SendResult]:
        """
        Send a message, at least once.

        Without queue, key and selector the queues are used in turn, and a failure
        that may be temporary is followed by an attempt at another broker, or the same
        one later: a broker may be restarted within the timeout. If a connection
        was lost meanwhile, the message may be stored twice, under one unique key.
        Otherwise, to keep the order, only an attempt that was certainly not stored is
        repeated, at the same queue. See :mod:`rocketmq_tw.client.producer.retry`.

        :param queue: the queue to send to.
        :param key: messages with equal keys go to one queue, as in Java.
        :param selector: chooses the queue from the topic's, the message and ``key``.
        :param timeout: seconds, for all attempts; default: the configuration's.
        :returns: fires when the broker has stored the message. Fails with
            :class:`ValidationError`, :class:`NotRunning`, :class:`QueueFull`,
            :class:`NoRouteError`, :class:`NameServerUnavailable`, :class:`NotDurable`
            or :class:`SendError`, which lists the attempts. Cancelling it prevents
            further attempts: see :class:`SendCancelled`.
        """
        choice: Choice | None = None
        try:
            choice = choice_of(message, queue, key, selector)
            if choice is not None and self._large.is_busy:
                raise LargeBody
            prepared = self._ready().one(message)
        except LargeBody:
            return self._send_large(message, choice, timeout)
        except Exception:
            return fail()
        sends = self._sends
        retry = sends.retry if choice is None else sends.retry_in_order
        limit = self.config.timeout if timeout is None else timeout
        try:
            quick = self._quick.send(prepared, choice, limit, retry)
        except Exception:
            return fail()
        if quick is None:
            return sends.send(prepared, choice, limit)
        tracer = sends.tracer
        return quick if tracer is None else tracer.watch(prepared, quick)

    def send_oneway(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[None]:
        """
        Send a message without a response, at most once.

        :returns: fires once the message is written and the socket accepts more data, so
            that a caller who waits sends no faster than the network. Fails like
            :meth:`send`; it is not known whether the broker has stored the message.
        """
        choice: Choice | None = None
        try:
            choice = choice_of(message, queue, key, selector)
            if choice is not None and self._large.is_busy:
                raise LargeBody
            prepared = self._ready().one(message)
        except LargeBody:
            return self._send_large(message, choice, timeout, one_way=True)
        except Exception:
            return fail()
        return self._sends.start(prepared, choice, timeout, ONE_WAY, call_one_way)

    def send_batch(
        self,
        messages: Sequence[Message],
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[SendResult]:
        """
        Send messages of one topic in one request, to one queue.

        :returns: like :meth:`send`; the queue offset is that of the first message.
            Fails with :class:`ValidationError` if they are too large or cannot be
            combined.
        """
        try:
            prepared = self._ready().batch(messages)
            choice = choice_of(messages[0], queue, key, selector)
        except Exception:
            return fail()
        return self._send_batch(prepared, messages[0], choice, timeout)

    def send_batches(
        self,
        messages: Sequence[Message],
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        max_size: int = 1 << 20,
        timeout: float | None = None,
    ) -> Deferred[list[SendResult]]:
        """
        Send messages of one topic in as few requests as their size lets, in order.

        :param max_size: bytes of one request; a larger message is sent by itself.
        :param timeout: seconds for each request.
        :returns: fires with the result of each request. Fails with
            :class:`BatchesIncomplete` after the first that fails, and with
            :class:`ValidationError` before anything is sent if a message is not valid.
        """
        try:
            limit = min(max_size, self.config.max_message_size)
            prepared = split(self._ready(), messages, limit)
            choice = choice_of(messages[0], queue, key, selector) if messages else None
        except Exception:
            return fail()

        def send(batch: Prepared) -> Deferred[SendResult]:
            return self._send_batch(batch, messages[0], choice, timeout)

        return Deferred.fromCoroutine(send_in_turn(prepared, send))

    def request(
        self,
        message: Message,
        *,
        queue: MessageQueue | None = None,
        key: Key | None = None,
        selector: Selector | None = None,
        timeout: float | None = None,
    ) -> Deferred[StoredMessage]:
        """
        Send a message, and wait for the reply of the consumer that gets it.

        :param timeout: seconds for the send and the reply together; default: the
            configuration's.
        :returns: fires with the reply. Fails like :meth:`send`, and with
            :class:`ReplyTimeout`; :class:`QueueFull`, too, if too many wait for
            replies; :class:`NotRunning` if the producer is stopped meanwhile.
            Cancelling it stops waiting; the request may be handled all the same.
        """

        def send(request: Message, limit: float) -> Deferred[SendResult]:
            return self.send(
                request, queue=queue, key=key, selector=selector, timeout=limit
            )

        try:
            self._ready()
        except NotRunning:
            return fail()
        limit = self.config.timeout if timeout is None else timeout
        return self._requester.request(message, limit, send)

    def reply(
        self,
        request: StoredMessage,
        body: bytes,
        *,
        properties: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Deferred[SendResult]:
        """
        Reply to a request that a consumer got.

        :param properties: of the reply.
        :returns: fires when the client that waits has the reply. Fails like
            :meth:`send`: with :class:`ValidationError` if the message is no request,
            with :class:`SendError` if that client is gone.
        """
        try:
            message = as_reply(request, body, properties)
        except ValidationError:
            return fail()
        return self.send(message, timeout=timeout)

    def recall(
        self, topic: str, handle: str, *, timeout: float | None = None
    ) -> Deferred[str]:
        """
        Cancel a message with a time or a delay, before it is delivered.

        :param handle: the ``recall_handle`` of the result of its send.
        :returns: fires with the unique key of the message once the broker has stored
            that it is cancelled. Nobody looks whether it still waited. Fails with
            :class:`ValidationError`, :class:`NotRunning`, or :class:`BrokerError`, for
            example when it is due already.
        """
        limit = self.config.timeout if timeout is None else timeout
        try:
            self._ready()
            called = recall(self._session.brokers, self.group, topic, handle, limit)
        except Exception:
            return fail()
        tracer = self._sends.tracer
        if tracer is not None:
            called.addCallback(tracer.recall_stored, topic)
        return called.addCallback(lambda response: response.msg_id)

    def _send_batch(
        self,
        prepared: Prepared,
        first: Message,
        choice: Choice | None,
        timeout: float | None,
    ) -> Deferred[SendResult]:
        """Send a batch, in order behind a large message if it has an order."""
        if choice is not None and self._large.is_busy:
            return self._send_large(first, choice, timeout, prepared=prepared)
        return self._sends.send(prepared, choice, timeout)

    def _send_large(
        self,
        message: Message,
        choice: Choice | None,
        timeout: float | None,
        one_way: bool = False,
        prepared: Prepared | None = None,
    ) -> Deferred[Any]:
        """Send a message whose body a thread compresses, or that waits for another."""
        limit = self.config.timeout if timeout is None else timeout
        try:
            ready, sends = self._ready(), self._sends
            send = LargeSend(ready, sends, message, choice, one_way, prepared)
            return self._large.add(send, limit)
        except Exception:
            return fail()
