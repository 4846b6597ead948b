"""Messages that are stored together: all of them or none, side by side in one file."""

from collections.abc import Sequence

from rocketmq_tw.store.interfaces import Appended
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.log.limits import check_sizes, check_topic
from rocketmq_tw.store.queues.consumequeue import ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.wire.record import Draft


def check_batch(drafts: Sequence[Draft], largest: int) -> None:
    """
    Check messages before any is stored.

    :param largest: bytes that a body may have.
    :raises ValueError: they do not go to one queue.

    What :func:`rocketmq_tw.store.log.limits.check_sizes` raises comes first.
    """
    for draft in drafts:
        check_sizes(draft, largest)
    first = drafts[0]
    if any((d.topic, d.queue_id) != (first.topic, first.queue_id) for d in drafts):
        raise ValueError("the messages of a batch go to one queue")


def append_batch(
    log: CommitLog, queue: ConsumeQueue, drafts: Sequence[Draft], store_time_ms: int
) -> list[Appended]:
    """Append to the log, then to the queue, which is not touched when the log fails."""
    offsets = range(queue.next, queue.next + len(drafts))
    places = log.append_all(drafts, offsets, store_time_ms)
    ends = [*places[1:], log.end]
    stored = []
    for draft, at, end in zip(drafts, places, ends, strict=True):
        stored.append(Appended(at, end - at, queue.next, store_time_ms))
        queue.append(at, end - at, draft.tags_code)
    return stored


def new_queue(queues: ConsumeQueues, draft: Draft) -> ConsumeQueue:
    """
    Make the queue of a first message.

    :raises TopicTooLong: the topic is longer than allowed.
    :raises IllegalTopic: the topic may not be a path.
    """
    check_topic(draft.topic)
    return queues.create(draft.topic, draft.queue_id)
