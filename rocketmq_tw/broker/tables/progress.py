"""
How fast groups read topics, and how far they were sent messages.

It is for tools only, and in memory only. On the path of every pull that finds messages
it costs two lookups and three additions.

Source: ``BrokerStatsManager`` (``GROUP_GET_NUMS``) and
``ConsumerOffsetManager.pullOffsetTable`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.logger import Logger

from rocketmq_tw.remoting.pacing import Steps, parts_of

#: Seconds between two calls of :meth:`ConsumeProgress.sample`.
SAMPLE_PERIOD = 10
#: How many samples a rate is computed from: those of a minute.
_SAMPLES = 7
#: After so many samples without messages an entry is dropped: ten minutes.
_IDLE = 60
#: How many entries are sampled in one step.
AT_ONCE = 2000
#: The columns of a queue: messages, bytes, pulls, and milliseconds of waits for a disk.
MESSAGES, SIZE, PULLS, WAITED = range(4)
WIDTH = 4


class Progress(msgspec.Struct):
    """
    What one group has been sent of one topic.

    :ivar messages: how many, since the entry was made.
    :ivar size: bytes of their records, or of what was sent of them.
    :ivar pulls: how many pulls and pops found them.
    :ivar acknowledged: how many were acknowledged that had been popped.
    :ivar pops: how many queues were popped from.
    :ivar sent_back: how many were sent back by those who could not consume them.
    :ivar dead_letters: how many of these became dead letters.
    :ivar watched: counts of the queues that tools ask for, by queue id; None if there
        are none (:mod:`rocketmq_tw.broker.statistics.reads`).
    :ivar pulled: queue id to the queue offset behind the last message sent.
    """

    messages: int = 0
    size: int = 0
    pulls: int = 0
    acknowledged: int = 0
    pops: int = 0
    sent_back: int = 0
    dead_letters: int = 0
    watched: dict[int, list[int]] | None = None
    pulled: dict[int, int] = {}
    #: What ``messages`` was before, the oldest first.
    samples: list[int] = []
    idle: int = 0
    #: The counts when statistics were last made (:mod:`rocketmq_tw.broker.statistics`).
    sampled: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 0)

    @property
    def counts(self) -> tuple[int, ...]:
        """All counts, in the order in which they are declared."""
        return (
            self.messages,
            self.size,
            self.pulls,
            self.acknowledged,
            self.pops,
            self.sent_back,
            self.dead_letters,
        )

    def sent(self, queue_id: int, count: int, size: int) -> None:
        """Count what a pull or pop found in a queue, if that one is watched."""
        counts = self.watched and self.watched.get(queue_id)
        if counts:
            counts[MESSAGES] += count
            counts[SIZE] += size
            counts[PULLS] += 1

    def waited(self, queue_id: int, seconds: float) -> None:
        """Count for how long a pull waited for the disk, if its queue is watched."""
        counts = self.watched and self.watched.get(queue_id)
        if counts:
            counts[WAITED] += int(seconds * 1000)

    @property
    def rate(self) -> float:
        """Messages per second, in the last minute or since there is a sample."""
        samples = self.samples
        if len(samples) < 2:
            return 0.0
        grown = samples[-1] - samples[0]
        return grown / (SAMPLE_PERIOD * (len(samples) - 1))

    def sample(self) -> bool:
        """Keep a sample; return whether the entry is of use still."""
        samples = self.samples
        is_idle = bool(samples) and samples[-1] == self.messages
        self.idle = self.idle + 1 if is_idle else 0
        samples.append(self.messages)
        del samples[:-_SAMPLES]
        return self.idle < _IDLE or self.watched is not None


class ConsumeProgress:
    """
    The entries of all groups and topics. That there were too many is logged once.

    :param limit: how many queues, of all groups, may be remembered.
    :ivar table: maps (topic, group) to an entry.
    :ivar refused: how often none was made because of the limit.
    """

    _log = Logger()

    def __init__(self, limit: int = 50_000) -> None:
        self._is_logged = False
        self.limit = limit
        self.refused = 0
        self.queues = 0
        self.table: dict[tuple[str, str], Progress] = {}
        #: What is counted where no entry may be made; shown to nobody.
        self._nowhere = Progress()

    def entry(self, topic: str, group: str) -> Progress:
        """Return an entry, made if that is allowed."""
        key = topic, group
        found = self.table.get(key)
        if found is not None:
            return found
        if max(self.queues, len(self.table)) >= self.limit:
            self.refused += 1
            return self._nowhere
        found = self.table[key] = Progress(samples=[0])
        return found

    def rate(self, topic: str, group: str) -> float:
        """Return how many messages per second a group is sent of a topic."""
        found = self.table.get((topic, group))
        return 0.0 if found is None else found.rate

    def acknowledged(self, topic: str, group: str, count: int) -> None:
        """Count messages that were popped and are acknowledged."""
        found = self.table.get((topic, group))
        if found is not None:
            found.acknowledged += count

    def pulled(self, topic: str, group: str, queue_id: int) -> int:
        """Return the queue offset up to which a group was sent messages; else -1."""
        found = self.table.get((topic, group))
        return -1 if found is None else found.pulled.get(queue_id, -1)

    def remove_topic(self, topic: str) -> None:
        """Forget what groups were sent of a topic that was deleted."""
        for key in [key for key in self.table if key[0] == topic]:
            del self.table[key]

    def sample(self) -> Steps[None]:
        """
        Sample all entries, in steps; drop those that are of no use.

        If there are too many queues, because topics have got more, all offsets are
        forgotten, and come back with the next pulls.
        """
        queues = 0
        for some in parts_of(list(self.table.items()), AT_ONCE):
            for key, each in some:
                if each.sample():
                    queues += len(each.pulled)
                elif self.table.get(key) is each:
                    del self.table[key]
            yield None
        self._nowhere.pulled.clear()
        if queues > self.limit:
            self.refused += 1
            queues = 0
            for each in self.table.values():
                each.pulled.clear()
        self.queues = queues
        if self.refused and not self._is_logged:
            self._is_logged = True
            self._log.warn(
                "up to where some groups were sent messages is not remembered, nor how"
                " fast they read: there are more queues than maxPullOffsets ({limit})",
                limit=self.limit,
            )
