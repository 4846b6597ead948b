"""
How many messages were stored of each topic, and sent to each group.

They are counted where they are stored and sent; here their sums are read, for some
topics and groups at once: see :mod:`rocketmq_tw.metrics.chunks`.

Source: ``BrokerMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.progress import Progress
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels, truth
from rocketmq_tw.metrics.chunks import Chunks, are_same, spans_of, sums
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.rows import Rows
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.model.topic import DLQ_PREFIX
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.interfaces import CountedQueue

TOPIC_LABELS = ("topic", "message_type", "is_system")
#: The label of topics that have no type.
_NORMAL = "normal"


class MessageMetrics:
    """
    Collects the counters of messages.

    :ivar version: changes when a queue was created or deleted.
    """

    def __init__(
        self, target: Target, broker: Broker, group_labels: GroupLabels
    ) -> None:
        self._group_labels = group_labels
        self._store = broker.store
        self._topics = broker.tables.topics
        self._topics.on_change.append(self._topic_changed)
        self._progress = broker.tables.progress
        self._queues: Sequence[CountedQueue] = ()
        self._entries: list[Progress] = []
        self.version = 0
        self._by_topic: dict[bytes, list[CountedQueue]] = {}
        self._renamed: set[bytes] = set()
        self._stored = Chunks(self._make_stored)
        self._sent = Chunks(self._make_sent)
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
        queues = self._store.counted_queues()
        if not are_same(queues, self._queues):
            self._queues = queues
            self.version += 1
            by_topic: dict[bytes, list[CountedQueue]] = {}
            for queue in queues:
                by_topic.setdefault(queue.topic, []).append(queue)
            self._by_topic = by_topic
            self._stored.update(list(by_topic))
        renamed, self._renamed = self._renamed, set()
        self._stored.remake(renamed)
        yield None
        for chunk in self._stored:
            chunk.collect(self.version)
            yield None

    def _make_stored(self, topics: list[bytes]) -> StoredChunk:
        """Return a chunk of topics."""
        return StoredChunk(topics, self)

    def queues_of(self, topic: bytes) -> Sequence[CountedQueue]:
        """Return the queues of a topic."""
        return self._by_topic.get(topic, ())

    def topic_rows(self, topics: list[bytes]) -> list[tuple[Rows, list[int]]]:
        """
        Return the series of topics: of messages, of bytes, and of dead letters.

        :returns: rows, and the numbers of their topics.
        """
        series = [self._labels_of(topic) for topic in topics]
        everything = list(range(len(topics)))
        found = [
            (self._in.rows(series), everything),
            (self._in_size.rows(series), everything),
        ]
        dead = [each for each in everything if series[each][0].startswith(DLQ_PREFIX)]
        if dead:
            labels = [_dead_labels(series[each]) for each in dead]
            found.append((self._dead.rows(labels), dead))
        return found

    def _topic_changed(self, name: str) -> None:
        """Make the labels of a topic again; its type may have changed."""
        topic = name.encode("utf-8", "replace")
        if topic in self._by_topic:
            self._renamed.add(topic)

    def _labels_of(self, topic: bytes) -> Values:
        """Return the labels of a topic."""
        name = topic.decode("utf-8", "replace")
        config = self._topics.get(name)
        kind = None if config is None else config.attributes.get("message.type")
        is_system = self._topics.is_system(name)
        return name, (kind or _NORMAL).lower(), truth(is_system)

    def _collect_sent(self) -> Steps[None]:
        """Set the series of each topic and group."""
        table = self._progress.table
        entries = list(table.values())
        if not are_same(entries, self._entries):
            self._entries = entries
            self._sent.update(list(table))
        yield None
        for chunk in self._sent:
            chunk.collect(table)
            yield None

    def _make_sent(self, keys: list[tuple[str, str]]) -> SentChunk:
        """Return a chunk of topics and groups."""
        return SentChunk(keys, self._group_labels, self._out, self._out_size)


class StoredChunk:
    """Some topics. A topic has a series from its first message on."""

    def __init__(self, keys: list[bytes], owner: MessageMetrics) -> None:
        self.keys = keys
        self._owner = owner
        self._version = -1
        self._queues: list[CountedQueue] = []
        self._spans: list[slice] = []
        self._counts: list[int] = []
        self._used: list[int] = []
        self._rows: list[tuple[Rows, list[int]]] = []

    def collect(self, version: int) -> None:
        """Set the series, if anything was stored since the last page."""
        if version != self._version:
            self._version = version
            queues = [self._owner.queues_of(topic) for topic in self.keys]
            self._spans = spans_of(map(len, queues))
            self._queues = [queue for some in queues for queue in some]
            self._counts = []
        counts = [queue.messages for queue in self._queues]
        if counts == self._counts:
            return
        self._counts = counts
        messages = sums(counts, self._spans)
        sizes = sums([queue.size for queue in self._queues], self._spans)
        used = [number for number, count in enumerate(messages) if count]
        if used != self._used:
            self.close()
            self._used = used
            if used:
                self._rows = self._owner.topic_rows([self.keys[each] for each in used])
        if used:
            self._set([messages[each] for each in used], [sizes[each] for each in used])

    def _set(self, messages: list[int], sizes: list[int]) -> None:
        """Set the numbers of the topics that have a series."""
        [(all_messages, _), (all_sizes, _), *others] = self._rows
        all_messages.set(messages)
        all_sizes.set(sizes)
        for rows, numbers in others:
            rows.set([messages[each] for each in numbers])

    def close(self) -> None:
        """Remove the series."""
        for rows, _ in self._rows:
            rows.close()
        self._rows, self._used = [], []


def _dead_labels(values: Values) -> Values:
    """Return the labels of a group's dead letters from those of their topic."""
    name, _, is_system = values
    return name, name.removeprefix(DLQ_PREFIX), is_system


class SentChunk:
    """Some topics with a group each."""

    def __init__(
        self,
        keys: list[tuple[str, str]],
        labels: GroupLabels,
        messages: Family,
        sizes: Family,
    ) -> None:
        self.keys = keys
        self._labels = labels
        self._families = messages, sizes
        self._rows: list[Rows] = []

    def collect(self, table: Mapping[tuple[str, str], Progress]) -> None:
        """Set the series."""
        entries = [table.get(key, _NOTHING) for key in self.keys]
        if not self._rows:
            series = [self._labels.of(*key) for key in self.keys]
            self._rows = [family.rows(series) for family in self._families]
        messages, sizes = self._rows
        messages.set([entry.messages for entry in entries])
        sizes.set([entry.size for entry in entries])

    def close(self) -> None:
        """Remove the series."""
        for rows in self._rows:
            rows.close()
        self._rows = []


#: An entry that has gone since the chunks were made.
_NOTHING = Progress()
