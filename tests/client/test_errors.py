"""What errors of the client say."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import (
    Attempt,
    BrokerUnreachable,
    CommitError,
    NameServerUnavailable,
    NoRouteError,
    OffsetOutOfRange,
    SendCancelled,
    SendError,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout

QUEUE = MessageQueue("T", "broker-a", 0)


def attempt(cause: Exception) -> Attempt:
    """Make an attempt that failed."""
    return Attempt("broker-a", "10.0.0.5:10911", 0, 0.25, cause)


class SendErrorTests(SynchronousTestCase):
    """The error of a message that was not sent."""

    def test_attempts(self) -> None:
        """Each attempt says where it went, how long it took and why it failed."""
        error = SendError("T", [attempt(RequestTimeout("10.0.0.5:10911", "late"))])
        expected = (
            "broker-a (10.0.0.5:10911) queue 0 after 0.250 s: 10.0.0.5:10911: late"
        )
        self.assertIn(expected, str(error))
        self.assertIsInstance(error.__cause__, RequestTimeout)
        self.assertTrue(error.retryable)

    def test_many_attempts(self) -> None:
        """Of many attempts the text has the last three; the list has all."""
        causes = [RequestTimeout("a:1", f"number {i}") for i in range(9)]
        error = SendError("T", [attempt(cause) for cause in causes])
        self.assertIn("9 attempts", str(error))
        self.assertNotIn("number 5", str(error))
        self.assertIn("number 6", str(error))
        self.assertEqual(len(error.attempts), 9)

    def test_hint(self) -> None:
        """What to do about an address that was never reached is said once."""
        cause = BrokerUnreachable("10.0.0.5:10911", "could not connect")
        error = SendError("T", [attempt(cause)] * 3)
        self.assertEqual(str(error).count("brokerIP1"), 1)
        self.assertEqual(str(error).count("could not connect"), 3)

    def test_no_attempt(self) -> None:
        """Without any attempt the text says why; another try may succeed."""
        error = SendError("T", [], "no capacity")
        self.assertIn("no capacity", str(error))
        self.assertTrue(error.retryable)

    def test_not_retryable(self) -> None:
        """What the broker refused for good is not retryable."""
        self.assertFalse(
            SendError("T", [attempt(BrokerError(13, "", "a", "r"))]).retryable
        )


class SentenceTests(SynchronousTestCase):
    """Errors are sentences for those who read logs."""

    def test_sentences(self) -> None:
        """Each names what it is about."""
        cause = ValueError("why")
        for error, text in (
            (BrokerUnreachable("a:1", "x"), "the broker advertises a:1"),
            (NameServerUnavailable({"ns:1": cause}), "(ns:1: why)"),
            (NameServerUnavailable({}), "none is configured"),
            (NoRouteError("T"), 'no route of the topic "T"'),
            (OffsetOutOfRange(QUEUE, 9, 3), "does not hold 9; continue at 3"),
            (CommitError({QUEUE: cause}), "why"),
            (SendCancelled(maybe_sent=True), "may have been stored"),
            (SendCancelled(maybe_sent=False), "was not stored"),
        ):
            self.assertIn(text, str(error))
