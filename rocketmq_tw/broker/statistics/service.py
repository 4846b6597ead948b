"""
The messages of each topic, queue and group, and those of the broker.

Nothing is counted here on the path of a message. The store counts what it dispatches at
each queue, and pulls and pops count what they sent at the entry of the group and topic
(:mod:`rocketmq_tw.broker.tables.progress`). Every ten seconds what these have grown by
is added to the windows, in steps; and before a tool is shown them, too.

A topic, a queue or a group has windows from its first message on, until it is deleted
or no message came for a day. That there were too many is logged once.

Source: ``BrokerStatsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.statistics.windows import DAY, Grown, Windows
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.progress import ConsumeProgress, Progress
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.store.interfaces import CountedQueue, IMessageStore

#: How many queues, groups or windows are looked at in one step: some 2 ms.
AT_ONCE = 2000
#: The columns of a topic and a queue.
MESSAGES, SIZE = 0, 1
#: Those of a group, which has the two as well.
PULLS, ACKNOWLEDGED, POPS, SENT_BACK, DEAD_LETTERS = 2, 3, 4, 5, 6
#: Those of the broker: the first seven as of a group, but of all topics and groups.
OUT, OUT_SIZE, IN_PLAIN, OUT_PLAIN = 7, 8, 9, 10

if TYPE_CHECKING:
    from rocketmq_tw.broker.statistics.reads import QueueReads
    from rocketmq_tw.broker.statistics.watched import WatchedWindows
    from rocketmq_tw.broker.stats import PutCounters

_K = TypeVar("_K")


class Statistics:
    """
    The windows of one broker.

    :param limit: how many topics, queues and groups may have windows.
    :param puts: gets the counters of queues whose sends tools ask for.
    :ivar topics: the windows of topics, by name.
    :ivar queues: those of queues, by topic and queue id.
    :ivar groups: those of groups, by topic and group.
    :ivar broker: those of all topics together, and of all groups.
    :ivar refused: how often none were made because of the limit.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        topics: TopicTable,
        groups: GroupTable,
        progress: ConsumeProgress,
        clock: IReactorTime,
        limit: int = 20_000,
        puts: PutCounters | None = None,
    ) -> None:
        self._store = store
        self._topics = topics
        self._groups = groups
        self._progress = progress
        self._now = clock.seconds
        self._rolled_at = clock.seconds()
        self._tick = 0
        self.limit = limit
        self._is_logged = False
        self.refused = 0
        self.topics: dict[str, Windows] = {}
        self.queues: dict[tuple[str, int], Windows] = {}
        self.groups: dict[tuple[str, str], Windows] = {}
        self.broker = Windows(11, self._rolled_at)
        self._reads: QueueReads | None = None
        self._puts: WatchedWindows[tuple[str, int]] | None = None
        self._put_counters = {} if puts is None else puts
        topics.on_change.append(self._topic_changed)

    def __len__(self) -> int:
        """Return how many topics, queues and groups have windows."""
        return len(self.topics) + len(self.queues) + len(self.groups)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {
            "statistics": lambda: len(self),
            "statisticsRefused": lambda: self.refused,
            "statisticsOfReads": lambda: len(self._reads or ()),
            "statisticsOfReadsRefused": lambda: self._reads_refused,
            "statisticsOfPuts": lambda: len(self._puts or ()),
            "statisticsOfPutsRefused": lambda: self._puts_refused,
        }

    @property
    def _reads_refused(self) -> int:
        return 0 if self._reads is None else self._reads.refused

    @property
    def _puts_refused(self) -> int:
        return 0 if self._puts is None else self._puts.refused

    # -- for tools

    def grown(self, windows: Windows, column: int, times: int) -> tuple[Grown, ...]:
        """Return what a counter has grown by in the last minute, hour and day."""
        now = self._now()
        return windows.grown(column, times, self._tick, now, self._rolled_at)

    def topic(self, name: str) -> Windows | None:
        """
        Return the windows of a topic, up to now; None if it had no message.

        With many queues they are up to the last sample.
        """
        queues = self._store.counted_queues(name)
        if len(queues) <= AT_ONCE:
            self._take_queues(queues)
        return self.topics.get(name)

    def queue(self, topic: str, queue_id: int) -> Windows | None:
        """Return those of a queue."""
        queues = self._store.counted_queues(topic)
        self._take_queues(each for each in queues if each.queue_id == queue_id)
        return self.queues.get((topic, queue_id))

    def group(self, topic: str, group: str) -> Windows | None:
        """Return those of a group that reads a topic."""
        entry = self._progress.table.get((topic, group))
        if entry is not None:
            self._take_group(topic, group, entry)
        return self.groups.get((topic, group))

    def queue_reads(self, topic: str, queue_id: int, group: str) -> Windows | None:
        """Return those of a group that reads one queue, counted from now on."""
        config = self._topics.get(topic)
        if config is None or not 0 <= queue_id < config.read_queue_nums:
            return None
        if self._reads is None:
            from rocketmq_tw.broker.statistics.reads import QueueReads

            self._reads = QueueReads(self._progress)
        key = topic, queue_id, group
        return self._reads.find(key, self.limit, self._tick, self._now())

    def queue_puts(self, topic: str, queue_id: int) -> Windows | None:
        """Return the times of sends to one queue, counted from now on."""
        config = self._topics.get(topic)
        if config is None or not 0 <= queue_id < config.write_queue_nums:
            return None
        if self._puts is None:
            from rocketmq_tw.broker.statistics.puts import queue_puts

            self._puts = queue_puts(self._put_counters)
        key = topic, queue_id
        return self._puts.find(key, self.limit, self._tick, self._now())

    def put_rate(self, topic: str) -> float:
        """Return how many messages a topic got each second, in the last minute."""
        windows = self.topics.get(topic)
        if windows is None:
            return 0.0
        return self.grown(windows, MESSAGES, MESSAGES)[0].rate

    # -- every ten seconds

    def sample(self) -> Steps[None]:
        """Add what was counted to the windows, and a row to each, in steps."""
        for queues in parts_of(self._store.counted_queues(), AT_ONCE):
            self._take_queues(queues)
            yield None
        for entries in parts_of(list(self._progress.table.items()), AT_ONCE):
            for (topic, group), entry in entries:
                self._take_group(topic, group, entry)
            yield None
        tick = self._tick + 1
        self.broker.roll(tick)
        yield from _roll(self.topics, tick)
        yield from _roll(self.queues, tick)
        yield from _roll(self.groups, tick, self._is_gone)
        if self._reads is not None:
            yield from self._reads.roll(tick)
        if self._puts is not None:
            yield from self._puts.roll(tick)
        self._tick, self._rolled_at = tick, self._now()
        refused = self.refused or self._reads_refused or self._puts_refused
        if refused and not self._is_logged:
            self._is_logged = True
            self._log.warn(
                "messages of some topics and groups are not counted for tools: there"
                " are more than maxStatistics ({limit}) topics, queues and groups",
                limit=self.limit,
            )

    def _take_queues(self, queues: Iterable[CountedQueue]) -> None:
        """Add what some queues have stored since they were looked at."""
        for queue in queues:
            before, size_before = queue.sampled
            messages, size = queue.messages, queue.size
            if messages == before:
                continue
            queue.sampled = messages, size
            values = messages - before, size - size_before
            topic = queue.topic.decode("utf-8", "replace")
            self._add(self.topics, topic, values)
            self._add(self.queues, (topic, queue.queue_id), values)
            totals = self.broker.totals
            totals[MESSAGES] += values[0]
            totals[SIZE] += values[1]
            if not self._topics.is_system(topic):
                totals[IN_PLAIN] += values[0]

    def _take_group(self, topic: str, group: str, entry: Progress) -> None:
        """Add what a group was sent since it was looked at."""
        now = entry.counts
        if now == entry.sampled:
            return
        before, entry.sampled = entry.sampled, now
        values = [new - old for new, old in zip(now, before, strict=True)]
        self._add(self.groups, (topic, group), values)
        totals = self.broker.totals
        totals[OUT] += values[MESSAGES]
        totals[OUT_SIZE] += values[SIZE]
        for column in range(PULLS, DEAD_LETTERS + 1):
            totals[column] += values[column]
        if not self._topics.is_system(topic):
            totals[OUT_PLAIN] += values[MESSAGES]

    def _add(
        self,
        table: dict[_K, Windows],
        key: _K,
        values: tuple[int, ...] | list[int],
    ) -> None:
        """Let the counters of a key grow; make its windows if they may be made."""
        windows = table.get(key)
        if windows is None:
            if len(self) >= self.limit:
                self.refused += 1
                return
            windows = table[key] = Windows(len(values), self._rolled_at)
        windows.add(values)

    def _is_gone(self, key: tuple[str, str]) -> bool:
        """Return whether a group was deleted."""
        return self._groups.get(key[1]) is None

    def _topic_changed(self, name: str) -> None:
        """Drop the windows of a topic that was deleted, and of its queues."""
        if self._topics.get(name) is not None:
            return
        # It has none itself if its messages are all from before the start.
        self.topics.pop(name, None)
        for queue in [each for each in self.queues if each[0] == name]:
            del self.queues[queue]
        for group in [each for each in self.groups if each[0] == name]:
            del self.groups[group]
        if self._reads is not None:
            self._reads.drop(name)
        if self._puts is not None:
            self._puts.drop(name)


def _roll(
    table: dict[_K, Windows], tick: int, is_gone: Callable[[_K], bool] | None = None
) -> Steps[None]:
    """Add a row to each; drop what had no message for a day, or is gone."""
    for some in parts_of(list(table.items()), AT_ONCE):
        for key, windows in some:
            windows.roll(tick)
            if windows.idle >= DAY or (is_gone is not None and is_gone(key)):
                table.pop(key, None)
        yield None
