"""
The questions of brokers: how did a transaction end?

A broker asks any producer of the group, also about messages of another one that is
gone. The checker of the group's producer finds out, and its verdict is sent over the
connection by which the broker has asked.

Source: ``ClientRemotingProcessor.checkTransactionState`` and
``DefaultMQProducerImpl.checkTransactionState`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.transactions.transaction import end_request
from rocketmq_tw.client.transactions.verdict import Verdict, verdict_of
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.message import PGROUP, StoredMessage
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.record import MalformedRecord, decode
from rocketmq_tw.wire.requests.transaction import CheckTransactionState

#: Questions that may wait for the checker; the broker repeats others.
MOST_WAITING = 2000
#: Checkers that run at a time.
MOST_RUNNING = 32
#: Seconds until a broker has to confirm a verdict.
_TIMEOUT = 3.0

#: Takes the message of a transaction, and returns its verdict, now or later.
Checker = Callable[[StoredMessage], Any]


class Answering(Protocol):
    """A producer, as far as questions go."""

    @property
    def group(self) -> str:
        """Its group."""

    def check(self, message: StoredMessage) -> Any:
        """Return a verdict, or a Deferred; None if it is not to be decided now."""

    def responded(self, message: StoredMessage, verdict: Verdict, host: str) -> None:
        """Note the verdict that the broker at an address is sent."""


class _Question(msgspec.Struct, eq=False):
    """A question that waits for the checker, or for its verdict."""

    producer: Answering
    message: StoredMessage
    request: CheckTransactionState
    peer: Peer
    running: Deferred[Any] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What identifies the half message."""
        return self.peer.address, self.request.commit_log_offset


class Questions:
    """
    Handles the questions to the producers of one client.

    :param router: handles the requests of brokers.
    """

    _log = Logger()

    # A question is in _known while it is in _waiting or in _running.

    def __init__(self, router: Router) -> None:
        self._producers: dict[str, Answering] = {}
        self._known: set[tuple[str, int]] = set()
        self._waiting: deque[_Question] = deque()
        self._running: set[_Question] = set()
        #: Whether checkers are being started: one that ends at once starts no other.
        self._is_starting = False
        router.on(CheckTransactionState, self._asked)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, producer: Answering) -> None:
        """Let the producer of a group be asked."""
        self._producers[producer.group] = producer

    def remove(self, group: str) -> None:
        """Ask the producer of a group no more; its checkers are cancelled."""
        producer = self._producers.pop(group, None)
        if producer is None:
            return
        kept = [each for each in self._waiting if each.producer is not producer]
        dropped = [each for each in self._waiting if each.producer is producer]
        self._waiting = deque(kept)
        self._known.difference_update(each.key for each in dropped)
        for each in list(self._running):
            if each.producer is producer and each.running is not None:
                each.running.cancel()

    def _asked(self, request: CheckTransactionState, call: Call) -> None:
        """Let the checker run, when it is its turn; there is no response."""
        try:
            message = decode(request.body)
        except MalformedRecord as error:
            self._log.warn("a broker asked about no message: {why}", why=str(error))
            return
        group = message.properties.get(PGROUP, "")
        producer = self._producers.get(group)
        if producer is None:
            self._log.debug(
                "a broker asked a group that has no transactions here: {group}",
                group=log_safe(group),
            )
            return
        question = _Question(producer, message, request, call.peer)
        if question.key in self._known:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._log.warn(
                "{count} questions about transactions wait; brokers will repeat others",
                count=len(self._waiting),
            )
            return
        self._known.add(question.key)
        self._waiting.append(question)
        self._run_next()

    def _run_next(self) -> None:
        """Run checkers, up to as many as may run."""
        if self._is_starting:
            return
        self._is_starting = True
        while self._waiting and len(self._running) < MOST_RUNNING:
            question = self._waiting.popleft()
            self._running.add(question)
            question.running = Deferred.fromCoroutine(self._check(question))
            question.running.addBoth(self._checked, question)
        self._is_starting = False

    def _checked(self, result: object, question: _Question) -> None:
        """Run the next one; a failure is logged, and the broker will ask again."""
        self._running.discard(question)
        self._known.discard(question.key)
        if isinstance(result, Failure) and not result.check(CancelledError):
            self._log.failure(
                "the checker of {group} failed on {id}",
                result,
                group=question.producer.group,
                id=question.message.message_id,
            )
        self._run_next()

    async def _check(self, question: _Question) -> None:
        """Run a checker, and send its verdict."""
        message, request = question.message, question.request
        found = question.producer.check(message)
        if isinstance(found, Deferred):
            found = await found
        verdict = verdict_of(found)
        question.producer.responded(message, verdict, question.peer.address)
        if not verdict:
            return
        end = end_request(
            question.producer.group,
            verdict,
            queue_offset=request.tran_state_table_offset,
            commit_log_offset=request.commit_log_offset,
            message_id=request.msg_id or message.message_id,
            topic=request.topic or message.topic,
        )
        end.from_transaction_check = True
        end.broker_name = request.broker_name
        sent = question.peer.call(end, _TIMEOUT)
        sent.addErrback(self._not_sent, message)
        await sent

    def _not_sent(self, failure: Failure, message: StoredMessage) -> None:
        """Log that a broker has not confirmed a verdict."""
        failure.trap(Exception)
        if failure.check(CancelledError):
            return
        self._log.warn(
            "the verdict on {id} is not confirmed: {why}",
            id=message.message_id,
            why=failure.getErrorMessage(),
        )
