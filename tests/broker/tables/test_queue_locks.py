"""Tests of the locks on queues."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.queue_locks import LOCK_LIFE, QueueLocks
from rocketmq_tw.model.queue import MessageQueue

A, B = (MessageQueue("T", "broker-a", queue_id) for queue_id in (0, 1))


class QueueLocksTests(SynchronousTestCase):
    """One client of a group holds a queue, until it gives it back or falls silent."""

    def setUp(self) -> None:
        """Let one client hold one queue."""
        self.clock = Clock()
        self.locks = QueueLocks(self.clock)
        self.locks.lock("g", "one", [A])

    def test_grants_free_queues_only(self) -> None:
        """Another client gets what is free; the holder gets all of its own again."""
        self.assertEqual(self.locks.lock("g", "two", [A, B]), [B])
        self.assertEqual(self.locks.lock("g", "one", [A, B]), [A])

    def test_groups_do_not_meet(self) -> None:
        """Each group has locks of its own."""
        self.assertEqual(self.locks.lock("h", "two", [A]), [A])

    def test_unlock_frees_own_queues_only(self) -> None:
        """Giving back what another holds changes nothing."""
        self.locks.unlock("g", "two", [A, B])
        self.assertEqual(self.locks.lock("g", "two", [A]), [])
        self.locks.unlock("g", "one", [A])
        self.assertEqual(self.locks.lock("g", "two", [A]), [A])

    def test_silent_holders_lose_their_locks(self) -> None:
        """After more than 60 s without being asked for, a lock is anyone's."""
        self.clock.advance(LOCK_LIFE)
        self.assertEqual(self.locks.lock("g", "two", [A]), [])
        self.clock.advance(0.001)
        self.assertEqual(self.locks.lock("g", "two", [A]), [A])

    def test_asking_again_keeps_a_lock(self) -> None:
        """The 60 s begin again with each request of the holder."""
        self.clock.advance(LOCK_LIFE - 1)
        self.locks.lock("g", "one", [A])
        self.clock.advance(LOCK_LIFE - 1)
        self.assertEqual(self.locks.lock("g", "two", [A]), [])

    def test_tells_who_consumes_in_order(self) -> None:
        """A group with a lock that has not run out does."""
        self.assertTrue(self.locks.is_locked("g"))
        self.assertFalse(self.locks.is_locked("h"))
        self.clock.advance(LOCK_LIFE + 1)
        self.assertFalse(self.locks.is_locked("g"))

    def test_limit(self) -> None:
        """At the limit queues that have a lock are locked, and no others."""
        locks = QueueLocks(self.clock, limit=1)
        self.assertEqual(locks.lock("g", "one", [A, B]), [A])
        self.assertEqual(locks.lock("h", "one", [A]), [])
        self.assertEqual((len(locks), locks.refused), (1, 2))
        self.assertEqual(locks.lock("g", "one", [A]), [A])
        self.clock.advance(LOCK_LIFE + 1)
        self.assertEqual(locks.lock("g", "two", [A]), [A])
        locks.unlock("g", "two", [A, B])
        self.assertEqual(locks.lock("h", "one", [B]), [B])

    def test_expired_ones_do_not_count(self) -> None:
        """Locks that were removed make place for others."""
        self.clock.advance(LOCK_LIFE + 1)
        self.locks.expire()
        self.assertEqual(len(self.locks), 0)

    def test_expire_leaves_nothing(self) -> None:
        """Groups whose locks have all run out are forgotten."""
        self.clock.advance(LOCK_LIFE + 1)
        self.locks.expire()
        self.assertEqual(self.locks._held, {})
