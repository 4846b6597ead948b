"""
How many messages were stored of each topic, and sent to each group.

They are counted where they are stored and sent; here their sums are read. A topic of
which nothing was stored since the last page costs a comparison.

Source: ``BrokerMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels, truth
from rocketmq_tw.metrics.family import Values
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.model.topic import DLQ_PREFIX
from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Queues, and topics, that are looked at in one step: below 1 ms.
QUEUES, TOPICS = 2000, 100
TOPIC_LABELS = ("topic", "message_type", "is_system")
#: The label of topics that have no type.
_NORMAL = "normal"


class MessageMetrics:
    """
    Collects the counters of messages.

    :ivar stored: messages and bytes by topic, as of the last page.
    """

    def __init__(
        self, target: Target, broker: Broker, group_labels: GroupLabels
    ) -> None:
        self._group_labels = group_labels
        self._store = broker.store
        self._topics = broker.tables.topics
        self._progress = broker.tables.progress
        self.stored: dict[bytes, tuple[int, int]] = {}
        self._labels: dict[bytes, Values] = {}
        self._groups: dict[tuple[str, str], tuple[int, int]] = {}
        self._in = target.counter(
            "rocketmq_messages_in_total", "Messages that were stored", *TOPIC_LABELS
        )
        self._in_size = target.counter(
            "rocketmq_throughput_in_total", "Bytes of their records", *TOPIC_LABELS
        )
        self._out = target.counter(
            "rocketmq_messages_out_total",
            "Messages that were sent to groups",
            *GROUP_LABELS,
        )
        self._out_size = target.counter(
            "rocketmq_throughput_out_total", "Bytes of their records", *GROUP_LABELS
        )
        self._dead = target.counter(
            "rocketmq_send_to_dlq_messages_total",
            "Messages that a group has given up: its dead letters",
            "topic",
            "consumer_group",
            "is_system",
        )

    def collect(self) -> Steps[None]:
        """Set the series that have changed."""
        yield from self._collect_stored()
        yield from self._collect_sent()

    def _collect_stored(self) -> Steps[None]:
        """Add up the queues of each topic."""
        totals: dict[bytes, list[int]] = {}
        for queues in parts_of(self._store.counted_queues(), QUEUES):
            for queue in queues:
                count = queue.messages
                if count:
                    total = totals.get(queue.topic)
                    if total is None:
                        totals[queue.topic] = [count, queue.size]
                    else:
                        total[0] += count
                        total[1] += queue.size
            yield None
        for topics in parts_of(totals.items(), TOPICS * 10):
            changed = [
                (topic, count, size)
                for topic, (count, size) in topics
                if self.stored.get(topic) != (count, size)
            ]
            for some in parts_of(changed, TOPICS):
                for each in some:
                    self._set_stored(*each)
                yield None
        if len(self.stored) > len(totals):
            for topic in self.stored.keys() - totals.keys():
                self._remove_stored(topic)

    def _set_stored(self, topic: bytes, count: int, size: int) -> None:
        """Set the series of a topic."""
        values = self._labels_of(topic)
        if self._labels.get(topic, values) != values:
            self._remove_stored(topic)
        self.stored[topic] = count, size
        self._labels[topic] = values
        self._in.set(values, count)
        self._in_size.set(values, size)
        if values[0].startswith(DLQ_PREFIX):
            self._dead.set(_dead_labels(values), count)

    def _remove_stored(self, topic: bytes) -> None:
        """Remove the series of a topic that is gone, or has other labels."""
        self.stored.pop(topic, None)
        values = self._labels.pop(topic, None)
        if values is not None:
            self._in.remove(values)
            self._in_size.remove(values)
            self._dead.remove(_dead_labels(values))

    def _labels_of(self, topic: bytes) -> Values:
        """Return the labels of a topic."""
        name = topic.decode("utf-8", "replace")
        config = self._topics.get(name)
        kind = None if config is None else config.attributes.get("message.type")
        is_system = self._topics.is_system(name)
        return name, (kind or _NORMAL).lower(), truth(is_system)

    def _collect_sent(self) -> Steps[None]:
        """Set the series of each topic and group."""
        known, table = self._groups, self._progress.table
        for entries in parts_of(list(table.items()), TOPICS * 10):
            changed = [
                (key, progress)
                for key, progress in entries
                if known.get(key) != (progress.messages, progress.size)
            ]
            for some in parts_of(changed, TOPICS):
                for key, progress in some:
                    known[key] = progress.messages, progress.size
                    values = self._group_labels.of(*key)
                    self._out.set(values, progress.messages)
                    self._out_size.set(values, progress.size)
                yield None
            yield None
        for key in known.keys() - table.keys():
            del known[key]
            values = self._group_labels.of(*key)
            self._out.remove(values)
            self._out_size.remove(values)


def _dead_labels(values: Values) -> Values:
    """Return the labels of a group's dead letters from those of their topic."""
    name, _, is_system = values
    return name, name.removeprefix(DLQ_PREFIX), is_system
