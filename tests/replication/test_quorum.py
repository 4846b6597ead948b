"""
Tests of how many brokers must have a message.

The expected numbers were worked out from ``CommitLog.asyncPutMessage`` and
``calcNeedAckNums`` of Apache RocketMQ 5.5.1.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.quorum import Quorum

#: (inSyncReplicas, minInSyncReplicas, in sync): needed, stored?; not adapted.
CHECKED = {
    (1, 1, 1): (1, True),
    (1, 3, 1): (1, True),
    (2, 1, 1): (2, False),
    (2, 1, 2): (2, True),
    (2, 1, 3): (2, True),
    (3, 2, 2): (3, False),
    (3, 2, 3): (3, True),
}
#: The same with enableAutoInSyncReplicas.
ADAPTED = {
    (1, 1, 1): (1, True),
    (2, 1, 1): (1, True),
    (2, 1, 2): (2, True),
    (2, 1, 3): (2, True),
    (2, 2, 1): (2, False),
    (2, 2, 2): (2, True),
    (3, 2, 1): (2, False),
    (3, 2, 2): (2, True),
    (3, 2, 3): (3, True),
    (3, 2, 4): (3, True),
    (1, 2, 1): (2, False),
    (1, 2, 2): (2, True),
    (1, 2, 3): (2, True),
}


class QuorumTests(SynchronousTestCase):
    """The rule of a master."""

    def assert_table(
        self, table: dict[tuple[int, int, int], tuple[int, bool]], is_adapted: bool
    ) -> None:
        """Compare the rule with a table."""
        for (replicas, minimum, in_sync), expected in table.items():
            rule = Quorum(
                replicas=replicas,
                minimum=minimum,
                is_checked=True,
                is_adapted=is_adapted,
            )
            found = (rule.needed(in_sync), rule.is_met(in_sync))
            self.assertEqual(found, expected, (replicas, minimum, in_sync))
            self.assertLessEqual(rule.needed(in_sync), rule.most)

    def test_plain(self) -> None:
        """Without an acting master nothing is refused, and nothing else counts."""
        for minimum in (1, 2, 3):
            rule = Quorum(replicas=2, minimum=minimum, is_adapted=True)
            self.assertEqual((rule.needed(1), rule.most), (2, 2))
            self.assertTrue(rule.is_met(1))

    def test_checked(self) -> None:
        """The number is fixed."""
        self.assert_table(CHECKED, is_adapted=False)

    def test_adapted(self) -> None:
        """The number is between the least and the most."""
        self.assert_table(ADAPTED, is_adapted=True)
