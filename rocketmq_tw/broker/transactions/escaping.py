"""
Sends half messages that are pending to another master while their own is gone.

A slave that acts for its master (:mod:`rocketmq_tw.broker.slave.acting`) ends no
transactions. With ``enableRemoteEscape`` it sends each half message that is pending to
a master of another name which has its topic, as its producer sent it; that one asks a
producer of the group how the transaction ended. What is sent is passed: the offsets of
the transactions' group are committed, and the master takes them over when it is back.

A round ends at the first that cannot be sent, which the next one tries again: an offset
says only that all before it is passed, so what was sent behind it would end at its own
master, too. Apache RocketMQ passes a half message that it could not send ten times.

Source: ``TransactionalMessageServiceImpl.check`` and ``EscapeBridge`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.journal import TransactionJournal
from rocketmq_tw.broker.transactions.stored import read_half
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.pacing import Pacer, Steps, result_of
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.record import Draft, MalformedRecord

#: Bytes of a read of one half message, which may be larger.
_READ = 64 << 10
#: Seconds between two commits of what is sent, which a master that returns takes over.
COMMIT_PERIOD = 1.0
#: Sends a message to another master; fires once it is stored there.
Put = Callable[[Draft, float], Deferred[None]]


class HalfEscape:
    """
    Sends half messages elsewhere while this slave acts for its master.

    :param is_master_alive: whether the slave is connected to its master: that reads the
        offsets before it registers, and does not see what is sent later.
    :param make_journal: makes the decisions, as the operation messages have them now.
    :param interval: seconds until the first round, and between two.
    :ivar sent: how many half messages were sent since the start.
    """

    _log = Logger()

    # _journal is that of this time of acting; None while the slave does not act.

    def __init__(
        self,
        *,
        make_journal: Callable[[], TransactionJournal],
        store: IMessageStore,
        put: Put,
        is_master_alive: Callable[[], bool],
        pacer: Pacer,
        clock: IReactorTime,
        interval: float,
    ) -> None:
        self._make_journal = make_journal
        self._store = store
        self._put = put
        self._is_master_alive = is_master_alive
        self._pacer = pacer
        self._clock = clock
        self._interval = interval
        self._journal: TransactionJournal | None = None
        self._timer: IDelayedCall | None = None
        self._is_stopped = False
        self.sent = 0

    def act(self, is_acting: bool) -> None:
        """Begin, or end that: another slave acts, or the master is back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._journal = None
        if is_acting and not self._is_stopped:
            self._read()

    def stop(self) -> None:
        """End with the broker, which may hear of its master until it is stopped."""
        self._is_stopped = True
        self.act(False)

    def _read(self) -> None:
        """Read what is decided; nothing is sent before that is known."""
        self._timer = None
        journal = self._journal = self._make_journal()
        self._run(journal.replay(), journal, self._read)

    def _begin(self) -> None:
        """Begin a round."""
        self._timer = None
        journal = self._journal
        if journal is not None:
            self._run(self._round(journal), journal, self._begin)

    def _run(
        self,
        steps: Steps[None],
        journal: TransactionJournal,
        again: Callable[[], None],
    ) -> None:
        """Do some steps; a while later comes a round, or ``again`` if they fail."""

        def go_on(result: object) -> None:
            following = self._begin
            if isinstance(result, Failure):
                self._log.failure("half messages are sent later", result)
                following = again
            if self._journal is journal:
                self._timer = self._clock.callLater(self._interval, following)

        maybeDeferred(self._pacer.run, steps, None, key=self).addBoth(go_on)

    def _round(self, journal: TransactionJournal) -> Steps[None]:
        """Send what is pending, oldest first, until one cannot be sent."""
        decisions, end, before = journal.decisions, journal.end, self.sent
        decisions.skip_to(self._store.min_offset(TRANS_HALF_TOPIC, 0))
        commit_at = self._clock.seconds() + COMMIT_PERIOD
        at = decisions.next_pending(decisions.start, end)
        while at is not None and self._journal is journal:
            if self._is_master_alive():
                break
            fetched = yield from result_of(
                self._store.get(TRANS_HALF_TOPIC, 0, at, 1, _READ, None)
            )
            if not fetched.count:
                decisions.skip_to(fetched.min_offset)
            elif (yield from self._send(at, fetched.data)):
                decisions.decide(at, Decision.MOVED)
            if decisions.is_pending(at):
                break
            at = decisions.next_pending(at + 1, end)
            if self._clock.seconds() >= commit_at:
                yield journal.commit()
                commit_at = self._clock.seconds() + COMMIT_PERIOD
            yield None
        if self.sent > before:
            if self._journal is journal:
                yield journal.commit()
            self._log.info(
                "{count} half messages were sent to other masters",
                count=self.sent - before,
            )

    def _send(self, offset: int, record: bytes) -> Steps[bool]:
        """Send one; return whether it need not be looked at again."""
        try:
            half = read_half(record)
        except MalformedRecord as error:
            self._log.error(
                "half message {offset} is not sent to another master: {why}",
                offset=offset,
                why=str(error),
            )
            return True
        put = self._put(half.as_sent(), 0)
        why = yield put.addCallbacks(lambda _: None, Failure.getErrorMessage)
        if why is None:
            self.sent += 1
            return True
        self._log.warn(
            "half message {offset} of [{topic}], and those behind it, wait for their"
            " master, as {why}",
            offset=offset,
            topic=log_safe(half.topic),
            why=log_safe(why),
        )
        return False
