"""Several requests at once."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.together import together


class TogetherTests(SynchronousTestCase):
    """All, or the first failure."""

    def test_all(self) -> None:
        """Results come in the order of the requests."""
        found = Deferred.fromCoroutine(together(succeed(1), succeed(2)))
        self.assertEqual(self.successResultOf(found), [1, 2])

    def test_failure(self) -> None:
        """The error is the one that was raised; others are not logged."""
        both = together(fail(KeyError("a")), fail(ValueError("b")))
        found = Deferred.fromCoroutine(both)
        self.failureResultOf(found, KeyError)
