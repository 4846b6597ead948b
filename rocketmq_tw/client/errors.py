"""Errors of a client, besides those of the network and of brokers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import CancelledError

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import ConnectError, TransportError

if TYPE_CHECKING:
    from rocketmq_tw.client.producer.results import SendResult

#: How many of a message's attempts the text of a :class:`SendError` lists.
_LISTED_ATTEMPTS = 3


class StateError(RocketMQError):
    """The object is not in a state in which this is possible."""


class NotRunning(StateError):
    """The object was not started, or was stopped."""


class GroupInUse(StateError):
    """The client already has a member in this role and group."""

    def __init__(self, role: str, group: str) -> None:
        super().__init__(role, group)
        self.role = role
        self.group = group

    def __str__(self) -> str:
        return f'this client already has a {self.role} in the group "{self.group}"'


class NotAssigned(StateError):
    """The queue is not assigned to this consumer."""

    def __init__(self, queue: MessageQueue) -> None:
        super().__init__(queue)
        self.queue = queue

    def __str__(self) -> str:
        return f"{self.queue} is not assigned to this consumer"


class ValidationError(RocketMQError):
    """An argument is not valid; nothing was sent."""


class NameServerUnavailable(RocketMQError):
    """
    No name server responded.

    :ivar causes: the errors of all servers that were tried, by address.
    """

    retryable = True

    def __init__(self, causes: Mapping[str, BaseException]) -> None:
        super().__init__(causes)
        self.causes = dict(causes)

    def __str__(self) -> str:
        tried = "; ".join(
            f"{a}: {e.why if isinstance(e, TransportError) else e}"
            for a, e in self.causes.items()
        )
        return f"no name server responded ({tried or 'none is configured'})"


class BrokerUnreachable(ConnectError):
    """
    No connection to a broker's advertised address was ever made from here.

    The name servers pass on the address that the broker registers. It may be reachable
    only from its own host or network.

    :ivar hint: how to correct that.
    """

    @property
    def hint(self) -> str:
        """The last sentence of the error's text."""
        return (
            f"the broker advertises {self.address}; if that cannot be reached from"
            " here, set brokerIP1 or --advertise at the broker, or translate= at the"
            " client"
        )

    def __str__(self) -> str:
        return f"{self.address}: {self.why} ({self.hint})"


class NoRouteError(RocketMQError):
    """The name servers know no broker that holds the topic."""

    retryable = True

    def __init__(self, topic: str, why: str = "") -> None:
        super().__init__(topic, why)
        self.topic = topic
        self.why = why

    def __str__(self) -> str:
        why = self.why or "the name servers do not know it"
        return f'no route of the topic "{self.topic}": {why}'


class Attempt(msgspec.Struct, frozen=True):
    """
    One attempt to send.

    :ivar elapsed: its duration in seconds.
    :ivar cause: why it failed.
    """

    broker_name: str
    address: str
    queue_id: int
    elapsed: float
    cause: BaseException

    def __str__(self) -> str:
        where = f"{self.broker_name} ({self.address}) queue {self.queue_id}"
        cause = self.cause
        # The hint is the same for every attempt, so the SendError contains it once.
        why = cause.why if isinstance(cause, BrokerUnreachable) else cause
        return f"{where} after {self.elapsed:.3f} s: {why}"


class SendError(RocketMQError):
    """
    A message could not be sent.

    After a lost connection or a timeout the broker may have stored it nevertheless:
    sending it again may store it twice.

    :ivar topic: the topic of the message.
    :ivar attempts: all attempts, in order; empty if the timeout came before the first.
    :ivar why: why there was no further attempt, if the last one does not explain it.
    """

    def __init__(self, topic: str, attempts: Sequence[Attempt], why: str = "") -> None:
        super().__init__(topic, attempts, why)
        self.topic = topic
        self.attempts = list(attempts)
        self.why = why
        if attempts:
            self.__cause__ = attempts[-1].cause

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Whether a later send may succeed, judging by the last attempt."""
        return not self.attempts or getattr(self.attempts[-1].cause, "retryable", False)

    def __str__(self) -> str:
        listed = [str(attempt) for attempt in self.attempts[-_LISTED_ATTEMPTS:]]
        if len(self.attempts) > len(listed):
            listed.insert(0, f"{len(self.attempts)} attempts, the last ones")
        if self.why:
            listed.append(self.why)
        cause = self.attempts[-1].cause if self.attempts else None
        hint = f" ({cause.hint})" if isinstance(cause, BrokerUnreachable) else ""
        return f'sending to "{self.topic}" failed: {"; ".join(listed)}{hint}'


class SendCancelled(CancelledError):
    """
    A send was cancelled by the caller.

    :ivar maybe_sent: True if the request had been written: the broker may store it.
    """

    def __init__(self, maybe_sent: bool) -> None:
        super().__init__(maybe_sent)
        self.maybe_sent = maybe_sent

    def __str__(self) -> str:
        fate = "may have been" if self.maybe_sent else "was not"
        return f"the send was cancelled; the message {fate} stored"


class BatchesIncomplete(RocketMQError):
    """
    Of many messages, only the first were sent: a request failed, and none followed.

    :ivar results: those of the requests before.
    :ivar sent: how many messages these had; the others are not stored, but those of the
        failed request may be.
    """

    def __init__(self, results: Sequence[SendResult], sent: int, why: object) -> None:
        super().__init__(results, sent, why)
        self.results = list(results)
        self.sent = sent
        self.why = why

    def __str__(self) -> str:
        return f"only {self.sent} messages were sent: {self.why}"


class NotDurable(RocketMQError):
    """
    The master stored the message, but the required durability was not reached in time.

    :ivar result: the :class:`~rocketmq_tw.client.producer.results.SendResult`.
    """

    def __init__(self, result: SendResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return f"stored, but not durably: {self.result.status.name}"


class QueueFull(RocketMQError):
    """Too many messages are in flight, or wait to be; this one was not accepted."""

    retryable = True


class ReplyTimeout(RocketMQError):
    """
    No reply to a request came in time; it may have been handled, or will be.

    :ivar topic: the topic of the request.
    :ivar seconds: how long it was waited for.
    """

    retryable = True

    def __init__(self, topic: str, seconds: float) -> None:
        super().__init__(topic, seconds)
        self.topic = topic
        self.seconds = seconds

    def __str__(self) -> str:
        return f'no reply to a request of "{self.topic}" came in {self.seconds:g} s'


class OffsetOutOfRange(RocketMQError):
    """
    The offset is outside the queue.

    :ivar suggested: the queue offset that the broker proposes to continue at.
    """

    def __init__(self, queue: MessageQueue, offset: int, suggested: int) -> None:
        super().__init__(queue, offset, suggested)
        self.queue = queue
        self.offset = offset
        self.suggested = suggested

    def __str__(self) -> str:
        return f"{self.queue} does not hold {self.offset}; continue at {self.suggested}"


class ReceiptExpired(RocketMQError):
    """
    The receipt of a popped message is of no use any more.

    :ivar receipt: its text.
    """

    def __init__(self, receipt: str) -> None:
        super().__init__(receipt)
        self.receipt = receipt

    def __str__(self) -> str:
        return (
            f'the receipt "{self.receipt}" has expired or was used before; the message'
            " comes again unless it was acknowledged"
        )


class CommitError(RocketMQError):
    """
    Some consumer offsets were not stored.

    :ivar failed: the queues and the errors; all others were stored.
    """

    retryable = True

    def __init__(self, failed: Mapping[MessageQueue, BaseException]) -> None:
        super().__init__(failed)
        self.failed = dict(failed)

    def __str__(self) -> str:
        return "; ".join(f"{queue}: {error}" for queue, error in self.failed.items())
