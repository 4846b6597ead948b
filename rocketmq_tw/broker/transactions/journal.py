"""
Writes operation messages, reads them at the start, and commits how far they are done.

An operation message is appended behind the messages of the transactions that it names,
so there is none without them. It is written when its half messages were decided some
time ago (``transactionOpBatchInterval``), or there are many
(``transactionOpMsgMaxSize``). If the broker is killed before that, their producers are
asked again, and a message that is stored already is not stored twice
(:mod:`rocketmq_tw.broker.transactions.ending`).

There is no other file: the offsets of the group ``CID_RMQ_SYS_TRANS`` say which half
message is the first that may be pending, and which operation message the first that is
needed, as in Apache RocketMQ. They are committed after what they rely on is on disk.

Source: ``TransactionalMessageServiceImpl`` and ``TransactionalOpBatchService`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.errors import TooManyDecisions, TooManyOffsets
from rocketmq_tw.broker.queue_replay import read_queue
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.transactions.decisions import Decision, Decisions
from rocketmq_tw.broker.transactions.operations import (
    TAG,
    OperationOffsets,
    offset_text,
    parse,
)
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import TAGS, WAIT
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft, decode_all
from rocketmq_tw.wire.record_layout import HOST_V4_SIZE

#: The group whose offsets say up to where both queues are done.
GROUP = "CID_RMQ_SYS_TRANS"
#: Half messages whose operation message could not be written; there may be no more.
MOST_UNWRITTEN = 20_000
#: A half message is stored once more if so many are behind it, and few of them are
#: pending: one in so many. There may be so many copies.
FAR_BEHIND, _SPARSE, MOST_MOVED = 1_000_000, 4, 50_000
#: What is read at a time: operation messages, and bytes.
_RECORDS, _SLICE = 64, 256 << 10
_TOPIC = TRANS_OP_HALF_TOPIC.encode()
_PROPERTIES = properties.encode({WAIT: "true", TAGS: TAG}).encode()
_TAGS_CODE = tags_code(TAG)


class TransactionJournal:
    """
    The operation messages of a broker, and the decisions according to them.

    :param interval: seconds that a decision may wait for its operation message.
    :param max_size: characters of an operation message from which it is written.
    :param now: returns the time of day, in seconds since the epoch.
    :ivar decisions: on the half messages.
    """

    _log = Logger()

    # moved has the queue offset of each pending copy by that of the first, _first_of
    # the other way round. _unwritten are the queue offsets of decided half messages
    # without an operation message, and _size the length of their text. _timer is set
    # while there are any.

    def __init__(
        self,
        *,
        store: IMessageStore,
        offsets: ConsumerOffsets,
        clock: IReactorTime,
        interval: float,
        max_size: int,
        store_host: bytes,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._offsets = offsets
        self._clock = clock
        self._interval = interval
        self._max_size = max_size
        self._store_host = store_host
        self._now = now
        self.decisions = Decisions(self._first(TRANS_HALF_TOPIC))
        self._operations = OperationOffsets(self._first(TRANS_OP_HALF_TOPIC))
        self.moved: dict[int, int] = {}
        self._first_of: dict[int, int] = {}
        self._unwritten: list[int] = []
        self._size = 0
        self._timer: IDelayedCall | None = None

    @property
    def end(self) -> int:
        """The queue offset of the next half message."""
        return self._store.max_offset(TRANS_HALF_TOPIC, 0)

    @property
    def pending(self) -> int:
        """How many half messages are pending."""
        return self.decisions.pending(self.end)

    @property
    def behind(self) -> int:
        """How many half messages there are from the first on that is pending."""
        return max(0, self.end - self.decisions.start)

    def check_capacity(self) -> None:
        """
        Check that one more decision can be kept until it is written.

        :raises TooManyDecisions: it cannot, as the store takes no messages.
        """
        if len(self._unwritten) >= MOST_UNWRITTEN:
            raise TooManyDecisions(MOST_UNWRITTEN)

    def keeps(self, count: int, size: int) -> bool:
        """
        Whether one more decision can be kept, and none is written because of it.

        :param count: how many will be kept before it.
        :param size: the characters of all these.
        """
        return (
            len(self._unwritten) + count < MOST_UNWRITTEN
            and self._size + size < self._max_size
        )

    def decide(self, offset: int, decision: Decision) -> None:
        """Record a decision, and have it written."""
        self.decisions.decide(offset, decision)
        first = self._first_of.pop(offset, None)
        if first is not None and self.moved.get(first) == offset:
            del self.moved[first]
        self._unwritten.append(offset)
        self._size += len(offset_text(offset))
        if self._size >= self._max_size:
            self.write()
        elif self._timer is None:
            self._timer = self._clock.callLater(self._interval, self._write_later)

    def note_copy(self, first: int, offset: int) -> None:
        """Remember that a half message which is pending is a copy of another one."""
        if first not in self.moved and len(self.moved) >= MOST_MOVED:
            return
        self.moved[first] = offset
        self._first_of[offset] = first

    def is_far_behind(self, offset: int) -> bool:
        """Whether a half message that is pending should be stored once more."""
        return (
            self.end - offset >= FAR_BEHIND
            and self.pending * _SPARSE <= self.behind
            and len(self.moved) < MOST_MOVED
        )

    def write(self) -> None:
        """Write operation messages for all decisions that have none."""
        self._stop_timer()
        try:
            while self._unwritten:
                self._write_one()
        except (RocketMQError, OSError) as error:
            self._log.error(
                "{count} decisions on transactions are written later: {why}",
                count=len(self._unwritten),
                why=str(error),
            )
            self._timer = self._clock.callLater(
                max(self._interval, 1.0), self._write_later
            )

    def replay(self) -> Steps[None]:
        """Read the operation messages at the start."""
        start = self.decisions.start
        done = self._offsets.query(GROUP, TRANS_HALF_TOPIC, 0)
        if done is not None and done < start:
            self._log.warn(
                "half messages {done} to {last} are not stored any more, whether their"
                " transactions were decided or not",
                done=done,
                last=start - 1,
            )
        at = self._first(TRANS_OP_HALF_TOPIC)
        yield from read_queue(
            self._store,
            TRANS_OP_HALF_TOPIC,
            0,
            at,
            self._apply,
            count=_RECORDS,
            size=_SLICE,
        )
        if self.pending:
            self._log.info(
                "{count} transactions are not decided yet", count=self.pending
            )

    def adopt(self) -> None:
        """Go on behind what a slave has passed on that acted for this master."""
        before = self.pending
        self.decisions.skip_to(self._first(TRANS_HALF_TOPIC), Decision.ENDED)
        passed = before - self.pending
        if passed:
            self._log.info(
                "{count} half messages were sent to other masters meanwhile",
                count=passed,
            )

    def commit(self) -> Deferred[None]:
        """
        Commit how far both queues are done, once it is on disk that they are.

        :returns: fires then; it does not fail.
        """
        half = self.decisions.start
        operation = self._operations.done(half)
        if (half, operation) == (
            self._committed(TRANS_HALF_TOPIC),
            self._committed(TRANS_OP_HALF_TOPIC),
        ):
            return succeed(None)
        flushed = self._store.flush()
        flushed.addCallback(lambda _: self._commit(half, operation))
        return flushed.addErrback(
            lambda f: self._log.error(
                "the offsets of transactions are committed later: {why}",
                why=f.getErrorMessage(),
            )
        )

    def stop(self) -> Deferred[None]:
        """Write what is decided, and commit; fires when that is done."""
        self.write()
        self._stop_timer()
        return self.commit()

    def _first(self, topic: str) -> int:
        """Return the offset from which a queue is not done."""
        done = self._committed(topic)
        low, high = self._store.min_offset(topic, 0), self._store.max_offset(topic, 0)
        return max(low, min(done, high))

    def _committed(self, topic: str) -> int:
        """Return the offset that is committed; 0 without one."""
        return self._offsets.query(GROUP, topic, 0) or 0

    def _apply(self, fetched: Fetched) -> None:
        """Apply some operation messages; what is no offset in them is left out."""
        end = self.end
        for message in decode_all(fetched.data):
            named = parse(message.body) if message.tag == TAG else []
            known = [offset for offset in named if offset < end]
            for offset in known:
                if self.decisions.of(offset) is Decision.PENDING:
                    self.decisions.decide(offset, Decision.ENDED)
            self._operations.add(message.queue_offset, max(known, default=-1))

    def _write_later(self) -> None:
        self._timer = None
        self.write()

    def _write_one(self) -> None:
        """Write the next operation message."""
        named: list[int] = []
        body = ""
        for offset in self._unwritten:
            text = offset_text(offset)
            if named and len(body) + len(text) > self._max_size:
                break
            named.append(offset)
            body += text
        stored = self._store.put(self._draft(body), self._now())
        self._operations.add(stored.queue_offset, max(named))
        del self._unwritten[: len(named)]
        self._size -= len(body)

    def _draft(self, body: str) -> Draft:
        host = self._store_host
        return Draft(
            topic=_TOPIC,
            queue_id=0,
            flag=0,
            sys_flag=0 if len(host) == HOST_V4_SIZE else sysflag.BORN_HOST_V6,
            born_time_ms=int(self._now() * 1000),
            born_host=host,
            body=body.encode(),
            properties=_PROPERTIES,
            tags_code=_TAGS_CODE,
        )

    def _commit(self, half: int, operation: int) -> None:
        """Commit the offsets of both queues."""
        try:
            self._offsets.commit(GROUP, TRANS_HALF_TOPIC, 0, half)
            self._offsets.commit(GROUP, TRANS_OP_HALF_TOPIC, 0, operation)
        except TooManyOffsets as error:
            self._log.error("offsets of transactions: {why}", why=str(error))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
