"""
Reads the keys that are within the windows of topics from the queues, at the start.

No message is accepted before. It takes some 5 us a message, and the reactor gets its
turn between two steps.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.broker.dedupe.first import First, firsts_of
from rocketmq_tw.broker.dedupe.window import Windows
from rocketmq_tw.broker.queue_replay import read_queue
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import Fetched, IMessageStore

#: Messages that are read in one step, and their bytes.
AT_ONCE, SLICE = 500, 1 << 20


class Rebuild:
    """
    Reads the keys of topics that have windows.

    :param limit: how many keys of a topic are of use; those stored last.
    """

    _log = Logger()

    def __init__(self, store: IMessageStore, windows: Windows, limit: int) -> None:
        self._store = store
        self._windows = windows
        self._limit = limit

    def steps(self, lengths: dict[str, int], now_ms: int) -> Steps[None]:
        """
        Read what was stored within the windows.

        :param lengths: those of the topics, in ms.
        """
        queues = self._store.queues()
        for topic, length_ms in lengths.items():
            found = _Found(now_ms - length_ms, self._limit)
            for queue_id in queues.get(topic, ()):
                yield from self._queue(topic, queue_id, found)
            window = self._windows.of(topic, length_ms)
            keys = found.in_order()
            for index, (offset, store_time_ms, key) in enumerate(keys):
                self._windows.add(topic, window, key, offset, store_time_ms)
                if index % AT_ONCE == 0:
                    yield None
            if keys:
                self._log.info(
                    "{count} keys of [{topic}] are within its dedupe.window",
                    count=len(keys),
                    topic=topic,
                )

    def _queue(self, topic: str, queue_id: int, found: _Found) -> Steps[None]:
        """Read one queue from a time on."""
        at = yield from result_of(
            self._store.offset_by_time(topic, queue_id, found.oldest_ms)
        )

        def apply(fetched: Fetched) -> None:
            for each in firsts_of(fetched.data):
                found.add(each)

        yield from read_queue(
            self._store, topic, queue_id, at, apply, count=AT_ONCE, size=SLICE
        )


class _Found:
    """
    The keys of one topic: commit log offset, store time in ms, and key.

    :ivar oldest_ms: when the window begins.
    """

    def __init__(self, oldest_ms: int, limit: int) -> None:
        self.oldest_ms = oldest_ms
        self._limit = limit
        self._keys: list[tuple[int, int, bytes]] = []

    def add(self, each: First) -> None:
        """Keep the key of a message, if it has one and is within the window."""
        stored = each.stored
        if each.key is None or stored.store_time_ms < self.oldest_ms:
            return
        self._keys.append((stored.commit_log_offset, stored.store_time_ms, each.key))
        if len(self._keys) >= 2 * self._limit:
            self._keys = self.in_order()

    def in_order(self) -> list[tuple[int, int, bytes]]:
        """Return those that were stored last, as they were stored."""
        self._keys.sort()
        return self._keys[-self._limit :]
