"""
Locks on queues, for consumers that consume in order.

Source: ``AdminBrokerProcessor.lockBatchMQ`` and ``unlockBatchMQ`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues

#: Milliseconds between two checks for expired locks.
EXPIRE_PERIOD_MS = 60_000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers; drop expired locks."""
    locks = broker.tables.locks
    LockProcessor(locks).routes(router)
    broker.periodic.every(EXPIRE_PERIOD_MS, locks.expire)


class LockProcessor:
    """Handles locks on queues."""

    def __init__(self, locks: QueueLocks) -> None:
        self._locks = locks

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(LockQueues, self.lock)
        router.on(UnlockQueues, self.unlock)

    def lock(self, request: LockQueues, call: Call) -> Response:
        """Lock queues; the response lists those that the client holds now."""
        body = LockBatchRequestBody.decode(request.body)
        held = self._locks.lock(body.consumer_group, body.client_id, body.mq_set)
        return Response(body=LockBatchResponseBody(frozenset(held)).encode())

    def unlock(self, request: UnlockQueues, call: Call) -> Response:
        """Release the locks that the client holds on these queues."""
        body = UnlockBatchRequestBody.decode(request.body)
        self._locks.unlock(body.consumer_group, body.client_id, body.mq_set)
        return Response()
