"""
Locks on queues that most brokers of one name give, with ``lockInStrictMode``.

A consumer in order asks the master for locks, or the slave that acts for it. That one
locks the queues itself, and passes the request to the other brokers of its name; the
consumer gets the queues that more than half of ``totalReplicas`` brokers have locked
for it. So two consumers cannot hold one queue while they see different masters.

Source: ``AdminBrokerProcessor.lockBatchMQ`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.member_group import MemberGroup
from rocketmq_tw.broker.other_brokers import OtherBrokers
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    encode_queues,
)
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.lock import LockQueues, UnlockQueues

#: Seconds that another broker may take.
TIMEOUT = 1.0
#: A response may have so many bytes more than the request.
_MORE = 1000


class StrictLocks:
    """
    Asks the other brokers of this name.

    :param replicas: ``totalReplicas``.
    """

    _log = Logger()

    def __init__(
        self, *, brokers: OtherBrokers, group: MemberGroup, replicas: int
    ) -> None:
        self._brokers = brokers
        self._group = group
        self._quorum = replicas // 2 + 1
        self._failing: set[str] = set()

    def ballot(self, body: LockBatchRequestBody) -> Ballot:
        """Begin to ask for the queues of a request."""
        others = self._group.others if self._quorum > 1 else []
        return Ballot(self, body, others, self._quorum)

    def unlock(
        self, body: LockBatchRequestBody, queues: Sequence[MessageQueue]
    ) -> None:
        """Let the other brokers release locks; nothing waits for that."""
        for address in self._group.others:
            request = UnlockQueues(body=_passed_on(body, queues))
            called = self._brokers.call(address, request, TIMEOUT)
            called.addCallback(self._worked, address)
            called.addErrback(self._failed, address)

    def lock(self, address: str, request: LockQueues) -> Deferred[bytes | None]:
        """
        Ask one other broker.

        :returns: fires with the body of its response; None if there is none.
        """

        def body_of(response: Any) -> bytes:
            size = len(response.body)
            if size > len(request.body) + _MORE:
                raise BadField("lockOKMQSet", f"{size} bytes", "what was asked for")
            return bytes(response.body)

        called: Deferred[Any] = self._brokers.call(address, request, TIMEOUT)
        called.addCallback(body_of)
        called.addCallback(self._worked, address)
        called.addErrback(self._failed, address)
        return called

    def _worked(self, result: Any, address: str) -> Any:
        self._failing.discard(address)
        return result

    def _failed(self, failure: Failure, address: str) -> None:
        """Log the first of several failures in a row."""
        failure.trap(RocketMQError)
        if address not in self._failing:
            self._failing = {*self._failing, address} & {*self._group.others}
            self._log.warn(
                "locks on queues were not passed to {address}: {why}",
                address=log_safe(address),
                why=log_safe(failure.getErrorMessage()),
            )


class Ballot:
    """
    The locks of one request.

    :param others: the addresses that are asked; one that fails is asked no more.
    :param quorum: how many brokers must lock a queue, this one included.
    """

    def __init__(
        self,
        locks: StrictLocks,
        body: LockBatchRequestBody,
        others: list[str],
        quorum: int,
    ) -> None:
        self._locks = locks
        self._body = body
        self._others = others
        self._quorum = quorum

    def confirm(self, held: Sequence[MessageQueue]) -> Steps[list[MessageQueue]]:
        """Return those of some queues that enough brokers have locked, in steps."""
        if not held or 1 + len(self._others) < self._quorum:
            return [*held] if self._quorum <= 1 else []
        request = LockQueues(body=_passed_on(self._body, held))
        bodies = yield gatherResults(
            [self._locks.lock(each, request) for each in self._others]
        )
        votes = Counter(held)
        reached = []
        for address, text in zip(self._others, bodies, strict=True):
            if text is not None:
                reached.append(address)
                yield None
                votes.update(_queues_of(text).intersection(votes))
        self._others = reached
        return [each for each in held if votes[each] >= self._quorum]


def _queues_of(text: bytes) -> frozenset[MessageQueue]:
    """Decode a response; what is none has no queues."""
    try:
        return LockBatchResponseBody.decode(text).lock_ok_mq_set
    except RocketMQError:
        return frozenset()


def _passed_on(body: LockBatchRequestBody, queues: Sequence[MessageQueue]) -> bytes:
    """Encode a request that the other brokers do not pass on."""
    empty = LockBatchRequestBody(
        body.consumer_group, body.client_id, only_this_broker=True
    )
    return fill(empty.encode(), b'"mqSet":[]', [encode_queues(queues)])
