"""Services that are a client's children, or run by themselves."""

from __future__ import annotations

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.child import ChildService
from rocketmq_tw.client.errors import StateError


class Child(ChildService):
    """Can be started once."""

    stopped = 0

    def startService(self) -> None:  # noqa: N802 (Twisted's name)
        """Start, unless it was stopped."""
        if self.stopped:
            raise StateError("once")
        super().startService()

    def stopService(self) -> Deferred[None]:  # noqa: N802 (Twisted's name)
        """Count the stops."""
        super().stopService()
        self.stopped += 1
        return succeed(None)


class ChildTests(SynchronousTestCase):
    """One child."""

    def test_alone(self) -> None:
        """Without a parent it starts and stops once."""
        child = Child()
        self.assertIs(self.successResultOf(child.start()), child)
        self.assertIs(self.successResultOf(child.start()), child)
        self.successResultOf(child.stop())
        self.assertEqual((child.running, child.stopped), (0, 1))
        self.failureResultOf(child.start(), StateError)

    def test_with_a_parent(self) -> None:
        """It leaves a parent, whether that runs or not."""
        for running in (False, True):
            parent, child = MultiService(), Child()
            child.setServiceParent(parent)
            if running:
                parent.startService()
            self.successResultOf(child.stop())
            self.assertEqual((child.stopped, list(parent)), (1, []))

    def test_async_with(self) -> None:
        """A block starts and stops it."""
        child = Child()

        async def block() -> None:
            async with child as entered:
                self.assertIs(entered, child)
                self.assertTrue(child.running)

        self.successResultOf(Deferred.fromCoroutine(block()))
        self.assertEqual(child.stopped, 1)
