"""Which failed attempts are followed by another."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import BrokerUnreachable
from rocketmq_tw.client.producer.retry import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Repeat,
    RetryPolicy,
    pause,
    reached_broker,
)
from rocketmq_tw.remoting.errors import (
    BrokerError,
    ConnectError,
    ConnectionLost,
    RequestTimeout,
)
from rocketmq_tw.wire.codes import ResponseCode

AWAY = ConnectError("a:1", "refused")
UNREACHABLE = BrokerUnreachable("a:1", "refused")
STOPPING = BrokerError(ResponseCode.SERVICE_NOT_AVAILABLE, "", "a:1", "Send")
LOST = ConnectionLost("a:1", "lost")
LATE = RequestTimeout("a:1", "late")
BUSY = BrokerError(ResponseCode.SYSTEM_BUSY, "", "a:1", "Send")
ILLEGAL = BrokerError(ResponseCode.MESSAGE_ILLEGAL, "", "a:1", "Send")
ERRORS = (AWAY, UNREACHABLE, STOPPING, LOST, LATE, BUSY, ILLEGAL)


class RetryPolicyTests(SynchronousTestCase):
    """Each policy, with each kind of failure."""

    def permitted(self, policy: RetryPolicy, received: int) -> list[Exception]:
        """List the failures after which another attempt is made."""
        return [error for error in ERRORS if policy.permits(error, received)]

    def test_any_queue(self) -> None:
        """Whatever may pass; what a broker may have received, only so often."""
        policy = RetryPolicy(Repeat.IF_RETRYABLE, 3)
        passing = [AWAY, UNREACHABLE, STOPPING, LOST, LATE, BUSY]
        self.assertEqual(self.permitted(policy, 2), passing)
        self.assertEqual(self.permitted(policy, 3), passing[:4])

    def test_in_order(self) -> None:
        """Only what was certainly not stored."""
        policy = RetryPolicy(Repeat.IF_NOT_STORED)
        self.assertEqual(self.permitted(policy, 1), [AWAY, UNREACHABLE, STOPPING])

    def test_never(self) -> None:
        """Nothing at all."""
        self.assertEqual(self.permitted(RetryPolicy(Repeat.NEVER, 9), 0), [])

    def test_received(self) -> None:
        """A time-out counts, for the broker may have received the message."""
        counted = [error for error in ERRORS if reached_broker(error)]
        self.assertEqual(counted, [LATE, BUSY, ILLEGAL])

    def test_time_for_one(self) -> None:
        """The budget is divided among the attempts; half a second is the least."""
        policy = RetryPolicy(Repeat.IF_RETRYABLE, 3)
        self.assertEqual(policy.time_for_one(3.0), 1.0)
        self.assertEqual(policy.time_for_one(0.9), 0.5)

    def test_pauses(self) -> None:
        """They double, up to a limit, and leave half of the time that is left."""
        pauses = [pause(rounds, 10.0) for rounds in (0, 1, 2, 3, 1000)]
        self.assertEqual(pauses[:3], [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4])
        self.assertEqual(pauses[3:], [LONGEST_PAUSE, LONGEST_PAUSE])
        self.assertEqual(pause(9, 0.3), 0.15)
