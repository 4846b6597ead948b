"""Coroutine functions that return Deferreds."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.deferring import returning_deferred


class ReturningDeferredTests(SynchronousTestCase):
    """They run without anybody waiting for them."""

    def test_deferred(self) -> None:
        """The result, or the error, comes by a Deferred; the docstring stays."""

        @returning_deferred
        async def half(number: int) -> int:
            """Halve."""
            return await succeed(10 // number)

        self.assertEqual(self.successResultOf(half(2)), 5)
        self.assertIsInstance(half(1), Deferred)
        self.failureResultOf(half(0), ZeroDivisionError)
        self.assertEqual(half.__doc__, "Halve.")
