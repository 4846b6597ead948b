"""
Tables of offsets: what groups have consumed, what delay levels have delivered.

Source: ``ConsumerOffsetManager``, ``ScheduleMessageService``, ``ResetOffsetBody``,
``ResetOffsetBodyForC`` and ``GetConsumerStatusBody`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion


class ConsumerOffsetTable(Body, frozen=True):
    """What groups have consumed: ``consumerOffset.json``, the response to code 43."""

    #: ``topic@group`` to queue id to queue offset.
    offset_table: dict[str, dict[int, int]] = {}
    #: 4.9 has none.
    data_version: DataVersion | None = None


class DelayOffsetTable(Body, frozen=True):
    """What is delivered: ``delayOffset.json``, the response to code 45."""

    #: Delay level, from 1, to queue offset.
    offset_table: dict[int, int] = {}
    #: 4.9 has none.
    data_version: DataVersion | None = None


class ResetOffsetBody(Body, frozen=True):
    """The body of pushed RESET_CONSUMER_CLIENT_OFFSET (220), the response to 222."""

    offset_table: dict[MessageQueue, int] = {}


class QueueOffset(Body, frozen=True):
    """One queue and its offset, flat, as C++ clients read it."""

    topic: str
    broker_name: str
    queue_id: int
    offset: int


class ResetOffsetBodyForC(Body, frozen=True):
    """The body of 220 where a C++ client asked for the reset."""

    offset_table: tuple[QueueOffset, ...] = ()

    @classmethod
    def of(cls, offsets: Mapping[MessageQueue, int]) -> Self:
        """List a table's entries in the order of their queues."""
        return cls(
            tuple(
                QueueOffset(queue.topic, queue.broker_name, queue.queue_id, offset)
                for queue, offset in sorted(offsets.items())
            )
        )


class GetConsumerStatusBody(Body, frozen=True):
    """The response to 221 and 223: offsets of one client, or of each."""

    message_queue_table: dict[MessageQueue, int] = {}
    consumer_table: dict[str, dict[MessageQueue, int]] = {}
