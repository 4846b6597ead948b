"""
Locks on queues, for consumers that consume in order.

Source: ``LockBatchRequestBody``, ``UnlockBatchRequestBody``, ``LockBatchResponseBody``.
"""

from __future__ import annotations

from collections.abc import Collection

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body, camel_but


class LockBatchRequestBody(Body, frozen=True):
    """The body of LOCK_BATCH_MQ (41)."""

    consumer_group: str
    client_id: str
    mq_set: frozenset[MessageQueue] = frozenset()
    #: Do not lock at the other brokers of the same name (5.x).
    only_this_broker: bool = False


class UnlockBatchRequestBody(LockBatchRequestBody, frozen=True):
    """The body of UNLOCK_BATCH_MQ (42); its response has no body."""


class LockBatchResponseBody(
    Body, frozen=True, rename=camel_but(lock_ok_mq_set="lockOKMQSet")
):
    """The response to LOCK_BATCH_MQ (41): the queues that the client holds now."""

    lock_ok_mq_set: frozenset[MessageQueue] = frozenset()


def encode_queues(queues: Collection[MessageQueue]) -> bytes:
    """
    Encode queues, sorted and joined by commas: the content of their list.

    As :func:`rocketmq_tw.wire.fastjson.dumps` does, in an eighth of its time.
    """
    return fastjson.dumps_plain(sorted(queues))[1:-1]
