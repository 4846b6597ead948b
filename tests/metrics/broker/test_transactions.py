"""Transactions of topics."""

from __future__ import annotations

from tests.metrics.broker.cases import MetricsCase

HALVES = "rocketmq_half_messages"
COMMITS = "rocketmq_commit_messages_total"
ROLLBACKS = "rocketmq_rollback_messages_total"
LATENCY = "rocketmq_finish_message_latency_milliseconds"


class TransactionTests(MetricsCase):
    """What the counts of a broker become."""

    def setUp(self) -> None:
        """Start with three half messages."""
        super().setUp()
        self.counts = self.broker.transaction_counts
        for _ in range(3):
            self.counts.stored(b"T")

    def born_ms(self, age: float) -> int:
        """Return when a message was born that is so many seconds old."""
        return int((self.clock.seconds() - age) * 1000)

    def test_pending(self) -> None:
        """Half messages are counted by the topic that they are meant for."""
        page = self.read()
        self.assertEqual(page.get(HALVES, topic="T"), 3)
        self.assertEqual(page.names & {COMMITS, ROLLBACKS, f"{LATENCY}_count"}, set())

    def test_ends(self) -> None:
        """Commits and rollbacks are counted; only commits have a latency."""
        self.counts.committed(0, b"T", self.born_ms(7))
        self.counts.rolled_back(1, b"T", self.born_ms(70))
        page = self.read()
        found = [page.get(name, topic="T") for name in (HALVES, COMMITS, ROLLBACKS)]
        self.assertEqual(found, [1, 1, 1])
        self.assertEqual(page.get(f"{LATENCY}_bucket", le="5.0"), 0)
        self.assertEqual(page.get(f"{LATENCY}_bucket", le="60.0"), 1)
        self.assertEqual(page.get(f"{LATENCY}_sum"), 7)

    def test_clocks_differ(self) -> None:
        """A message that was born later than now took no time."""
        self.counts.committed(0, b"T", self.born_ms(-50))
        self.assertEqual(self.read().get(f"{LATENCY}_sum"), 0)

    def test_topic_is_gone(self) -> None:
        """A topic that is deleted has no series."""
        self.counts.committed(0, b"T", self.born_ms(1))
        self.read()
        self.counts.drop(b"T")
        page = self.read()
        self.assertEqual(page.names & {HALVES, COMMITS, f"{LATENCY}_count"}, set())

    def test_topic_is_made_again(self) -> None:
        """It begins with nothing, also if no page has seen that it was gone."""
        self.counts.committed(0, b"T", self.born_ms(1))
        self.counts.rolled_back(1, b"T", self.born_ms(1))
        self.read()
        self.counts.drop(b"T")
        self.counts.stored(b"T")
        page = self.read()
        self.assertEqual(page.get(HALVES, topic="T"), 1)
        self.assertEqual(page.names & {COMMITS, ROLLBACKS}, set())
        self.counts.committed(2, b"T", self.born_ms(2))
        page = self.read()
        self.assertEqual(page.get(COMMITS, topic="T"), 1)
        self.assertEqual(page.get(f"{LATENCY}_count", topic="T"), 1)
