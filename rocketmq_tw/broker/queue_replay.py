"""Reads a queue from an offset on, some messages in a step."""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import Fetched, IMessageStore


def read_queue(
    store: IMessageStore,
    topic: str,
    queue_id: int,
    at: int,
    apply: Callable[[Fetched], object],
    *,
    count: int,
    size: int,
    end: int | None = None,
) -> Steps[None]:
    """
    Pass the messages of a queue.

    :param at: the queue offset of the first.
    :param apply: is passed those of one step.
    :param count: how many messages a step has at most.
    :param size: how many bytes; one message may be larger.
    :param end: the queue offset before which it ends; None passes those, too, that are
        stored meanwhile.
    """
    while at < (store.max_offset(topic, queue_id) if end is None else end):
        fetched = yield from result_of(
            store.get(topic, queue_id, at, count, size, None)
        )
        apply(fetched)
        if fetched.next_offset <= at:
            return
        at = fetched.next_offset
        yield None
