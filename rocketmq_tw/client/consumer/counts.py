"""
Counts of pulled and consumed messages, and the rates of the last minute.

Source: ``ConsumerStatsManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from rocketmq_tw.wire.bodies.running_info import ConsumeStatus

#: Samples that are kept: one each 5 s, for a minute.
SAMPLES: Final = 13


class TopicCounts(msgspec.Struct):
    """
    The counts of one topic; they only rise. Times are in seconds.

    :ivar pulls: pulls that found messages.
    :ivar pull_time: how long these took.
    :ivar pulled: messages that they found.
    :ivar consumed: messages that are consumed.
    :ivar failed: messages that failed.
    :ivar invocations: calls of handlers.
    :ivar invocation_time: how long these took, until the outcome was there.
    """

    pulls: int = 0
    pull_time: float = 0.0
    pulled: int = 0
    consumed: int = 0
    failed: int = 0
    invocations: int = 0
    invocation_time: float = 0.0


class ConsumerCounts:
    """The counts of one consumer."""

    def __init__(self) -> None:
        self._topics: dict[str, TopicCounts] = {}
        self._samples: deque[tuple[float, dict[str, TopicCounts]]] = deque(
            maxlen=SAMPLES
        )

    def of(self, topic: str) -> TopicCounts:
        """Return the counts of a topic, which the caller increases."""
        return self._topics.setdefault(topic, TopicCounts())

    def sample(self, now: float) -> None:
        """Keep the counts of this moment; call it every 5 s."""
        copies = {k: msgspec.structs.replace(v) for k, v in self._topics.items()}
        self._samples.append((now, copies))

    def status(self, now: float) -> dict[str, ConsumeStatus]:
        """Return the rates since the oldest sample, and all failures, by topic."""
        since, before = self._samples[0] if self._samples else (now, {})
        seconds = now - since
        return {
            topic: _status(counts, before.get(topic, TopicCounts()), seconds)
            for topic, counts in self._topics.items()
        }


def _status(now: TopicCounts, before: TopicCounts, seconds: float) -> ConsumeStatus:
    """Return the rates between two moments."""
    if seconds <= 0:
        return ConsumeStatus(consume_failed_msgs=now.failed)
    pulls = now.pulls - before.pulls
    calls = now.invocations - before.invocations
    waited = now.invocation_time - before.invocation_time
    return ConsumeStatus(
        pull_rt=(now.pull_time - before.pull_time) * 1000 / pulls if pulls else 0.0,
        pull_tps=(now.pulled - before.pulled) / seconds,
        consume_rt=waited * 1000 / calls if calls else 0.0,
        consume_ok_tps=(now.consumed - before.consumed) / seconds,
        consume_failed_tps=(now.failed - before.failed) / seconds,
        consume_failed_msgs=now.failed,
    )
