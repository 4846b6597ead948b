"""
Asks producers how transactions ended that are not decided.

A round begins every ``transactionCheckInterval``, and passes the half messages that are
pending, oldest first, in steps. It ends at the first that is too young, or after a
minute; the next round then goes on where this one ended.

A half message stays where it is until it is decided, unless a million others are behind
it. Apache RocketMQ stores it again for each time its producers are asked; so a broker
of Apache RocketMQ that opens the folder counts from the beginning, and this one goes on
with its counts.

Source: ``TransactionalMessageServiceImpl.check`` and
``AbstractTransactionalMessageCheckListener`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.tables.predefined import made
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.journal import TransactionJournal
from rocketmq_tw.broker.transactions.producers import Producers
from rocketmq_tw.broker.transactions.rounds import (
    CheckLimits,
    Due,
    Round,
    Rounds,
    times_before,
)
from rocketmq_tw.broker.transactions.stored import HalfMessage, read_half
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC
from rocketmq_tw.remoting.pacing import Pacer, Steps, result_of
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.record import MalformedRecord
from rocketmq_tw.wire.record_layout import QUEUE_OFFSET
from rocketmq_tw.wire.record_parts import each_record
from rocketmq_tw.wire.requests.transaction import CheckTransactionState

#: Seconds after which a round ends.
LONGEST = 60.0
#: What is read at a time: half messages, and bytes; one may be larger.
_RECORDS, _READ = 32, 64 << 10
#: How many groups without a producer are named in the log.
_NAMED = 10


class CheckRounds:
    """
    The rounds of a broker.

    :param now: returns the time of day, in seconds since the epoch.
    :param counts: has the half messages of each topic that are pending.
    :param on_lost: called when half messages that were pending are gone.
    :ivar asked: how often producers were asked since the start.
    :ivar unasked: how often no producer could be asked.
    :ivar given_up: how many transactions were given up.
    :ivar lost: how many half messages were deleted while they were pending.
    """

    _log = Logger()

    # _at is where a round is, and where the next one goes on if it took too long. It
    # is over at the end of the queue, or at a half message that is too young. _silent
    # are groups without a producer, in this round.

    def __init__(
        self,
        *,
        store: IMessageStore,
        journal: TransactionJournal,
        limits: CheckLimits,
        producers: Producers,
        topics: TopicTable,
        pacer: Pacer,
        broker_name: str,
        clock: IReactorTime,
        now: Callable[[], float],
        counts: TransactionCounts,
        on_lost: Callable[[], object],
    ) -> None:
        self._store = store
        self._journal = journal
        self._decisions = journal.decisions
        self._limits = limits
        self._producers = producers
        self._topics = topics
        self._pacer = pacer
        self._broker_name = broker_name
        self._clock = clock
        self._now = now
        self._counts = counts
        self._on_lost = on_lost
        self._is_running = self._is_stopped = self._is_over = False
        self._rounds = Rounds()
        self._at = 0
        self._silent: dict[str, None] = {}
        self.asked = 0
        self.unasked = 0
        self.given_up = 0
        self.lost = 0

    def begin(self) -> Any:
        """
        Begin a round, unless the last one is not over.

        :returns: None, or a Deferred that fires at its end.
        """
        if self._is_running or not self._journal.pending:
            return None
        self._is_running = True
        return self._pacer.run(self._round(), None, key=self)

    def stop(self) -> None:
        """End the round that runs, and begin no more."""
        self._is_stopped = self._is_running = True

    def _round(self) -> Steps[None]:
        """Do one round; after a failure, the next begins with the oldest."""
        is_done = False
        try:
            yield from self._pass_all()
            is_done = True
        finally:
            self._is_running = self._is_stopped
            if self._is_over or not is_done:
                self._at = 0

    def _pass_all(self) -> Steps[None]:
        """Pass the half messages that are pending; a step is some of them."""
        began_ms, until = int(self._now() * 1000), self._clock.seconds() + LONGEST
        end = self._journal.end
        self._producers.begin()
        self._skip_to(self._store.min_offset(TRANS_HALF_TOPIC, 0))
        first = self._at = self._begin_at(end)
        self._is_over = False
        while not self._is_over and self._clock.seconds() < until:
            pending = self._decisions.next_pending(self._at, end)
            if pending is None:
                self._at, self._is_over = end, True
            else:
                yield from self._pass_some(pending, end)
                yield None
            if self._is_stopped:
                return
        self._rounds.add(Round(began_ms, first, self._at))
        self._rounds.forget_before(self._decisions.start)
        self._log_silent()

    def _begin_at(self, end: int) -> int:
        """Return where a round begins: at the oldest, or where the last one ended."""
        start = self._decisions.start
        return self._at if start < self._at < end else start

    def _pass_some(self, offset: int, end: int) -> Steps[None]:
        """Pass some half messages, from one that is pending on."""
        count = self._span(offset, end)
        fetched = yield from result_of(
            self._store.get(TRANS_HALF_TOPIC, 0, offset, count, _READ, None)
        )
        for record in each_record(fetched.data):
            if self._is_stopped:
                break
            self._at = int.from_bytes(record[QUEUE_OFFSET], "big")
            if self._decisions.of(self._at) is Decision.PENDING:
                yield from self._pass_one(self._at, record)
                if self._is_over:
                    return
        self._at = self._after(fetched, offset)

    def _span(self, offset: int, end: int) -> int:
        """Return how many half messages to read: up to some that is pending."""
        last = offset
        while True:
            following = self._decisions.next_pending(last + 1, end)
            if following is None or following >= offset + _RECORDS:
                return last + 1 - offset
            if following > last + 1:
                return last + 1 - offset
            last = following

    def _after(self, fetched: Fetched, offset: int) -> int:
        """Return from where to go on after a read; what it did not find is gone."""
        if fetched.count:
            return fetched.next_offset
        self._skip_to(fetched.min_offset)
        return max(offset + 1, self._decisions.start)

    def _skip_to(self, first: int) -> None:
        """Give up what is pending and not stored any more: the log was cleaned."""
        start, before = self._decisions.start, self._journal.pending
        self._decisions.skip_to(first)
        gone = before - self._journal.pending
        if gone:
            self.lost += gone
            self._log.error(
                "{count} half messages that were pending, from {start} to {last}, are"
                " not stored any more: files of the log were deleted, so their"
                " transactions are neither committed nor rolled back",
                count=gone,
                start=start,
                last=first - 1,
            )
            self._on_lost()

    def _pass_one(self, offset: int, record: bytes) -> Steps[None]:
        """Do what is due about a half message that is pending."""
        try:
            half = read_half(record)
        except MalformedRecord as error:
            self._log.error(
                "half message {offset} is given up: {why}",
                offset=offset,
                why=str(error),
            )
            self._journal.decide(offset, Decision.GIVEN_UP)
            return
        if half.first_offset != offset:
            self._journal.note_copy(half.first_offset, offset)
        immunity_ms = self._limits.immunity_ms(half.properties)
        since_ms = half.since_ms
        wait_ms = self._limits.timeout_ms if immunity_ms is None else immunity_ms
        times = times_before(half.properties)
        times += self._rounds.times(offset, since_ms + wait_ms)
        age_ms = int(self._now() * 1000) - since_ms
        due = self._limits.due(age_ms, immunity_ms, times)
        if due is Due.GIVE_UP:
            self._give_up(half, times)
        elif due is Due.ASK:
            times += 1
            yield from self._ask(half, times)
        if due is not Due.GIVE_UP and self._journal.is_far_behind(offset):
            self._move(half, times)
        self._is_over = due is Due.YOUNG

    def _give_up(self, half: HalfMessage, times: int) -> None:
        """Copy a half message for operators, and ask no more."""
        offset = half.message.queue_offset
        try:
            if TRANS_CHECK_MAX_TIME_TOPIC not in self._topics.table:
                self._topics.put(made(TRANS_CHECK_MAX_TIME_TOPIC, 1))
            self._store.put(half.given_up(times), self._now())
        except (RocketMQError, OSError) as error:
            self._log.error(
                "half message {offset} is not given up yet: {why}",
                offset=offset,
                why=str(error),
            )
            return
        self._counts.left(offset, half.topic.encode())
        self._journal.decide(offset, Decision.GIVEN_UP)
        self.given_up += 1

    def _move(self, half: HalfMessage, times: int) -> None:
        """
        Store a half message once more, so that what is behind it can be forgotten.

        Its producer may end it by the offsets of the first, too.
        """
        offset = half.message.queue_offset
        if self._decisions.of(offset) is not Decision.PENDING:
            return
        try:
            stored = self._store.put(half.moved(times), self._now())
        except (RocketMQError, OSError) as error:
            self._log.error(
                "half message {offset} is not moved: {why}",
                offset=offset,
                why=str(error),
            )
            return
        topic = half.topic.encode()
        self._counts.left(offset, topic)
        self._counts.stored(topic)
        self._journal.decide(offset, Decision.MOVED)
        self._journal.note_copy(half.first_offset, stored.queue_offset)

    def _ask(self, half: HalfMessage, times: int) -> Steps[None]:
        """Ask a producer of the group, unless there is none that reads."""
        peer = self._producers.next_of(half.group)
        if peer is not None and peer.is_write_blocked:
            is_reading = yield self._producers.when_reading(half.group, peer)
            peer = peer if is_reading else None
        if self._decisions.of(half.message.queue_offset) is not Decision.PENDING:
            return
        if peer is None:
            self.unasked += 1
            if len(self._silent) < _NAMED:
                self._silent[half.group] = None
            return
        self.asked += 1
        message = half.message
        peer.call_one_way(
            CheckTransactionState(
                tran_state_table_offset=message.queue_offset,
                commit_log_offset=message.commit_log_offset,
                msg_id=half.unique_key,
                transaction_id=half.unique_key,
                offset_msg_id=message.offset_message_id,
                topic=half.topic,
                broker_name=self._broker_name,
                body=half.question(times),
            )
        )

    def _log_silent(self) -> None:
        """Name the groups of which no producer could be asked."""
        silent, self._silent = self._silent, {}
        if silent:
            self._log.warn(
                "no producer could be asked how its transactions ended, of the groups"
                " {groups}",
                groups=log_safe(", ".join(silent)),
            )
