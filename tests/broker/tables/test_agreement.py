"""Tests of rocketmq_tw.broker.tables.agreement."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.agreement import Agreement, mark_of
from rocketmq_tw.model.subscription import Subscription, parse, parse_as
from tests.broker.cases import Peer


class MarkTests(SynchronousTestCase):
    """Members with the same subscriptions have the same mark."""

    def test_the_same(self) -> None:
        """Neither versions, the order of tags nor the retry topic count."""
        self.assertEqual(
            mark_of([parse("T", "A || B", 1), parse("%RETRY%G", "*", 1)]),
            mark_of([parse("T", "B||A", 2)]),
        )
        self.assertEqual(
            mark_of([parse("T", "*", 1)]),
            mark_of([Subscription("T", "", expression_type="")]),
        )

    def test_others(self) -> None:
        """Topics, tags, types and SQL texts count."""
        subscriptions = [
            [],
            [parse("T", "*", 1)],
            [parse("T", "A", 1)],
            [parse("T2", "A", 1)],
            [parse_as("T", "a > 1", "SQL92", 1)],
            [parse_as("T", "a > 2", "SQL92", 1)],
        ]
        self.assertEqual(len(set(map(mark_of, subscriptions))), len(subscriptions))


class AgreementTests(SynchronousTestCase):
    """It is known which members do not agree."""

    def test_members(self) -> None:
        """Members join, change their minds, and leave."""
        agreement, members = Agreement(), [Peer() for _ in range(3)]
        self.assertEqual(agreement.others(1), [])
        for member in members:
            agreement.put(member, 1)
        self.assertEqual((agreement.others(1), agreement.minority), ([], []))
        agreement.put(members[0], 2)
        self.assertEqual(agreement.others(1), members[:1])
        self.assertEqual(agreement.minority, members[:1])
        agreement.remove(members[0])
        agreement.remove(members[0])
        self.assertEqual(agreement.minority, [])
        self.assertEqual(agreement.others(2), members[1:])
