"""
How large messages are: the numbers of ``rocketmq_message_size``.

The store counts only the records that are larger than most, so that the others cost a
comparison; all others are in the first bucket.

Source: ``BrokerMetricsManager.registerMetricsView`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rocketmq_tw.store.queues.consumequeue import LARGER, SMALL

#: The bounds of the buckets, in bytes, as in Apache RocketMQ.
BOUNDS = (SMALL, *LARGER)


#: Lines of a topic: its buckets, the sum of the sizes, and the count.
LINES = len(BOUNDS) + 3


def small_numbers(messages: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """
    Return the numbers of topics whose messages are all small, one after another.

    :param messages: how many each has; ``sizes`` are their bytes.
    """
    numbers = [0] * (len(messages) * LINES)
    for line in range(LINES):
        numbers[line::LINES] = messages
    numbers[LINES - 2 :: LINES] = sizes
    return numbers


def size_buckets(messages: int, larger: Sequence[list[int] | None]) -> list[int]:
    """
    Return the numbers of the buckets of a topic.

    :param messages: how many there were, of all sizes.
    :param larger: of each queue, how many are in each bucket but the first.
    """
    counted = [each for each in larger if each is not None]
    buckets = [sum(each) for each in zip(*counted, strict=True)]
    first = messages - sum(buckets)
    return list(accumulate([first, *buckets]))
