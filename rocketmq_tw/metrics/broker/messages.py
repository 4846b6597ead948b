"""
How many messages were stored of each topic, and sent to each group.

They are counted where they are stored and sent; here their sums are read, for some
topics and groups at once: see :mod:`rocketmq_tw.metrics.chunks`. Of queues only those
are looked at that may have changed.

Source: ``BrokerMetricsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.progress import Progress
from rocketmq_tw.metrics.broker.labels import GROUP_LABELS, GroupLabels, truth
from rocketmq_tw.metrics.broker.sizes import (
    BOUNDS,
    LINES,
    size_buckets,
    small_numbers,
)
from rocketmq_tw.metrics.broker.stored_sums import StoredSums
from rocketmq_tw.metrics.chunks import (
    Chunks,
    are_same,
    in_turns,
)
from rocketmq_tw.metrics.family import Family
from rocketmq_tw.metrics.rows import Rows
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.model.topic import (
    SCHEDULE_TOPIC,
    TIMER_TOPIC,
    TRANS_HALF_TOPIC,
    is_dlq,
    is_retry,
)
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.store.interfaces import CountedQueue

TOPIC_LABELS = ("topic", "message_type", "is_system")
#: Queues that are put together in one step: some 1 ms.
QUEUES = 10_000
#: The label of topics that have no type.
_NORMAL = "normal"
#: The labels of topics whose messages are of one kind, whatever their settings say.
_KINDS = {
    SCHEDULE_TOPIC: "delay",
    TIMER_TOPIC: "delay",
    TRANS_HALF_TOPIC: "transaction",
}


class MessageMetrics:
    """
    Collects the counters of messages.

    :ivar version: changes when a queue was created or deleted.
    :ivar totals: the numbers of all queues.
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
        self._is_whole = False
        self._entries: list[Progress] = []
        self.version = 0
        self.totals = StoredSums()
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
        self._sizes: Family | None = None
        if broker.config.metrics.counts_sizes:
            self._sizes = target.family(
                "rocketmq_message_size",
                "histogram",
                "Bytes of the records that were stored",
                TOPIC_LABELS,
                BOUNDS,
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
        """Add up the queues of each topic that has changed."""
        changed = self._take_changed()
        # Until the end of this: what is taken once is not given again.
        self._is_whole = False
        if changed is None:
            yield from self._find_queues()
            yield from self.totals.add_up()
        else:
            yield from self.totals.add(changed)
        renamed, self._renamed = self._renamed, set()
        self._stored.remake(renamed)
        yield None
        for chunk in in_turns(self._stored, StoredChunk.weight):
            if chunk is None:
                yield None
            else:
                chunk.collect(self.version)
        self._is_whole = True

    def _take_changed(self) -> Collection[CountedQueue] | None:
        """Return the queues that may have changed since the last page."""
        changed = self._store.changed_queues()
        return changed if self._is_whole else None

    def _find_queues(self) -> Steps[None]:
        """Find all queues; there may be others."""
        queues = self._store.counted_queues()
        if not are_same(queues, self._queues):
            by_topic: dict[bytes, list[CountedQueue]] = {}
            for some in parts_of(queues, QUEUES):
                for queue in some:
                    by_topic.setdefault(queue.topic, []).append(queue)
                yield None
            self._queues = queues
            self.version += 1
            self.totals.restart(by_topic)
            self._stored.update(list(by_topic))

    def _make_stored(self, topics: list[bytes]) -> StoredChunk:
        """Return a chunk of topics."""
        return StoredChunk(topics, self)

    def topic_rows(self, topics: list[bytes]) -> TopicRows:
        """Return the series of topics."""
        series = [self._labels_of(topic) for topic in topics]
        messages, sizes = self._in.rows(series), self._in_size.rows(series)
        if self._sizes is None:
            return TopicRows(messages, sizes, None, [])
        # As in Apache RocketMQ.
        sized = [
            number
            for number, (name, _, _) in enumerate(series)
            if not is_retry(name) and not is_dlq(name)
        ]
        of_sizes = self._sizes.rows([series[each] for each in sized]) if sized else None
        return TopicRows(messages, sizes, of_sizes, sized)

    def _topic_changed(self, name: str) -> None:
        """Make the labels of a topic again; its type may have changed."""
        topic = name.encode("utf-8", "replace")
        if topic in self.totals.numbers:
            self._renamed.add(topic)

    def _labels_of(self, topic: bytes) -> Values:
        """Return the labels of a topic."""
        name = topic.decode("utf-8", "replace")
        config = self._topics.get(name)
        kind = None if config is None else config.attributes.get("message.type")
        kind = _KINDS.get(name) or kind or _NORMAL
        return name, kind.lower(), truth(self._topics.is_system(name))

    def _collect_sent(self) -> Steps[None]:
        """Set the series of each topic and group."""
        table = self._progress.table
        entries = list(table.values())
        if not are_same(entries, self._entries):
            self._entries = entries
            self._sent.update(list(table))
        yield None
        for chunk in in_turns(self._sent, SentChunk.weight):
            if chunk is None:
                yield None
            else:
                chunk.collect(table)

    def _make_sent(self, keys: list[tuple[str, str]]) -> SentChunk:
        """Return a chunk of topics and groups."""
        families = self._out, self._out_size, self._dead
        return SentChunk(keys, self._group_labels, families)


class TopicRows(NamedTuple):
    """
    The series of some topics: of messages, of bytes, and of sizes.

    :ivar sized: the numbers of the topics whose sizes have series.
    """

    messages: Rows
    sizes: Rows
    of_sizes: Rows | None
    sized: list[int]

    def close(self) -> None:
        """Remove the series."""
        self.messages.close()
        self.sizes.close()
        if self.of_sizes is not None:
            self.of_sizes.close()


class StoredChunk:
    """Some topics. A topic has a series from its first message on."""

    # The lists of numbers, messages and sizes are parallel to the keys. _used are the
    # topics that have series, by their positions there.

    def __init__(self, keys: list[bytes], owner: MessageMetrics) -> None:
        self.keys = keys
        self._owner = owner
        self._version = -1
        self._numbers: list[int] = []
        self._messages: list[int] = []
        self._used: list[int] = []
        self._rows: TopicRows | None = None

    def weight(self) -> int:
        """Return how many topics there are."""
        return len(self.keys)

    def collect(self, version: int) -> None:
        """Set the series, if anything was stored since the last page."""
        totals = self._owner.totals
        if version != self._version:
            self._version = version
            self._numbers = [totals.numbers[topic] for topic in self.keys]
        every = totals.messages
        messages = [every[number] for number in self._numbers]
        if messages == self._messages:
            return
        self._messages = messages
        used = [position for position, count in enumerate(messages) if count]
        if used != self._used:
            self.close()
            self._used = used
            if used:
                self._rows = self._owner.topic_rows([self.keys[each] for each in used])
        if self._rows is not None:
            self._set(self._rows)

    def _set(self, rows: TopicRows) -> None:
        """Set the series of the topics that have messages."""
        totals = self._owner.totals
        messages = [self._messages[each] for each in self._used]
        sizes = [totals.sizes[self._numbers[each]] for each in self._used]
        rows.messages.set(messages)
        rows.sizes.set(sizes)
        if rows.of_sizes is not None:
            numbers = small_numbers(
                [messages[each] for each in rows.sized],
                [sizes[each] for each in rows.sized],
            )
            if totals.larger:
                self._set_larger(numbers, rows.sized)
            rows.of_sizes.set(numbers)

    def _set_larger(self, numbers: list[int], sized: list[int]) -> None:
        """Set the buckets of topics that have messages which are not small."""
        totals = self._owner.totals
        for number, each in enumerate(sized):
            position = self._used[each]
            if self._numbers[position] in totals.larger:
                queues = totals.queues_of(self.keys[position])
                counts = [queue.larger for queue in queues]
                buckets = size_buckets(self._messages[position], counts)
                numbers[number * LINES : number * LINES + len(buckets)] = buckets

    def close(self) -> None:
        """Remove the series."""
        if self._rows is not None:
            self._rows.close()
        self._rows, self._used = None, []


class SentChunk:
    """Some topics with a group each."""

    def __init__(
        self,
        keys: list[tuple[str, str]],
        labels: GroupLabels,
        families: tuple[Family, Family, Family],
    ) -> None:
        self.keys = keys
        self._labels = labels
        self._messages, self._sizes, self._dead = families
        self._rows: list[Rows] = []
        self._dead_rows: Rows | None = None
        self._burying: list[int] = []

    def weight(self) -> int:
        """Return how many topics there are."""
        return len(self.keys)

    def collect(self, table: Mapping[tuple[str, str], Progress]) -> None:
        """Set the series."""
        entries = [table.get(key, _NOTHING) for key in self.keys]
        if not self._rows:
            series = [self._labels.of(*key) for key in self.keys]
            self._rows = [self._messages.rows(series), self._sizes.rows(series)]
        messages, sizes = self._rows
        messages.set([entry.messages for entry in entries])
        sizes.set([entry.size for entry in entries])
        dead = [entry.dead_letters for entry in entries]
        if any(dead) or self._burying:
            self._set_dead(dead)

    def _set_dead(self, dead: list[int]) -> None:
        """Set how many messages groups have given up; most have given up none."""
        burying = [number for number, count in enumerate(dead) if count]
        if burying != self._burying:
            self._close_dead()
            self._burying = burying
            if burying:
                # As it was sent back: a retry topic counts apart from its first one.
                keys = [self.keys[each] for each in burying]
                series = [(*key, self._labels.of(*key)[2]) for key in keys]
                self._dead_rows = self._dead.rows(series)
        if self._dead_rows is not None:
            self._dead_rows.set([dead[each] for each in burying])

    def _close_dead(self) -> None:
        """Remove the series of groups that have given up messages."""
        if self._dead_rows is not None:
            self._dead_rows.close()
        self._dead_rows, self._burying = None, []

    def close(self) -> None:
        """Remove the series."""
        for rows in self._rows:
            rows.close()
        self._rows = []
        self._close_dead()


#: An entry that has gone since the chunks were made.
_NOTHING = Progress()
