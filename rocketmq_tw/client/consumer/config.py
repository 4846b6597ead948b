"""The options of a push consumer, and what it reports when it stops."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict

import msgspec

from rocketmq_tw.client.consumer.dispatch.outcomes import (
    MAX_SUSPENSION,
    MIN_SUSPENSION,
)
from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.client.consumer.offsets.start import LATEST, StartFrom
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue

#: Redeliveries without a limit: the highest number that the protocol has.
UNLIMITED: Final = (1 << 31) - 1


class ConsumerOptions(TypedDict, total=False):
    """The fields of :class:`ConsumerConfig`, for type checkers and completion."""

    concurrency: int
    ordered: bool
    broadcast: bool
    start_from: StartFrom | datetime
    strict_start: bool
    max_retries: int | None
    suspend: float
    batch: int
    max_cached_bytes: int
    max_queue_bytes: int
    max_queue_messages: int
    max_span: int
    pull_interval: float
    handler_timeout: float
    strategy: str | Strategy
    pull_batch: int
    revoke_grace: float
    trace: bool | str


class ConsumerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a push consumer. Times are in seconds.

    :ivar concurrency: how many asynchronous handlers may run at once; 1 to 1000.
    :ivar ordered: pass the messages of each queue to the handler one after another, in
        the order in which they are stored, and retry one that fails before the next.
    :ivar broadcast: every member of the group gets all messages, and keeps its offsets
        on its own host; messages that fail are dropped.
    :ivar start_from: where a group starts on a queue that it never read: ``LATEST``,
        ``EARLIEST`` or a time.
    :ivar strict_start: follow ``start_from`` also on a young queue, whose first message
        is there and in the broker's memory; otherwise the broker lets new groups start
        at its beginning, those of Java too.
    :ivar max_retries: redeliveries before a message becomes a dead letter; None: 16,
        or without limit if ``ordered``.
    :ivar suspend: how long a queue waits if ``ordered`` and a message has failed.
    :ivar batch: if above 1, the handler gets lists of at most that many messages.
    :ivar max_cached_bytes: bytes of messages, as stored, in all queues together; each
        queue may exceed it by one pull.
    :ivar max_queue_bytes: likewise, of each queue.
    :ivar max_queue_messages: messages of each queue; it may exceed this by one pull.
    :ivar max_span: how far, in queue offsets, the first message that is not consumed
        may be behind the last one that is pulled; not if ``ordered``.
    :ivar pull_interval: time between a pull that found messages and the next one.
    :ivar handler_timeout: after it a handler is cancelled and its message retried.
    :ivar strategy: how queues are allocated; must be the same for all group members:
        ``AVG``, ``AVG_BY_CIRCLE``, ``CONSISTENT_HASH``, or a function.
    :ivar pull_batch: messages requested by one pull; brokers return 32 at most.
    :ivar revoke_grace: how long handlers may keep running when their queue is revoked.
    :ivar trace: whether traces of the consumption are written; a text is their topic.
    """

    concurrency: int = 20
    ordered: bool = False
    broadcast: bool = False
    start_from: StartFrom | datetime = LATEST
    strict_start: bool = False
    max_retries: int | None = None
    suspend: float = 1.0
    batch: int = 1
    max_cached_bytes: int = 64 << 20
    max_queue_bytes: int = 100 << 20
    max_queue_messages: int = 1000
    max_span: int = 2000
    pull_interval: float = 0.0
    handler_timeout: float = 900.0
    strategy: str | Strategy = "AVG"
    pull_batch: int = 32
    revoke_grace: float = 3.0
    trace: bool | str = False

    @property
    def retries(self) -> int:
        """The redeliveries before a message becomes a dead letter."""
        if self.max_retries is None:
            return UNLIMITED if self.ordered else 16
        return self.max_retries

    def __post_init__(self) -> None:
        """
        Check the options.

        :raises ValidationError: one is out of its range.
        """
        for name, low, high in (
            ("concurrency", 1, 1000),
            ("batch", 1, 1024),
            ("pull_batch", 1, 1024),
            ("max_retries", 0, UNLIMITED),
            ("suspend", MIN_SUSPENSION, MAX_SUSPENSION),
            ("max_cached_bytes", 1, 1 << 40),
            ("max_queue_bytes", 1 << 20, 1 << 30),
            ("max_queue_messages", 1, 65535),
            ("max_span", 1, 65535),
            ("pull_interval", 0, 65.535),
            ("handler_timeout", 0.001, 1e9),
            ("revoke_grace", 0, 1e9),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValidationError(f"{name} is {value}; expected {low} to {high}")
        if not isinstance(self.start_from, (StartFrom, datetime)):
            raise ValidationError(
                f"start_from is {self.start_from!r};"
                " expected LATEST, EARLIEST or a time"
            )


class StopReport(msgspec.Struct, frozen=True):
    """
    The work that a consumer did not complete before it stopped.

    :ivar abandoned: messages whose handlers were cancelled.
    :ivar uncommitted: queues whose offset could not be committed: messages consumed
        since their last commit will be consumed again.
    """

    abandoned: list[StoredMessage] = []
    uncommitted: list[MessageQueue] = []
