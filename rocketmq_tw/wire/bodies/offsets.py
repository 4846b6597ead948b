"""
Tables of offsets: those of consumer groups and of delay levels.

Source: ``ConsumerOffsetManager``, ``ScheduleMessageService``,
``OffsetSerializeWrapper``, ``ResetOffsetBody``,
``ResetOffsetBodyForC``, ``GetConsumerStatusBody`` and ``QueryCorrectionOffsetBody`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion


class ConsumerOffsetTable(Body, frozen=True):
    """The offsets of groups: ``consumerOffset.json``, and the response to code 43."""

    #: Maps ``topic@group`` to queue id to queue offset.
    offset_table: dict[str, dict[int, int]] = {}
    #: Absent in 4.9.
    data_version: DataVersion | None = None


class DelayOffsetTable(Body, frozen=True):
    """The delivered offsets: ``delayOffset.json``, and the response to code 45."""

    #: Maps delay level, from 1, to queue offset.
    offset_table: dict[int, int] = {}
    #: Absent in 4.9.
    data_version: DataVersion | None = None


class LocalOffsetTable(Body, frozen=True):
    """``offsets.json``, which a broadcasting consumer keeps on its own host."""

    offset_table: dict[MessageQueue, int] = {}


class ResetOffsetBody(Body, frozen=True):
    """The body of pushed RESET_CONSUMER_CLIENT_OFFSET (220), the response to 222."""

    offset_table: dict[MessageQueue, int] = {}


class QueueOffset(Body, frozen=True):
    """One queue and its offset in one object, as C++ clients read it."""

    topic: str
    broker_name: str
    queue_id: int
    offset: int


class ResetOffsetBodyForC(Body, frozen=True):
    """The body of 220 if a C++ client requested the reset."""

    offset_table: tuple[QueueOffset, ...] = ()

    @classmethod
    def of(cls, offsets: Mapping[MessageQueue, int]) -> Self:
        """Return the entries of a table in the order of their queues."""
        return cls(
            tuple(
                QueueOffset(queue.topic, queue.broker_name, queue.queue_id, offset)
                for queue, offset in sorted(offsets.items())
            )
        )


class GetConsumerStatusBody(Body, frozen=True):
    """The response to 221 and 223: the offsets of one client, or of each client."""

    message_queue_table: dict[MessageQueue, int] = {}
    consumer_table: dict[str, dict[MessageQueue, int]] = {}


class QueryCorrectionOffsetBody(Body, frozen=True):
    """The response to QUERY_CORRECTION_OFFSET (308)."""

    #: Maps queue id to queue offset.
    correction_offsets: dict[int, int] = {}
