"""Which queues are paused."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.pauses import Pauses
from tests.client.fakes import queues

ONE, OTHER = queues("T", 2)


class PausesTests(SynchronousTestCase):
    """Pausing some queues, and all."""

    def setUp(self) -> None:
        """Start with none."""
        self.pauses = Pauses()

    def paused(self) -> list[bool]:
        """Say which of two queues are paused."""
        return [ONE in self.pauses, OTHER in self.pauses]

    def test_some(self) -> None:
        """Only the given ones, until they are resumed."""
        self.pauses.add([ONE])
        self.assertEqual(self.paused(), [True, False])
        self.pauses.remove([ONE, OTHER])
        self.assertEqual(self.paused(), [False, False])

    def test_all(self) -> None:
        """All, whatever queues there are; resuming all ends every pause."""
        self.pauses.add([ONE])
        self.pauses.add(None)
        self.assertEqual(self.paused(), [True, True])
        self.pauses.remove(None)
        self.assertEqual(self.paused(), [False, False])

    def test_some_of_all(self) -> None:
        """Resuming some does not end the pause of all."""
        self.pauses.add(None)
        self.pauses.remove([ONE])
        self.assertEqual(self.paused(), [True, True])
