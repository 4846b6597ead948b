"""The failed attempts to send one message."""

from __future__ import annotations

from rocketmq_tw.client.errors import Attempt
from rocketmq_tw.client.producer.attempt import SendAttempt
from rocketmq_tw.client.producer.retry import reached_broker


class FailedAttempts:
    """
    The failed attempts of one message, and their effect on the next; created at the
    first.

    :ivar attempts: all attempts, for the error that lists them.
    :ivar brokers: the names of the brokers that have failed in this round.
    :ivar rounds: how often all brokers have failed.
    :ivar received: how many attempts a broker may have received.
    :ivar maybe_sent: whether a broker may have stored the message.
    """

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.brokers: set[str] = set()
        self.rounds = 0
        self.received = 0
        self.maybe_sent = False

    def add(self, attempt: SendAttempt, error: BaseException, now: float) -> None:
        """
        Add an attempt.

        :param now: the time in seconds.
        """
        queue = attempt.queue
        self.maybe_sent |= attempt.written
        self.received += reached_broker(error)
        self.brokers.add(queue.broker_name)
        self.attempts.append(
            Attempt(
                broker_name=queue.broker_name,
                address=attempt.address,
                queue_id=queue.queue_id,
                elapsed=now - attempt.started_at,
                cause=error,
            )
        )

    def end_round(self) -> None:
        """Allow all brokers to be tried again."""
        self.rounds += 1
        self.brokers.clear()
