"""Limits for pulling: a queue with too many unconsumed messages is not pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from rocketmq_tw.client.consumer.compressed import InflateLimits

if TYPE_CHECKING:
    from rocketmq_tw.client.consumer.process_queue import ProcessQueue

_MIB: Final = 1 << 20


class CacheSize(msgspec.Struct):
    """
    What all queues of one consumer hold.

    :ivar total: bytes of message bodies.
    :ivar messages: the number of messages.
    """

    total: int = 0
    messages: int = 0


class PullLimits(msgspec.Struct, frozen=True, kw_only=True):
    """
    How much may be held; exceeding a limit stops pulling.

    :ivar batch: messages requested by one pull.
    :ivar messages: messages of one queue.
    :ivar span: queue offsets between the first message and the last.
    :ivar size: bytes of message bodies of one queue.
    :ivar total_size: bytes of message bodies of all queues of the consumer.
    :ivar total_messages: messages of all queues of the consumer.
    :ivar interval: seconds between a pull that found messages and the next one.
    :ivar inflate: of the bodies that are compressed.
    """

    batch: int = 32
    messages: int = 1000
    span: int = 2000
    size: int = 100 << 20
    total_size: int = 64 << 20
    interval: float = 0.0
    total_messages: int = 1 << 30
    inflate: InflateLimits = InflateLimits()


def is_over(limits: PullLimits, messages: ProcessQueue, cache: CacheSize) -> bool:
    """Whether a queue holds too much; an empty queue is always pulled."""
    count = len(messages)
    return bool(count) and (
        count > limits.messages
        or messages.size // _MIB > limits.size // _MIB
        or messages.span > limits.span
        or cache.total > limits.total_size
        or cache.messages > limits.total_messages
    )
