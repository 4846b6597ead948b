"""
How long it took to store the sends to single queues, for tools that ask for it.

Source: ``BrokerStatsManager.incTopicPutLatency`` of RocketMQ 5, which counts it of all
queues. Its time begins when a request leaves its queue, and here when its bytes have
arrived; both end when the message is as safe as its sender waits for.
"""

from __future__ import annotations

from rocketmq_tw.broker.statistics.watched import WatchedWindows
from rocketmq_tw.broker.stats import PutCounters

#: Topic and queue id.
Key = tuple[str, int]


def queue_puts(counters: PutCounters) -> WatchedWindows[Key]:
    """
    Return the windows of queues.

    :param counters: what is counted on the path of sends, by topic and queue id.
    """

    def attach(key: Key, totals: list[int]) -> None:
        counters[key[0].encode(), key[1]] = totals

    def detach(key: Key) -> None:
        del counters[key[0].encode(), key[1]]

    return WatchedWindows(2, attach, detach)
