"""The errors of calls, in words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.errors import (
    BrokerError,
    ConnectError,
    ConnectionLost,
    Refused,
    RequestTimeout,
    TooManyRequests,
    TransportError,
    timed_out,
)
from rocketmq_tw.wire.codes import ResponseCode


class ErrorTests(SynchronousTestCase):
    """What users read, and what is tried again."""

    def test_transport(self) -> None:
        """All name the peer and the reason, and are worth another try."""
        for kind in (ConnectError, ConnectionLost, RequestTimeout, TooManyRequests):
            error = kind("10.0.0.1:10911", "why")
            self.assertIsInstance(error, TransportError)
            self.assertEqual(str(error), "10.0.0.1:10911: why")
            self.assertTrue(error.retryable)

    def test_timed_out(self) -> None:
        """A time-out names the request and the seconds."""
        error = timed_out("a:1", Refused, 2.5)(None, 2.5).value
        self.assertIsInstance(error, RequestTimeout)
        self.assertIn("in 2.5 s", str(error))

    def test_broker_error(self) -> None:
        """It says who refused what, with which code and words."""
        error = BrokerError(14, "disk full", "a:1", "SendMessageV2")
        self.assertEqual(
            str(error),
            "a:1 responded to SendMessageV2 with SERVICE_NOT_AVAILABLE (14): disk full",
        )
        self.assertEqual(BrokerError(1, None, "a:1", "X").remark, "")

    def test_retryable(self) -> None:
        """Another broker may help with some codes, not with others."""
        for code, expected in ((2, True), (14, True), (13, False), (15, False)):
            error = BrokerError(code, "", "a:1", "X")
            self.assertEqual(error.retryable, expected, code)

    def test_refused(self) -> None:
        """A refusal has a code, words, and perhaps header fields."""
        error = Refused(ResponseCode.NO_PERMISSION, "no")
        self.assertEqual((str(error), error.ext), ("NO_PERMISSION (16): no", {}))
