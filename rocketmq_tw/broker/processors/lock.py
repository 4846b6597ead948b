"""
Locks on queues, for consumers that consume in order.

Source: ``AdminBrokerProcessor.lockBatchMQ`` and ``unlockBatchMQ`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.checks import MAX_NAME
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues

#: Milliseconds between two checks for expired locks.
EXPIRE_PERIOD_MS = 60_000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers; drop expired locks."""
    locks, gauges = broker.tables.locks, broker.stats.gauges
    LockProcessor(locks, broker.config.max_queue_locks).routes(router)
    gauges["queueLocks"] = lambda: len(locks)
    gauges["queueLocksRefused"] = lambda: locks.refused
    broker.periodic.every(EXPIRE_PERIOD_MS, locks.expire)


class LockProcessor:
    """
    Handles locks on queues.

    :param limit: how many locks there may be, for the sentence that says so.
    """

    def __init__(self, locks: QueueLocks, limit: int) -> None:
        self._locks = locks
        self._limit = limit

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(LockQueues, self.lock)
        router.on(UnlockQueues, self.unlock)

    def lock(self, request: LockQueues, call: Call) -> Response:
        """
        Lock queues; the response lists those that the client holds now.

        :raises IllegalGroup: there can be no group of that name.
        :raises Refused: another name is too long.
        """
        body = LockBatchRequestBody.decode_request(request.body)
        _check_names(body)
        held = self._locks.lock(body.consumer_group, body.client_id, body.mq_set)
        remark = None
        if len(held) < len(body.mq_set) and self._locks.is_at_limit:
            remark = (
                f"no more queues are locked: maxQueueLocks ({self._limit}) is reached"
            )
        response = LockBatchResponseBody(frozenset(held))
        return Response(remark=remark, body=response.encode())

    def unlock(self, request: UnlockQueues, call: Call) -> Response:
        """Release the locks that the client holds on these queues."""
        body = UnlockBatchRequestBody.decode_request(request.body)
        self._locks.unlock(body.consumer_group, body.client_id, body.mq_set)
        return Response()


def _check_names(body: LockBatchRequestBody) -> None:
    """
    Check the length of all names, which a lock keeps.

    :raises IllegalGroup: there can be no group of that name.
    :raises Refused: another name is too long.
    """
    check_group_name(body.consumer_group)
    longest = max(
        (max(len(each.topic), len(each.broker_name)) for each in body.mq_set), default=0
    )
    longest = max(longest, len(body.client_id))
    if longest > MAX_NAME:
        raise Refused(
            ResponseCode.INVALID_PARAMETER,
            f"a name has {longest} characters; at most {MAX_NAME} are kept",
        )
