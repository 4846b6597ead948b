"""Counters of the runtime information as metrics."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.counters import CounterMetrics, metric_name
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.target import Target
from tests.metrics.reading import read


class CounterTests(SynchronousTestCase):
    """Names and values."""

    def test_names(self) -> None:
        """What only grows is a counter."""
        for name, expected in (
            ("heldPulls", "rocketmq_held_pulls"),
            ("heldPullsRefused", "rocketmq_held_pulls_refused_total"),
            ("tlsHandshakesTimedOut", "rocketmq_tls_handshakes_timed_out_total"),
            ("transactionsCommitted", "rocketmq_transactions_committed_total"),
            ("transactionsPending", "rocketmq_transactions_pending"),
            ("halfMessages", "rocketmq_half_messages_unfinished"),
            ("subscriptionConflicts", "rocketmq_subscription_conflicts_total"),
        ):
            self.assertEqual(metric_name(name), expected)

    def test_collected(self) -> None:
        """They are read for each page; one that is added later is there, too."""
        clock = Clock()
        page, table = Page(clock), dict[str, Callable[[], int]]()
        table["topics"] = lambda: 3
        page.add(CounterMetrics(Target(page, ()), table).collect)
        self.assertEqual(
            read(self.successResultOf(page.collect())).get("rocketmq_topics"), 3
        )
        table["topicsRefused"] = lambda: 7
        clock.advance(1)
        found = read(self.successResultOf(page.collect()))
        self.assertEqual(found.get("rocketmq_topics_refused_total"), 7)
