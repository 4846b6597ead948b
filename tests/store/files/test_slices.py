"""Tests of work in slices."""

from collections.abc import Iterator

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.slices import Stopped, in_slices


class SlicesTests(SynchronousTestCase):
    """Long work gives way to the reactor."""

    def setUp(self) -> None:
        """Make a clock and work of two slices and an end."""
        self.clock = Clock()
        self.done: list[int] = []

    def work(self) -> Iterator[None]:
        """Note each slice."""
        for number in range(2):
            self.done.append(number)
            yield

    def test_one_slice_a_turn(self) -> None:
        """The first runs at once, and the result comes with the last."""
        finished = in_slices(self.work(), self.clock, lambda: True)
        self.assertEqual(self.done, [0])
        self.assertNoResult(finished)
        # A clock does all that is due now, and so what that makes due.
        self.clock.advance(0)
        self.assertEqual(self.done, [0, 1])
        self.successResultOf(finished)

    def test_short_work_is_done_at_once(self) -> None:
        """Work without slices needs no turn."""
        self.successResultOf(in_slices(iter([]), self.clock, lambda: True))

    def test_errors_come_through(self) -> None:
        """What the work raises fails the Deferred."""

        def fail() -> Iterator[None]:
            yield
            raise OSError("broken")

        finished = in_slices(fail(), self.clock, lambda: True)
        self.clock.advance(0)
        self.failureResultOf(finished, OSError)

    def test_can_be_given_up(self) -> None:
        """No further slice runs once it is not wanted."""
        finished = in_slices(self.work(), self.clock, lambda: not self.done)
        self.clock.advance(0)
        self.failureResultOf(finished, Stopped)
        self.assertEqual(self.done, [0])
