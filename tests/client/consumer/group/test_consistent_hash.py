"""The ring of members."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.allocation import allocate
from rocketmq_tw.client.consumer.group.consistent_hash import consistent_hash
from rocketmq_tw.model.queue import MessageQueue
from tests.client.fakes import queues

MEMBERS = [f"10.0.0.{i}@{i}" for i in range(5)]


class ConsistentHashTests(SynchronousTestCase):
    """A hundred queues; Java's answers are in the table of ``test_allocation``."""

    def _owners(self, members: list[str], nodes: int = 10) -> dict[MessageQueue, str]:
        """Give the owner of each queue."""
        strategy = consistent_hash(nodes)
        return {
            queue: member
            for member in members
            for queue in allocate(strategy, member, queues("T", 100), members)
        }

    def test_every_queue_once(self) -> None:
        """Each queue has one owner, and each member has some."""
        owners = self._owners(MEMBERS)
        self.assertEqual(len(owners), 100)
        self.assertEqual(set(owners.values()), set(MEMBERS))

    def test_few_change(self) -> None:
        """If a member leaves, only its own queues change their owners."""
        before, after = self._owners(MEMBERS), self._owners(MEMBERS[:-1])
        changed = {before[queue] for queue in before if before[queue] != after[queue]}
        self.assertEqual(changed, {MEMBERS[-1]})

    def test_nodes(self) -> None:
        """The number of positions can be chosen, as in Java."""
        self.assertNotEqual(self._owners(MEMBERS), self._owners(MEMBERS, 100))
