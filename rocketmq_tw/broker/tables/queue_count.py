"""
How many queues the topics of a broker have together.

A queue takes some memory from its first message on, and a topic of 65,535 queues costs
a client one request. A topic that got fewer queues counts with those it had: they stay
in the store until the topic is deleted.

Source: none; Apache RocketMQ has no limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.broker.errors import TooManyQueues
from rocketmq_tw.model.topic import TopicConfig


class QueueCount:
    """
    Counts the queues of topics.

    :param limit: with so many no topic gets more (``maxQueues``).
    :ivar total: how many all topics have.
    :ivar refused: how many times a topic was not created or enlarged.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # The most queues that each topic has had; total is their sum.
        self._most: dict[str, int] = {}
        self.total = 0
        self.refused = 0

    def check(self, config: TopicConfig) -> None:
        """
        Check that a topic may be as in ``config``.

        :raises TooManyQueues: it would have more queues than before, and there are too
            many then.
        """
        name = config.topic_name
        more = _queues(config) - self._most.get(name, 0)
        if more > 0 and self.total + more > self.limit:
            self.refused += 1
            raise TooManyQueues(name, self.limit)

    def add(self, config: TopicConfig, stored: Sequence[int] = ()) -> None:
        """
        Count the queues of a topic that was created, changed or loaded.

        :param stored: the ids of the queues that the store has, also of others than
            the topic has now.
        """
        name, queues = config.topic_name, _queues(config)
        queues += sum(queue_id >= queues for queue_id in stored)
        before = self._most.get(name, 0)
        if queues > before:
            self._most[name] = queues
            self.total += queues - before

    def remove(self, name: str) -> None:
        """Count the queues of a deleted topic no more."""
        self.total -= self._most.pop(name, 0)


def _queues(config: TopicConfig) -> int:
    """Return how many queues can have messages, or have them from before."""
    return max(config.read_queue_nums, config.write_queue_nums)
