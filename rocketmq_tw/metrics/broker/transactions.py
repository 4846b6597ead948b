"""
Transactions: those that are pending, how they ended, and how long commits took.

Source: ``BrokerMetricsManager.initTransactionMetrics`` of RocketMQ 5. As there, the
bounds of the latency are seconds although its name ends in milliseconds.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.clock import wall_time
from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Topics that are looked at in one step.
TOPICS = 200
#: The bounds of the latency, in seconds.
BOUNDS = (5, 60, 600, 3600, 43_200, 86_400)


class TransactionMetrics:
    """Collects the transactions of each topic."""

    def __init__(self, target: Target, broker: Broker) -> None:
        self._counts = broker.transaction_counts
        self._now = wall_time(broker.clock)
        self._latencies: dict[bytes, Histogram] = {}
        self._halves = target.gauge(
            "rocketmq_half_messages", "Half messages that are pending", "topic"
        )
        self._commits = target.counter(
            "rocketmq_commit_messages_total",
            "Transactions that were committed",
            "topic",
        )
        self._rollbacks = target.counter(
            "rocketmq_rollback_messages_total",
            "Transactions that were rolled back",
            "topic",
        )
        self._latency = target.family(
            "rocketmq_finish_message_latency_milliseconds",
            "histogram",
            "Seconds from the birth of a half message to its commit",
            ("topic",),
            BOUNDS,
        )
        self._counts.on_commit = self._committed
        self._counts.on_drop = self._dropped

    def collect(self) -> Steps[None]:
        """Set the series."""
        table = self._counts.table
        for some in parts_of(list(table), TOPICS):
            for topic in some:
                counts = table.get(topic)
                if counts is None:
                    continue  # it has gone since the last step
                values = _values(topic)
                self._halves.set(values, counts.halves)
                if counts.commits:
                    self._commits.set(values, counts.commits)
                if counts.rollbacks:
                    self._rollbacks.set(values, counts.rollbacks)
                latency = self._latencies.get(topic)
                if latency is not None:
                    self._latency.set_histogram(values, latency)
            yield None

    def _dropped(self, topic: bytes) -> None:
        """Remove the series of a topic; one of this name may come at once."""
        self._latencies.pop(topic, None)
        for family in (self._halves, self._commits, self._rollbacks, self._latency):
            family.remove(_values(topic))

    def _committed(self, topic: bytes, born_time_ms: int) -> None:
        """Count how long a transaction took: 0.45 us a commit, alone in a loop."""
        latency = self._latencies.get(topic)
        if latency is None:
            if topic not in self._counts.table:
                return  # there are too many topics
            latency = self._latencies[topic] = Histogram(BOUNDS)
        latency.add(max(0, int(self._now() - born_time_ms / 1000)))


def _values(topic: bytes) -> Values:
    """Return the labels of a topic."""
    return (topic.decode("utf-8", "replace"),)
