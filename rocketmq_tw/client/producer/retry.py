"""
When a failed attempt to send is followed by another, and after what pause.

A broker that restarts refuses connections for a while and drops existing ones. Such an
attempt is repeated, with growing pauses, until the message's timeout. A broker that
responds with an error, or does not respond, has used time or done work: at most
``retries`` of those attempts are repeated.

Delivery is *at least once*. When a connection is lost the broker may have stored the
message already, and another attempt may store it a second time, under the same unique
key. If the order matters (a key, a queue or a selector was given), only an attempt that
was certainly not stored is repeated. A one-way message is never repeated.

Source: ``DefaultMQProducerImpl.sendDefaultImpl`` of RocketMQ 5 for the codes that are
retried; it does not wait for a restart.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from rocketmq_tw.remoting.errors import BrokerError, ConnectError, ConnectionLost
from rocketmq_tw.wire.codes import ResponseCode

#: Seconds of the first and of the longest pause; each is twice as long as the one
#: before.
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 0.5
#: Seconds; if less time is left, there is no further attempt.
LAST_MOMENT: Final = 0.1
#: Seconds that an attempt has at least, if that much time is left.
SHORTEST_ATTEMPT: Final = 0.5


class Repeat(Enum):
    """Which failed attempts may be repeated."""

    #: None: one-way messages, and producers with ``retries`` = 0.
    NEVER = "never"
    #: Those that were certainly not stored: messages whose order matters.
    IF_NOT_STORED = "if not stored"
    #: All whose error may be temporary.
    IF_RETRYABLE = "if retryable"


class RetryPolicy(msgspec.Struct, frozen=True):
    """
    How often a message is attempted.

    :ivar max_attempts: how many attempts a broker may have received.
    """

    repeat: Repeat
    max_attempts: int = 1

    def permits(self, error: BaseException, received: int) -> bool:
        """
        Whether another attempt may follow one that failed.

        :param received: how many attempts, this one included, a broker may have
            received.
        """
        if self.repeat is Repeat.NEVER:
            return False
        if was_not_stored(error):
            return True
        if self.repeat is Repeat.IF_NOT_STORED:
            return False
        if isinstance(error, ConnectionLost):
            return True
        return getattr(error, "retryable", False) and received < self.max_attempts

    def time_for_one(self, timeout: float) -> float:
        """Return the timeout of one attempt, which leaves time for others."""
        return max(timeout / self.max_attempts, SHORTEST_ATTEMPT)


def was_not_stored(error: BaseException) -> bool:
    """Whether an attempt failed before the broker could store anything."""
    if isinstance(error, ConnectError):
        return True
    return (
        isinstance(error, BrokerError)
        and error.code == ResponseCode.SERVICE_NOT_AVAILABLE
    )


def reached_broker(error: BaseException) -> bool:
    """Whether the attempt counts against :attr:`RetryPolicy.max_attempts`."""
    return not was_not_stored(error) and not isinstance(error, ConnectionLost)


def pause(rounds: int, left: float) -> float:
    """
    Return the seconds until the brokers are tried again.

    :param rounds: how often all brokers have failed already.
    :param left: seconds until the message's timeout; the pause is at most half of it.
    """
    return min(FIRST_PAUSE * 2.0 ** min(rounds, 16), LONGEST_PAUSE, left / 2)
