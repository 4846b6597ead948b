"""Our requests that wait for responses."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.errors import BrokerError, ConnectionLost, TooManyRequests
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.wire.command import RemotingCommand
from rocketmq_tw.wire.errors import BadField
from tests.remoting.ends import Echo, EchoResponse

LAST = (1 << 31) - 1
PEER = "10.0.0.9:4711"


def response(opaque: int | None, code: int = 0, **fields: str) -> RemotingCommand:
    """Make a response as the codec gives it."""
    return RemotingCommand(
        code=code, opaque=opaque, flag=1, fields=fields, remark="why", body=b"body"
    )


class OpaqueTests(SynchronousTestCase):
    """The numbers that tie responses to requests."""

    def test_never_zero(self) -> None:
        """Counting starts at 1, and again after the largest number."""
        self.assertEqual(PendingCalls().next_opaque(), 1)
        calls = PendingCalls(last_opaque=LAST - 1)
        self.assertEqual([calls.next_opaque() for _ in range(3)], [LAST, 1, 2])

    def test_not_reused_while_pending(self) -> None:
        """A number that still waits for its response is passed over."""
        calls = PendingCalls(last_opaque=LAST)
        waiting = calls.add(1, Echo(text="x"), PEER)
        self.assertEqual([calls.next_opaque() for _ in range(2)], [2, 3])
        self.assertNoResult(waiting)


class PendingCallsTests(SynchronousTestCase):
    """What becomes of a call."""

    def setUp(self) -> None:
        """Make a table that takes two calls; one waits."""
        self.calls = PendingCalls(limit=2)
        self.waiting = self.calls.add(7, Echo(text="x"), PEER)

    def test_resolved(self) -> None:
        """Its response is of the declared kind, with body, code and remark."""
        self.calls.resolve(response(7, text="hi"), PEER)
        found: EchoResponse = self.successResultOf(self.waiting)
        self.assertEqual((found.text, found.body), ("hi", b"body"))
        self.assertEqual((found.status, found.remark), (0, "why"))

    def test_unknown(self) -> None:
        """A response that nobody waits for, or with no number, is dropped."""
        self.calls.resolve(response(8, text="hi"), PEER)
        self.calls.resolve(response(None, text="hi"), PEER)
        self.assertNoResult(self.waiting)

    def test_error(self) -> None:
        """A code that the request does not accept fails it, in the peer's words."""
        self.calls.resolve(response(7, code=14), PEER)
        error = self.failureResultOf(self.waiting, BrokerError).value
        self.assertEqual((error.code, error.remark), (14, "why"))
        self.assertEqual((error.address, error.request), (PEER, "Echo"))

    def test_malformed(self) -> None:
        """A response that lacks a field fails its own call alone."""
        other = self.calls.add(8, Echo(text="y"), PEER)
        self.calls.resolve(response(7, other="x"), PEER)
        self.failureResultOf(self.waiting, BadField)
        self.assertNoResult(other)

    def test_limit(self) -> None:
        """No more wait than may; one that is resolved gives its permit to another."""
        self.calls.add(8, Echo(text="y"), PEER)
        error = self.assertRaises(
            TooManyRequests, self.calls.add, 9, Echo(text="z"), PEER
        )
        self.assertIn("2 requests wait", str(error))
        self.calls.resolve(response(7, text="hi"), PEER)
        self.assertNoResult(self.calls.add(9, Echo(text="z"), PEER))

    def test_cancelled(self) -> None:
        """A cancelled call leaves the table; its late response is dropped."""
        self.waiting.cancel()
        self.failureResultOf(self.waiting, CancelledError)
        self.calls.resolve(response(7, text="hi"), PEER)
        self.calls.add(7, Echo(text="y"), PEER)
        self.calls.add(8, Echo(text="z"), PEER)

    def test_lost(self) -> None:
        """Every call fails once when the connection is lost."""
        other = self.calls.add(8, Echo(text="y"), PEER)
        self.waiting.addErrback(lambda failure: other.cancel() or failure)
        self.calls.fail_all(PEER, "cable cut")
        error = self.failureResultOf(self.waiting, ConnectionLost).value
        self.assertIn("before Echo had a response (cable cut)", str(error))
        self.failureResultOf(other, CancelledError)
        self.calls.fail_all(PEER, "again")
