"""
Locks on queues, for consumers that consume in order.

Source: ``AdminBrokerProcessor.lockBatchMQ`` and ``unlockBatchMQ`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.other_brokers import OtherBrokers, outgoing_of
from rocketmq_tw.broker.strict_locks import StrictLocks
from rocketmq_tw.broker.tables.checks import MAX_NAME
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
    encode_queues,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues

#: Milliseconds between two checks for expired locks.
EXPIRE_PERIOD_MS = 60_000
#: Queues that are locked in one step: some 4 ms.
AT_ONCE = 4000


def install(broker: Broker, router: Router) -> None:
    """Register the handlers; drop expired locks."""
    locks, gauges = broker.tables.locks, broker.stats.gauges
    limit = broker.config.max_queue_locks
    LockProcessor(
        locks=locks, limit=limit, pacer=broker.pacer, strict=_strict_locks(broker)
    ).routes(router)
    gauges["queueLocks"] = lambda: len(locks)
    gauges["queueLocksRefused"] = lambda: locks.refused
    broker.periodic.every(EXPIRE_PERIOD_MS, locks.expire)


def _strict_locks(broker: Broker) -> StrictLocks | None:
    """Return what asks the other brokers of this name; None if they do not matter."""
    config = broker.config
    if not config.lock_in_strict_mode or not config.enable_slave_acting_master:
        return None
    brokers = OtherBrokers(broker.clock, outgoing_of(broker.config))
    broker.lifecycle.on_stop.append(brokers.close_all)
    return StrictLocks(
        brokers=brokers, group=broker.member_group, replicas=config.total_replicas
    )


class LockProcessor:
    """
    Handles locks on queues; those of large requests are locked in steps.

    :param limit: how many locks there may be, for the sentence that says so.
    :param pacer: runs the steps.
    :param strict: asks the other brokers of this name; None if they do not matter.
    """

    def __init__(
        self,
        *,
        locks: QueueLocks,
        limit: int,
        pacer: Pacer,
        strict: StrictLocks | None = None,
    ) -> None:
        self._locks = locks
        self._limit = limit
        self._pacer = pacer
        self._strict = strict

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(LockQueues, self.lock)
        router.on(UnlockQueues, self.unlock)

    def lock(
        self, request: LockQueues, call: Call
    ) -> Response | Deferred[Response | None]:
        """
        Lock queues; the response lists those that the client holds now.

        :raises IllegalGroup: there can be no group of that name.
        :raises Refused: another name is too long.
        """
        steps = self._lock(request.body)
        if self._strict is not None:
            return self._pacer.run(steps, call.peer, len(request.body))
        return self._pacer.run_for(request.body, steps, call.peer)

    def _lock(self, text: bytes) -> Steps[Response]:
        """Lock queues, in steps."""
        body = LockBatchRequestBody.decode_request(text)
        yield None
        _check_names(body)
        encoded: list[bytes] = []
        count = 0
        strict = None if body.only_this_broker else self._strict
        ballot = None if strict is None else strict.ballot(body)
        for some in parts_of(body.mq_set, AT_ONCE):
            yield None
            held = self._locks.lock(body.consumer_group, body.client_id, some)
            if ballot is not None:
                held = yield from ballot.confirm(held)
            if held:
                encoded.append(encode_queues(held))
            count += len(held)
        remark = None
        if count < len(body.mq_set) and self._locks.is_at_limit:
            remark = (
                f"no more queues are locked: maxQueueLocks ({self._limit}) is reached"
            )
        response = LockBatchResponseBody().encode()
        return Response(
            remark=remark, body=fill(response, b'"lockOKMQSet":[]', encoded)
        )

    def unlock(
        self, request: UnlockQueues, call: Call
    ) -> Response | Deferred[Response | None]:
        """Release the locks that the client holds on these queues."""
        steps = self._unlock(request.body)
        return self._pacer.run_for(request.body, steps, call.peer)

    def _unlock(self, text: bytes) -> Steps[Response]:
        """Release locks, in steps."""
        body = UnlockBatchRequestBody.decode_request(text)
        for some in parts_of(body.mq_set, AT_ONCE):
            yield None
            self._locks.unlock(body.consumer_group, body.client_id, some)
            if self._strict is not None and not body.only_this_broker:
                self._strict.unlock(body, some)
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
