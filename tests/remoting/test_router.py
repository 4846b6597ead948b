"""From requests to handlers, from errors to codes."""

from __future__ import annotations

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalName, IllegalTopic
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router, unsupported
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from tests.remoting.ends import Echo, echo


class RouteTests(SynchronousTestCase):
    """Which handler is found."""

    def test_found(self) -> None:
        """A request's code leads to its declaration and its handler."""
        router = Router()
        router.on(Echo, echo)
        self.assertEqual(router.find(Echo.code), (Echo, echo))
        self.assertIsNone(router.find(1))

    def test_without(self) -> None:
        """A copy lacks what it should not serve; the first is as it was."""
        router = Router({IllegalTopic: ResponseCode.MESSAGE_ILLEGAL})
        router.on(Echo, echo)
        copy = router.without(Echo.code)
        self.assertIsNone(copy.find(Echo.code))
        self.assertIsNotNone(router.find(Echo.code))
        refusal = copy.refusal(Failure(IllegalTopic("x", "y")))
        self.assertEqual(refusal.status, ResponseCode.MESSAGE_ILLEGAL)

    def test_unsupported(self) -> None:
        """The original's words start with a space."""
        answer = unsupported(217)
        self.assertEqual(answer.status, 3)
        self.assertEqual(answer.remark, " request type 217 not supported")


class RefusalTests(SynchronousTestCase):
    """What an error is answered with."""

    def test_refused(self) -> None:
        """A refusal says its own code and words."""
        answer = Router().refusal(Failure(Refused(ResponseCode.SYSTEM_BUSY, "later")))
        self.assertEqual((answer.status, answer.remark), (2, "later"))

    def test_table(self) -> None:
        """A listed class, and its subclasses, have their code."""
        router = Router({IllegalName: ResponseCode.MESSAGE_ILLEGAL})
        answer = router.refusal(Failure(IllegalTopic("x", "it is too short")))
        self.assertEqual(answer.status, 13)
        self.assertEqual(answer.remark, 'the topic "x" is not allowed: it is too short')

    def test_bad_field(self) -> None:
        """A bad field is a system error, as in the original."""
        answer = Router().refusal(Failure(BadField("topic", "missing", "it in X")))
        self.assertEqual(answer.status, 1)

    def test_foreseen(self) -> None:
        """Errors of our own that are not listed are answered, not logged."""
        answer = Router().refusal(Failure(IllegalTopic("x", "y")))
        self.assertEqual(answer.status, 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_unforeseen(self) -> None:
        """What nobody foresaw is logged, and named to the peer."""
        answer = Router().refusal(Failure(ZeroDivisionError("by nought")))
        self.assertEqual(
            (answer.status, answer.remark), (1, "ZeroDivisionError: by nought")
        )
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
