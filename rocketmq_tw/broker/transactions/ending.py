"""
Ends transactions: stores the message of one that is committed.

The half message is read by its queue offset, so that nothing else is taken for one: a
client can make a body that looks like a record. A transaction ends once. Who ends it
again in the same way gets the same response, and nothing is stored; Apache RocketMQ
stores the message once more.

The broker may have been killed after it stored the message and before it wrote that the
transaction is decided. So the messages of half messages that were pending at the start
are looked up by their unique keys before they are stored.

Source: ``EndTransactionProcessor`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.late_checks import LateChecks
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.journal import TransactionJournal
from rocketmq_tw.broker.transactions.rounds import CheckLimits
from rocketmq_tw.broker.transactions.stored import HalfMessage, read_half
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.access import Action, Need, ResourceKind
from rocketmq_tw.model.message import WAIT
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.durable import AfterFlush, DurableLog
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.record import MalformedRecord
from rocketmq_tw.wire.requests.transaction import EndTransaction

if TYPE_CHECKING:
    from rocketmq_tw.broker.transactions.committed import CommittedLookup

#: What a request decides; None for nothing.
_DECISIONS = {
    sysflag.NOT_TRANSACTIONAL: None,
    sysflag.COMMIT: Decision.COMMITTED,
    sysflag.ROLLBACK: Decision.ROLLED_BACK,
}
#: Bytes of a read; one message may be larger.
_READ = 64 << 10
#: Decisions after which the message can still be committed.
_OPEN = (Decision.PENDING, Decision.GIVEN_UP)


class EndProcessor:
    """
    Handles the ends of transactions.

    :param log: what senders wait for; None if they do not wait.
    :param has_enough: whether enough brokers are in sync to store messages.
    :param now: returns the time of day, in seconds since the epoch.
    :param permit: asked for the topic of a half message that its end does not name.
    :param counts: has the ends of each topic.
    :ivar committed: how many transactions were committed since the start.
    :ivar rolled_back: how many were rolled back.
    :ivar repeated: how many requests were for one that had ended.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        journal: TransactionJournal,
        limits: CheckLimits,
        stats: BrokerStats,
        log: DurableLog | None,
        has_enough: Callable[[], bool],
        now: Callable[[], float],
        permit: LateChecks,
        counts: TransactionCounts,
    ) -> None:
        self._store = store
        self._journal = journal
        self._decisions = journal.decisions
        self._limits = limits
        self._stats = stats
        self._log = log
        self._has_enough = has_enough
        self._now = now
        self._permit = permit
        self._counts = counts
        self._begin = journal.end
        self._lookup: CommittedLookup | None = None
        self.committed = 0
        self.rolled_back = 0
        self.repeated = 0

    @property
    def unknown(self) -> int:
        """How many messages may be stored twice."""
        return 0 if self._lookup is None else self._lookup.unknown

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(EndTransaction, self.end)

    def end(self, request: EndTransaction, call: Call) -> Outcome:
        """
        End a transaction.

        :returns: the response, once the message is as safe as its sender wants it; None
            if nothing is decided.
        :raises Refused: the request names no half message, or not this decision.
        """
        bits = request.commit_or_rollback
        if bits not in _DECISIONS:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"commitOrRollback field wrong: it is {bits}, expected 0, 8 or 12",
            )
        decision = _DECISIONS[bits]
        if decision is None:
            return None
        self._journal.check_capacity()
        offset = request.tran_state_table_offset
        found = self._store.get(TRANS_HALF_TOPIC, 0, offset, 1, _READ, None)
        return then(
            found, lambda fetched: self._found(fetched, request, decision, call)
        )

    def is_simple(self, offset: int, count: int, size: int) -> bool:
        """
        Whether a half message is pending and was stored since the start, and nothing
        else is to be done when it is decided.

        :param count: how many are to be decided before it.
        :param size: the characters of all these in an operation message.
        """
        journal = self._journal
        return (
            offset >= self._begin
            and self._decisions.is_pending(offset)
            and offset not in journal.moved
            and journal.keeps(count, size)
        )

    def decide(
        self, offset: int, decision: Decision, topic: bytes, born_time_ms: int
    ) -> None:
        """
        Record and count a decision; the message of one committed is stored.

        :param topic: of that message, like ``born_time_ms``.
        """
        self._journal.decide(offset, decision)
        if decision is Decision.COMMITTED:
            self.committed += 1
            self._counts.committed(offset, topic, born_time_ms)
        else:
            self.rolled_back += 1
            self._counts.rolled_back(offset, topic, born_time_ms)

    def _found(
        self, fetched: Fetched, request: EndTransaction, decision: Decision, call: Call
    ) -> Outcome:
        """End the transaction of a half message that was read."""
        half = _checked(fetched, request)
        if request.topic != half.topic:
            need = Need(ResourceKind.TOPIC, half.topic, (Action.PUB,))
            self._permit(request, call, need)
        copy = self._journal.moved.get(half.first_offset)
        if copy is None or copy == half.message.queue_offset:
            return self._end(half, request, decision)
        # It was far behind, and its copy is pending.
        found = self._store.get(TRANS_HALF_TOPIC, 0, copy, 1, _READ, None)
        return then(
            found, lambda read: self._end(read_half(read.data), request, decision)
        )

    def _end(
        self, half: HalfMessage, request: EndTransaction, decision: Decision
    ) -> Outcome:
        """End the transaction of a half message, or of its copy."""
        offset = half.message.queue_offset
        if not request.from_transaction_check:
            self._check_immunity(half)
        known = self._decisions.of(offset)
        if known not in _OPEN:
            return self._end_again(half, known, decision)
        if decision is Decision.ROLLED_BACK:
            if known is Decision.PENDING:
                self._decide(half, decision)
            return Response()
        if offset < self._begin and half.unique_key:
            return self._look_up(half).addCallback(
                lambda is_stored: self._commit_once(half, is_stored)
            )
        return self._commit(half)

    def _check_immunity(self, half: HalfMessage) -> None:
        """Refuse an end that comes when the producer is asked already."""
        limits = self._limits
        immunity_ms = limits.immunity_ms(half.properties)
        if immunity_ms is None:
            return
        age_ms = self._now() * 1000 - half.since_ms
        if age_ms > max(immunity_ms, limits.timeout_ms):
            raise Refused(
                ResponseCode.ILLEGAL_OPERATION,
                "the transaction is not ended: its CHECK_IMMUNITY_TIME_IN_SECONDS is"
                " over, so it ends when its producer is asked",
            )

    def _end_again(
        self, half: HalfMessage, known: Decision | None, decision: Decision
    ) -> Outcome:
        """
        Return the response for a transaction that has ended.

        Whether one was committed that ended before the start can be seen from the
        message alone.

        :raises Refused: it has not ended like this, or may not have.
        """
        self.repeated += 1
        offset = half.message.queue_offset
        if known is decision:
            return Response()
        if known not in (None, Decision.ENDED):
            raise _ended(offset, known.name.lower().replace("_", " "))
        if decision is Decision.ROLLED_BACK:
            return Response()

        def respond(is_stored: bool) -> Response:
            if is_stored:
                return Response()
            raise _ended(offset, "rolled back, or given up")

        return self._look_up(half).addCallback(respond)

    def _commit(self, half: HalfMessage) -> Outcome:
        """Store the message of a transaction that is committed."""
        if not self._has_enough():
            raise Refused(ResponseCode.SYSTEM_ERROR, "in-sync replicas not enough")
        now = self._now()
        stored = self._store.put(half.committed(), now)
        wait = half.properties.get(WAIT)
        waits = self._log is not None and (wait is None or wait.lower() == "true")
        end = stored.commit_log_offset + stored.size if waits else 0
        self._stats.stored(1, stored.size, now, end)
        self._decide(half, Decision.COMMITTED)
        response = Response()
        if self._log is None or not waits:
            return response
        return AfterFlush(response, end, self._log)

    def _decide(self, half: HalfMessage, decision: Decision) -> None:
        """Record and count a decision."""
        offset, topic = half.message.queue_offset, half.topic.encode()
        if self._decisions.of(offset) is Decision.GIVEN_UP:
            # It was counted off then.
            self._counts.returned(offset, topic)
        self.decide(offset, decision, topic, half.message.born_time_ms)

    def _look_up(self, half: HalfMessage) -> Deferred[bool]:
        """Look whether the message of a half message is stored already."""
        if self._lookup is None:
            # Only for what was pending at the start.
            from rocketmq_tw.broker.transactions.committed import CommittedLookup

            self._lookup = CommittedLookup(self._store)
        return self._lookup.is_stored(half)

    def _commit_once(self, half: HalfMessage, is_stored: bool) -> Outcome:
        """Store a message unless it is stored, or the transaction has ended by now."""
        offset = half.message.queue_offset
        known = self._decisions.of(offset)
        if known not in _OPEN:
            return self._end_again(half, known, Decision.COMMITTED)
        if not is_stored:
            return self._commit(half)
        if known is Decision.PENDING:
            self._counts.left(offset, half.topic.encode())
        self._journal.decide(offset, Decision.COMMITTED)
        self.repeated += 1
        return Response()


def _checked(fetched: Fetched, request: EndTransaction) -> HalfMessage:
    """
    Return the half message that a request names.

    :raises Refused: there is none, or it is another one.
    """
    offset, at = request.tran_state_table_offset, request.commit_log_offset
    if not fetched.count:
        raise _wrong(f"Find prepared transaction message failed: none is at {offset}")
    try:
        half = read_half(fetched.data)
    except MalformedRecord as error:
        raise _wrong(f"Find prepared transaction message failed: {error}") from None
    message = half.message
    if half.group != request.producer_group:
        raise _wrong("The producer group wrong: it is not that of the half message")
    if message.queue_offset != offset:
        raise _wrong(f"The transaction state table offset wrong: none is at {offset}")
    if message.commit_log_offset != at:
        raise _wrong(
            f"The commit log offset wrong: half message {offset} is not at {at}"
        )
    if request.topic not in (None, "", half.topic, TRANS_HALF_TOPIC):
        raise _wrong("The topic wrong: the half message is meant for another one")
    return half


def _ended(offset: int, how: str) -> Refused:
    return _wrong(f"the transaction of half message {offset} has ended: {how}")


def _wrong(why: str) -> Refused:
    return Refused(ResponseCode.SYSTEM_ERROR, why)
