"""
One attempt to send a message: connect if needed, write, wait for the response.

Source: ``DefaultMQProducerImpl.sendKernelImpl`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.producer.message import Prepared
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire.requests.send import SendMessageV2, SendResponse

#: Sends a request; fires with the response, or None for a one-way request.
Transmit = Callable[
    [RemotingProtocol, SendMessageV2, float], Deferred[SendResponse | None]
]


def call(
    connection: RemotingProtocol, request: SendMessageV2, timeout: float
) -> Deferred[Any]:
    """Send a request and wait for the response."""
    return connection.call(request, timeout)


def call_one_way(
    connection: RemotingProtocol, request: SendMessageV2, timeout: float
) -> Deferred[Any]:
    """Send a one-way request; fires once the socket accepts more data."""
    connection.call_one_way(request)
    return connection.when_writable()


class SendAttempt:
    """
    One attempt to send to one queue. Created for every message, like
    :class:`PendingSend`.

    :param started_at: the time now, in seconds.
    :param limit: its timeout in seconds.
    :param born_at: the time of day now, in seconds since the epoch.
    :ivar address: the address of the queue's broker; "?" if it is unknown.
    :ivar written: whether the request was written, so that the broker may store it.
    """

    __slots__ = (
        "_born_at",
        "_brokers",
        "_clock",
        "_limit",
        "address",
        "queue",
        "started_at",
        "written",
    )

    def __init__(
        self,
        brokers: Brokers,
        clock: IReactorTime,
        queue: MessageQueue,
        started_at: float,
        limit: float,
        born_at: float,
    ) -> None:
        self._born_at = born_at
        self._brokers = brokers
        self._clock = clock
        self._limit = limit
        self.address = "?"
        self.queue = queue
        self.started_at = started_at
        self.written = False

    def run(
        self, prepared: Prepared, group: str, transmit: Transmit
    ) -> Deferred[SendResponse | None]:
        """
        Make the attempt.

        :returns: fails with :class:`ConnectError` if nothing could be written, or like
            ``transmit``.
        """
        brokers = self._brokers
        address = brokers.address(self.queue.broker_name)
        if address is None:
            why = "the address of its master is not known"
            return fail(ConnectError(self.queue.broker_name, why))
        self.address = address
        live = brokers.live(address)
        if live is not None:
            request = prepared.request(group, self.queue, self._born_at)
            response = transmit(live, request, self._limit)
            self.written = True
            return response

        def write(connection: RemotingProtocol) -> Deferred[SendResponse | None]:
            now = self._clock.seconds()
            left = self.started_at + self._limit - now
            if left <= 0:
                raise self._not_connected(now - self.started_at)
            request = prepared.request(group, self.queue, self._born_at)
            response = transmit(connection, request, left)
            self.written = True
            return response

        connected = brokers.connection(address)
        connected.addTimeout(self._limit, self._clock, self._connect_timed_out)
        return connected.addCallback(write)

    def _connect_timed_out(self, _result: Any, seconds: float) -> Failure:
        """Turn the cancellation by the timeout into a ConnectError."""
        return Failure(self._not_connected(seconds))

    def _not_connected(self, seconds: float) -> ConnectError:
        """Return the error of a connection that took too long."""
        why = f"could not connect in {seconds:g} s"
        return self._brokers.connect_error(self.address, why)
