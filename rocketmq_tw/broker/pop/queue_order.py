"""
In which order a pop looks at the queues of a topic and of its retry topics.

It begins with any queue of the topic, so that all have their turn; one pop of five
reads the retry topic first, the others after the topic.

A topic with the attribute ``message.type=PRIORITY`` has a priority in each queue: its
messages are stored in the queue that has the number of their priority. Its pops begin
with the highest one, so low ones may have to wait for ever. The group attribute
``priority.factor`` says how many pops of a hundred do so, all without it.

Source: ``PopMessageProcessor`` of RocketMQ 5.5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from rocketmq_tw.broker.tables.group_attributes import priority_factor
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topic_attributes import has_priorities
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import (
    is_readable,
    is_retry,
    pop_retry_topic,
    pop_retry_topic_v2,
)
from rocketmq_tw.wire.requests.pop import ALL_QUEUES

#: Queues that one pop looks at: of a larger topic, others each time.
MOST = 4096


class QueueOrder:
    """
    Chooses queues.

    :param retry_first: percent of the pops that read the retry topic first.
    :param retry_first_for_priority: the same, of those that begin with the highest
        priority.
    :param ascending: whether the highest priority is the largest queue id; otherwise
        it is 0.
    :param draw: returns a random number below its argument.
    """

    def __init__(
        self,
        *,
        topics: TopicTable,
        groups: GroupTable,
        retry_first: int = 20,
        retry_first_for_priority: int = 0,
        ascending: bool = True,
        draw: Callable[[int], int] = random.randrange,
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._retry_first = retry_first
        self._retry_first_for_priority = retry_first_for_priority
        self._ascending = ascending
        self._draw = draw

    def of(
        self, topic: str, group: str, chosen: int, in_order: bool
    ) -> Iterator[tuple[str, int]]:
        """
        Return topics and queue ids.

        :param chosen: a queue of the topic, or :data:`ALL_QUEUES`.
        :param in_order: whether messages come in order; none of a retry topic do.
        """
        if in_order:
            yield from self._of_topic(topic, chosen, False)
            return
        by_priority = self._is_by_priority(topic, group)
        percent = self._retry_first_for_priority if by_priority else self._retry_first
        retry_first = self._draw(100) < percent
        if retry_first:
            yield from self._of_retries(topic, group)
        yield from self._of_topic(topic, chosen, by_priority)
        if not retry_first:
            yield from self._of_retries(topic, group)

    def _of_retries(self, topic: str, group: str) -> Iterator[tuple[str, int]]:
        """Return the queues of the retry topics that exist."""
        if is_retry(topic):
            return
        for name in (pop_retry_topic(group, topic), pop_retry_topic_v2(group, topic)):
            yield from self._of_topic(name, ALL_QUEUES, False)

    def _of_topic(
        self, topic: str, chosen: int, by_priority: bool
    ) -> Iterator[tuple[str, int]]:
        """Return the queues of one topic."""
        config = self._topics.table.get(topic)
        if config is None or not is_readable(config.perm):
            return
        if chosen != ALL_QUEUES:
            yield topic, chosen
            return
        count = config.read_queue_nums
        first, step = 0, 1
        if by_priority and self._ascending:
            first, step = count - 1, -1
        elif not by_priority and count > 1:
            first = self._draw(count)
        for number in range(min(count, MOST)):
            yield topic, (first + number * step) % count

    def _is_by_priority(self, topic: str, group: str) -> bool:
        """Return whether a pop is to begin with the highest priority."""
        config = self._topics.table.get(topic)
        if config is None or not config.attributes:
            return False
        if not has_priorities(config.attributes):
            return False
        settings = self._groups.get(group)
        attributes = {} if settings is None else settings.attributes
        return self._draw(100) < priority_factor(attributes)
