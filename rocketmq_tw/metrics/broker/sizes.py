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


def size_numbers(
    messages: int, size: int, larger: Sequence[list[int] | None]
) -> list[int]:
    """
    Return the numbers of a histogram: of its buckets, its sum, and its count.

    :param messages: how many there were, of all sizes.
    :param size: their bytes.
    :param larger: of each queue, how many are in each bucket but the first.
    """
    counted = [each for each in larger if each is not None]
    if not counted:
        return [messages] * (len(BOUNDS) + 1) + [size, messages]
    buckets = [sum(each) for each in zip(*counted, strict=True)]
    first = messages - sum(buckets)
    return [*accumulate([first, *buckets]), size, messages]
