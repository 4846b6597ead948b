"""
How the broker allocates queues to the members of a group, as clients do by themselves.

Source: ``QueryAssignmentProcessor``, ``AllocateMessageQueueAveragely`` and
``AllocateMessageQueueAveragelyByCircle`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.requests.pop import ALL_QUEUES

AVERAGE = "AVG"
BY_CIRCLE = "AVG_BY_CIRCLE"
#: The strategies that a broker knows.
STRATEGIES = (AVERAGE, BY_CIRCLE)


def pulled_queues(
    queues: Sequence[MessageQueue], index: int, members: int, strategy: str
) -> Sequence[MessageQueue]:
    """
    Return the queues of one member that pulls.

    :param queues: sorted.
    :param index: the member's place among ``members`` sorted ones.
    """
    if strategy == BY_CIRCLE:
        return queues[index::members]
    share, rest = divmod(len(queues), members)
    start = index * share + min(index, rest)
    return queues[start : start + share + (index < rest)]


def popped_queues(
    queues: Sequence[MessageQueue], index: int, members: int, strategy: str, shared: int
) -> Sequence[MessageQueue]:
    """
    Return the queues that one member pops from.

    :param shared: with how many of the next members each shares its queues; all share
        all queues if it is 0 or less, or if there are not more members.
    """
    if shared <= 0 or shared >= members - 1:
        return _collapsed(queues)
    if members > len(queues):
        return [queues[index % len(queues)]] if queues else []
    found: dict[MessageQueue, None] = {}
    for step in range(shared + 1):
        whose = (index + step) % members
        found.update(dict.fromkeys(pulled_queues(queues, whose, members, strategy)))
    return list(found)


def _collapsed(queues: Sequence[MessageQueue]) -> list[MessageQueue]:
    """Return one entry for all queues of each broker."""
    brokers = dict.fromkeys((queue.topic, queue.broker_name) for queue in queues)
    return [MessageQueue(topic, broker, ALL_QUEUES) for topic, broker in brokers]
