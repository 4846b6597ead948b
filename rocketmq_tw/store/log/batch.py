"""Messages that are stored together: all of them or none, contiguous in one file."""

from collections.abc import Sequence
from typing import Protocol

from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.log.limits import check_sizes, check_topic
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.dispatch import UNQUEUED, Dispatcher, is_queued
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire.record import Draft


class AppendableLog(Protocol):
    """A log that records can be appended to: a commit log, or one in memory."""

    @property
    def end(self) -> int:
        """Return the commit log offset that the next record gets."""

    def append_all(
        self, drafts: Sequence[Draft], queue_offsets: Sequence[int], store_time_ms: int
    ) -> list[int]:
        """Append messages contiguously, all or none; return their offsets."""


def check_batch(drafts: Sequence[Draft], largest: int) -> None:
    """
    Check messages before any of them is stored.

    :param largest: the largest body, in bytes.
    :raises ValueError: they are not for one queue, or only some are queued.

    Errors of :func:`rocketmq_tw.store.log.limits.check_sizes` come first.
    """
    for draft in drafts:
        check_sizes(draft, largest)
    first = drafts[0]
    unqueued = first.sys_flag & UNQUEUED
    for draft in drafts:
        if draft.topic != first.topic or draft.queue_id != first.queue_id:
            raise ValueError("the messages of a batch go to one queue")
        if draft.sys_flag & UNQUEUED != unqueued:
            raise ValueError("the messages of a batch are all queued, or none is")


def append_all(
    log: AppendableLog,
    drafts: Sequence[Draft],
    first: int,
    store_time_ms: int,
) -> list[Appended]:
    """
    Append messages of one queue, all or none.

    :param first: the queue offset of the first; unqueued messages get 0.
    """
    queue_offsets: Sequence[int] = range(first, first + len(drafts))
    if not is_queued(drafts[0].sys_flag):
        queue_offsets = [0] * len(drafts)
    offsets = log.append_all(drafts, queue_offsets, store_time_ms)
    ends = [*offsets[1:], log.end]
    return [
        Appended(offset, end - offset, queue_offset, store_time_ms)
        for offset, end, queue_offset in zip(offsets, ends, queue_offsets, strict=True)
    ]


def append_and_dispatch(
    log: AppendableLog,
    dispatcher: Dispatcher,
    queue: ConsumeQueue,
    drafts: Sequence[Draft],
    store_time_ms: int,
) -> list[Appended]:
    """Append messages of one queue, all or none, and dispatch them at once."""
    if not is_queued(drafts[0].sys_flag):
        stored = append_all(log, drafts, 0, store_time_ms)
        dispatcher.dispatch_unqueued()
        return stored
    stored = append_all(log, drafts, queue.next, store_time_ms)
    dispatcher.dispatch_all(queue, stored, drafts)
    return stored


def new_queue(queues: ConsumeQueues, draft: Draft) -> ConsumeQueue:
    """
    Create the queue for the first message sent to it.

    :raises TopicTooLong: the topic is longer than allowed.
    :raises IllegalTopic: the topic contains characters not allowed in a path.
    """
    check_topic(draft.topic)
    return queues.create(draft.topic, draft.queue_id)
