"""
The state of a broker in a few numbers: its permission, its tables, what waits.

Requests are handled as they arrive, so the queues of processors that Apache RocketMQ
measures are empty here, but for those that wait for the disk or are done in steps.

Source: ``BrokerMetricsManager`` and ``TimerMetrics`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.pacing import Steps

#: Each processor of Apache RocketMQ, and the counter of what waits here.
PROCESSORS = {
    "ack": None,
    "admin": "waitingRequests",
    "async_put": "unflushedMessages",
    "client_manager": None,
    "consumer_manager": None,
    "heartbeat": None,
    "lite_pull": None,
    "pull": "coldPulls",
    "query_message": "waitingQueries",
    "reply": "replyPushes",
    "send": None,
    "transaction": None,
}
#: Metrics that have another name, or unit, in the runtime information.
TIMER = {
    "rocketmq_timer_enqueue_lag": (
        "timerOffsetBehind",
        1,
        "Timed messages that wait to be put into the wheel",
    ),
    "rocketmq_timer_dequeue_latency_milliseconds": (
        "timerReadBehind",
        1000,
        "How late timed messages are delivered",
    ),
    "rocketmq_timer_dequeue_lag": (
        "timerCongestNum",
        1,
        "Timed messages that wait in the wheel",
    ),
}


class StateMetrics:
    """Collects the state of a broker."""

    def __init__(self, target: Target, broker: Broker) -> None:
        self._counters = broker.stats.gauges
        tables = broker.tables
        numbers: dict[str, tuple[str, Callable[[], int]]] = {
            "rocketmq_broker_permission": (
                "What clients may do: 2 write, 4 read, 6 both",
                lambda: tables.topics.permission,
            ),
            "rocketmq_topic_number": ("Topics", lambda: len(tables.topics.table)),
            "rocketmq_consumer_group_number": (
                "Consumer groups",
                lambda: len(tables.groups.table),
            ),
            "rocketmq_lmq_number": ("Light queues, of which there are none", lambda: 0),
        }
        self._numbers = [
            (target.gauge(name, text), read) for name, (text, read) in numbers.items()
        ]
        self._watermark = target.gauge(
            "rocketmq_processor_watermark", "Requests that wait", "processor"
        )
        self._timer = [
            (target.gauge(name, text, "storage_type", "storage_medium"), key, factor)
            for name, (key, factor, text) in TIMER.items()
        ]

    def collect(self) -> Steps[None]:
        """Set all of them."""
        for family, read in self._numbers:
            family.set((), read())
        for processor, counter in PROCESSORS.items():
            self._watermark.set((processor,), self._count(counter))
        for family, key, factor in self._timer:
            if key in self._counters:
                family.set(("local", "disk"), self._count(key) * factor)
        yield None

    def _count(self, counter: str | None) -> int:
        """Return a counter; 0 if there is none."""
        read = self._counters.get(counter) if counter else None
        return 0 if read is None else read()
