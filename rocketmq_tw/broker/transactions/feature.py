"""Installs transactions: half messages, their ends, and the rounds that ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.send.kinds import Kind
from rocketmq_tw.broker.send.lane_forms import SEND_STARTS
from rocketmq_tw.broker.send.lane_parts import LaneParts
from rocketmq_tw.broker.transactions.checks import CheckRounds
from rocketmq_tw.broker.transactions.ending import EndProcessor
from rocketmq_tw.broker.transactions.half import HALF_TOPIC, HalfMessages
from rocketmq_tw.broker.transactions.journal import TransactionJournal
from rocketmq_tw.broker.transactions.producers import Producers
from rocketmq_tw.broker.transactions.rounds import CheckLimits
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.message import TRAN_MSG
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.lane import Read, Taken
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.remoting.router import Handler, Outcome, Router
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import Frame
from rocketmq_tw.wire.requests.transaction import EndTransaction, ResumeCheckHalfMessage

if TYPE_CHECKING:
    from rocketmq_tw.broker.transactions.counts_file import CountsFile
    from rocketmq_tw.broker.transactions.lane import TransactionLane

#: Milliseconds between two commits of how far half messages are decided.
COMMIT_PERIOD_MS = 5_000


class TransactionParts(msgspec.Struct, frozen=True):
    """What was installed."""

    journal: TransactionJournal
    half: HalfMessages
    ending: EndProcessor
    checks: CheckRounds
    counts: LateCountsFile


def install(broker: Broker, router: Router) -> TransactionParts | None:
    """
    Handle transactions at a master.

    A slave has the half messages and operation messages of its master, and ends none.
    While it acts for it, they wait for their master, or go to another one.
    """
    if broker.config.is_slave:
        if broker.config.enable_remote_escape:
            _escape(broker)
        return None
    parts = _make(broker)
    journal, checks, lifecycle = parts.journal, parts.checks, broker.lifecycle
    broker.redirects[Kind.TRANSACTIONAL] = parts.half.redirect
    broker.when_stored[HALF_TOPIC] = parts.half.stored
    parts.ending.routes(router)
    router.on(ResumeCheckHalfMessage, _resuming(broker, parts.journal))
    if parts.half.is_open:
        broker.lane_extensions.append(
            lambda shared: LateLane(lambda: _lane(broker, parts, shared))
        )
    _gauges(broker, parts)
    lifecycle.on_start.append(
        lambda: broker.pacer.run(journal.replay(), None, key=journal)
    )
    # Not before it has taken over what a slave has passed on.
    lifecycle.on_online.append(journal.adopt)
    parts.counts.install()
    lifecycle.on_stop.append(journal.stop)
    lifecycle.on_stop.append(checks.stop)
    broker.periodic.every(COMMIT_PERIOD_MS, journal.commit)
    broker.periodic.every(broker.config.transaction_check_interval, checks.begin)
    return parts


def _escape(broker: Broker) -> None:
    """Let a slave send half messages to other masters while it acts for its own."""
    from rocketmq_tw.broker.slave.escape import make_escape
    from rocketmq_tw.broker.transactions.escaping import HalfEscape

    escape = HalfEscape(
        make_journal=lambda: _journal(broker),
        store=broker.store,
        put=make_escape(broker).put,
        # A master that returns is not known to name servers yet.
        is_master_alive=lambda: broker.replication.is_following,
        pacer=broker.pacer,
        clock=broker.clock,
        interval=broker.config.transaction_check_interval / 1000,
    )
    broker.on_acting.append(escape.act)
    broker.lifecycle.on_drain.append(escape.stop)
    broker.stats.gauges["halfMessageEscapesCompleted"] = lambda: escape.sent


def _journal(broker: Broker) -> TransactionJournal:
    """Make the decisions, as they are stored now."""
    config = broker.config
    return TransactionJournal(
        store=broker.store,
        offsets=broker.tables.offsets,
        clock=broker.clock,
        interval=config.transaction_op_batch_interval / 1000,
        max_size=config.transaction_op_msg_max_size,
        store_host=broker.store_host,
        now=wall_time(broker.clock),
    )


def _make(broker: Broker) -> TransactionParts:
    """Make the parts that share the decisions."""
    config, tables, now = broker.config, broker.tables, wall_time(broker.clock)
    journal = _journal(broker)
    half = HalfMessages(
        behind=lambda: journal.behind,
        limit=config.max_half_messages,
        counts=broker.transaction_counts,
        forbidden=_forbidden(broker),
    )
    limits = CheckLimits.of(
        config.transaction_time_out,
        config.transaction_check_max,
        config.file_reserved_time,
    )
    acks = broker.replication.acks
    needs_quorum = acks is not None and config.enable_slave_acting_master
    ending = EndProcessor(
        store=broker.store,
        journal=journal,
        limits=limits,
        stats=broker.stats,
        log=broker.replication.durable_log,
        has_enough=lambda: acks is None or not needs_quorum or acks.has_enough,
        now=now,
        permit=broker.late_checks,
        counts=broker.transaction_counts,
    )
    file = LateCountsFile(broker, journal)
    checks = CheckRounds(
        store=broker.store,
        journal=journal,
        limits=limits,
        producers=Producers(tables.clients.producers, broker.clock),
        topics=tables.topics,
        pacer=broker.pacer,
        broker_name=config.broker_name,
        clock=broker.clock,
        now=now,
        counts=broker.transaction_counts,
        on_lost=file.check,
    )
    return TransactionParts(journal, half, ending, checks, file)


class LateCountsFile:
    """
    The file of half messages by topic, which is made when there are any, or it exists.

    :ivar made: None before.
    """

    def __init__(self, broker: Broker, journal: TransactionJournal) -> None:
        self._broker = broker
        self._counts = broker.transaction_counts
        self._journal = journal
        self._file = broker.tables.file("transactionMetrics")
        self.made: CountsFile | None = None

    def install(self) -> None:
        """Keep the counts while the broker runs, and when it stops."""
        broker = self._broker
        broker.tables.topics.on_change.append(self._changed)
        broker.lifecycle.on_start.append(self._load)
        broker.lifecycle.on_online.append(self.check)
        broker.lifecycle.on_stop.append(lambda: all_at_once(self._saving()))
        broker.periodic.every(
            broker.config.transaction_metric_flush_interval,
            lambda: broker.pacer.run(self._saving(), None, key=self),
        )

    def _load(self) -> None:
        """Read what is there from before."""
        if self._file.exists or self._journal.pending:
            self._make().load()

    def check(self) -> None:
        """Compare it with what is pending."""
        if self.made is not None:
            self.made.check()

    def _saving(self) -> Steps[None]:
        """Write what has changed."""
        if self.made is None and self._counts.table:
            self._make()
        if self.made is not None:
            now = wall_time(self._broker.clock)
            yield from self.made.saving(int(now() * 1000))

    def _changed(self, topic: str) -> None:
        """Forget a topic that is deleted."""
        if self._broker.tables.topics.get(topic) is None:
            self._counts.drop(topic.encode("utf-8", "replace"))

    def _make(self) -> CountsFile:
        """Make what reads and writes the file."""
        from rocketmq_tw.broker.transactions.counts_file import CountsFile

        self.made = CountsFile(
            self._file,
            counts=self._counts,
            store=self._broker.store,
            journal=self._journal,
            pacer=self._broker.pacer,
        )
        return self.made


def _resuming(broker: Broker, journal: TransactionJournal) -> Handler:
    """Return a handler that is made when the first request comes."""

    def resume(request: ResumeCheckHalfMessage, call: Call) -> Outcome:
        from rocketmq_tw.broker.transactions.resuming import ResumeProcessor

        return ResumeProcessor(
            store=broker.store,
            behind=lambda: journal.behind,
            limit=broker.config.max_half_messages,
            counts=broker.transaction_counts,
        ).resume(request, call)

    return resume


class LateLane:
    """
    The lane of transactions, which is made when the first of them comes.

    :param make: makes it.
    """

    declared: Sequence[type[Request[Any]]] = (EndTransaction,)

    def __init__(self, make: Callable[[], TransactionLane]) -> None:
        self._make = make
        self.lane: TransactionLane | None = None

    def wants(self, command: Command) -> bool:
        """Whether a send may ask for a transaction."""
        return TRAN_MSG in (command.fields.properties or "")

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None,
        first: Command | None,
    ) -> Taken:
        """Let the lane take frames, unless they begin with another send."""
        if first is None:
            # A send that the caller could not read, or must not, is not read again.
            is_other = frames[at][1].startswith(SEND_STARTS)
        else:
            is_other = not self.wants(first)
        if is_other:
            return Taken()
        if self.lane is None:
            self.lane = self._make()
        return self.lane.take(frames, at, until, peer, received_at, read, first)


def _lane(
    broker: Broker, parts: TransactionParts, shared: LaneParts
) -> TransactionLane:
    """Make what takes usual transactions past their handlers."""
    from rocketmq_tw.broker.transactions.lane import TransactionLane
    from rocketmq_tw.broker.transactions.lane_end import LaneEnds
    from rocketmq_tw.broker.transactions.lane_half import LaneHalves
    from rocketmq_tw.broker.transactions.lane_recent import RecentHalves

    recent = RecentHalves()
    broker.stats.gauges["halfMessagesKept"] = lambda: len(recent)
    halves = LaneHalves(
        shared,
        decisions=parts.journal.decisions,
        limit=broker.config.max_half_messages,
    )
    ends = LaneEnds(
        shared,
        store=broker.store,
        ending=parts.ending,
        recent=recent,
        permit=broker.late_checks,
    )
    return TransactionLane(
        shared,
        halves=halves,
        ends=ends,
        ending=parts.ending,
        recent=recent,
        counts=broker.transaction_counts,
    )


def _forbidden(broker: Broker) -> str | None:
    """Return why no half message is accepted; None if they are."""
    config = broker.config
    if not config.reject_transaction_message:
        return None
    return f"the broker[{config.broker_ip1}] sending transaction message is forbidden"


def _gauges(broker: Broker, parts: TransactionParts) -> None:
    """Show what is pending, and what became of the others."""
    gauges, ending, checks = broker.stats.gauges, parts.ending, parts.checks
    gauges["transactionsPending"] = lambda: parts.journal.pending
    gauges["halfMessages"] = lambda: parts.journal.behind
    gauges["halfMessagesRefused"] = lambda: parts.half.refused
    gauges["transactionsCommitted"] = lambda: ending.committed
    gauges["transactionsRolledBack"] = lambda: ending.rolled_back
    gauges["transactionsEndedAgain"] = lambda: ending.repeated
    gauges["transactionsPerhapsTwice"] = lambda: ending.unknown
    gauges["transactionsAsked"] = lambda: checks.asked
    gauges["transactionsUnasked"] = lambda: checks.unasked
    gauges["transactionsGivenUp"] = lambda: checks.given_up
    gauges["transactionsLost"] = lambda: checks.lost
