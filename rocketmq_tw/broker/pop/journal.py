"""
Writes the revive log, and reads it at the start.

A check point is written before the response to its pop is sent, and an acknowledgement
before its response; both wait for the disk and the slaves where sends do. So the log
alone says what is in flight (:mod:`rocketmq_tw.broker.pop.in_flight`), a slave has it
too, and a broker of Apache RocketMQ that opens the folder goes on with it. There is no
other file: the committed offsets of the group ``CID_RMQ_SYS_REVIVE_GROUP`` say up to
where each queue of the log is done, as in Apache RocketMQ (the last one that is done,
not the next).

Apache RocketMQ writes the same records, but into the queue of its timer, which puts
them into the log when they are due. Here they are in the log at once, and
``TIMER_DELIVER_MS`` is when they were written: its reader takes the latest of them for
the time up to which it knows all acknowledgements.

Source: ``PopMessageProcessor.buildCkMsg`` and ``AckMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.pop.in_flight import InFlight, Popped
from rocketmq_tw.broker.queue_replay import read_queue
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import TAGS, TIMER_DELIVER_MS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.interfaces import Appended, Fetched, IMessageStore
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.bodies.revive import (
    ACK,
    BATCH_ACK,
    CHECK_POINT,
    AckRecord,
    CheckPoint,
)
from rocketmq_tw.wire.record import Draft, decode_all

if TYPE_CHECKING:
    from rocketmq_tw.broker.pop.meter import PopMeter

#: The group whose offsets say up to where the log is done.
REVIVE_GROUP = "CID_RMQ_SYS_REVIVE_GROUP"
#: Bytes that are read at a time.
_SLICE = 256 << 10
#: Records that are read at a time.
_RECORDS = 64
#: A check point is written again once so many records are behind it.
FAR_BEHIND = 100_000
#: What the meter counts.
CHECK_POINTS, ACKNOWLEDGEMENTS = "CK", "ACK"
#: How many are written again in one step.
_AT_ONCE = 100

_CODES = {tag: tags_code(tag) for tag in (CHECK_POINT, ACK, BATCH_ACK)}


class ReviveLog:
    """
    The revive log of a broker, and what is in flight according to it.

    :param topic: its name.
    :param queues: how many queues it has.
    :param now: returns the time of day, in seconds since the epoch.
    :ivar queues: that number.
    :ivar meter: counts records; None for nothing.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        topic: str,
        queues: int,
        store: IMessageStore,
        offsets: ConsumerOffsets,
        in_flight: InFlight,
        broker_name: str,
        store_host: bytes,
        now: Callable[[], float],
    ) -> None:
        self._topic = topic
        self._raw_topic = topic.encode()
        self.queues = queues
        self._store = store
        self._offsets = offsets
        self.in_flight = in_flight
        self._broker_name = broker_name
        self._store_host = store_host
        self._now = now
        self._turns = count()
        #: Whether records may not be on disk.
        self._is_unflushed = False
        self.meter: PopMeter | None = None
        #: What :meth:`commit` found the last time, by queue.
        self._done: dict[int, int] = {}

    def next_queue(self) -> int:
        """Return the queue of the log for the next pop; they take turns."""
        return next(self._turns) % self.queues

    def begin(self, popped: Popped) -> Appended:
        """
        Write a check point, and let its messages be in flight.

        :raises StoreError: it is not written, and nothing is in flight.
        """
        appended = self._put(CHECK_POINT, popped.revive_queue, self._record(popped))
        popped.position = appended.queue_offset
        self.in_flight.add(popped)
        if self.meter is not None:
            self.meter.written(popped, CHECK_POINTS)
        return appended

    def acknowledge(self, popped: Popped, offsets: Sequence[int]) -> Appended:
        """
        Write that messages need not be handed out again, and let that be so.

        :param offsets: of messages that are in flight under this check point.
        :raises StoreError: it is not written, and they are in flight still.
        """
        record = AckRecord(
            offset=offsets[0] if len(offsets) == 1 else -1,
            broker_name=self._broker_name,
            group=popped.group,
            pop_time_ms=popped.pop_time_ms,
            queue_id=popped.queue_id,
            start_offset=popped.start_offset,
            topic=popped.topic,
            **({} if len(offsets) == 1 else {"offsets": list(offsets)}),
        )
        tag = ACK if len(offsets) == 1 else BATCH_ACK
        appended = self._put(tag, popped.revive_queue, record.encode())
        done = self.in_flight.acknowledge(popped.key, offsets)
        if self.meter is not None:
            self._count(popped, len(done))
        return appended

    def _count(self, popped: Popped, done: int) -> None:
        """Count acknowledgements, and the end of a check point."""
        assert self.meter is not None
        self.meter.written(popped, ACKNOWLEDGEMENTS, done)
        self.meter.done(popped, ACKNOWLEDGEMENTS, done)
        if popped.key not in self.in_flight:
            self.meter.done(popped, CHECK_POINTS)

    def replay(self) -> Steps[None]:
        """
        Read the log at the start: let be in flight what was before.

        A group's offset is behind what it popped if the broker was killed before it
        was written; it is set then, so nothing is handed out twice.
        """
        found = self._store.queues().get(self._topic, [])
        for queue in found:
            yield from self._replay_queue(queue)
        self.queues = max(1, self.queues)
        if len(self.in_flight):
            self._log.info(
                "{count} pops have messages that are not acknowledged",
                count=len(self.in_flight),
            )

    def _replay_queue(self, queue: int) -> Steps[None]:
        """Read one queue of the log, from the first record that is not done."""
        done = self._offsets.query(REVIVE_GROUP, self._topic, queue)
        at = self._store.min_offset(self._topic, queue)
        at = max(at, 0 if done is None else done + 1)
        yield from read_queue(
            self._store,
            self._topic,
            queue,
            at,
            lambda fetched: self._apply(queue, fetched),
            count=_RECORDS,
            size=_SLICE,
        )

    def _apply(self, queue: int, fetched: Fetched) -> None:
        """Apply some records of the log; what is malformed is left out."""
        for message in decode_all(fetched.data):
            tag = message.properties.get(TAGS)
            try:
                if tag == CHECK_POINT:
                    record = CheckPoint.decode(message.body)
                    popped = self.in_flight.apply_check_point(
                        record, queue, message.queue_offset
                    )
                    if popped is not None:
                        self._pass(popped)
                elif tag in (ACK, BATCH_ACK):
                    self.in_flight.apply_ack(AckRecord.decode(message.body))
            except (RocketMQError, ValueError) as error:
                self._log.error(
                    "record {at} of queue {queue} of the revive log is left out: {why}",
                    at=message.queue_offset,
                    queue=queue,
                    why=str(error),
                )

    def _pass(self, popped: Popped) -> None:
        """Set the group's offset behind what it popped."""
        end = popped.offsets[-1] + 1
        known = self._offsets.query(popped.group, popped.topic, popped.queue_id)
        is_there = end <= self._store.max_offset(popped.topic, popped.queue_id)
        if is_there and (known is None or known < end):
            self._offsets.commit(popped.group, popped.topic, popped.queue_id, end)

    def commit(self) -> None:
        """
        Commit up to where the log is done, as it was at the last call.

        The table of offsets is written in steps, in any order. If an offset of the log
        were in it but not that of the pop, the pop's messages would be handed out again
        after a crash; half a minute later the pop's offset is in it.
        """
        for queue, done in self._done.items():
            if done >= 0:
                self._offsets.commit(REVIVE_GROUP, self._topic, queue, done)
        self._done = {queue: self._last_done(queue) for queue in range(self.queues)}

    def commit_now(self) -> None:
        """Commit up to where the log is done, at the stop: nothing is popped then."""
        self.commit()
        self.commit()

    def when_on_disk(self) -> Deferred[None] | None:
        """
        Return a Deferred that fires when all records are on disk; None if they are.

        What a pop hands out is lost to its group if the group's offset is on disk and
        the check point is not: after a power cut it would come from neither. So the
        table of offsets is written after that.
        """
        if not self._is_unflushed:
            return None
        self._is_unflushed = False
        flushed: Deferred[None] = self._store.flush()
        return flushed.addErrback(self._not_flushed)

    def _not_flushed(self, failure: Failure) -> Failure:
        """Flush again before the next write."""
        self._is_unflushed = True
        return failure

    def _last_done(self, queue: int) -> int:
        """Return the position of the last record that is done; -1 if none is."""
        first = self.in_flight.first_position(queue)
        if first is None:
            first = self._store.max_offset(self._topic, queue)
        return first - 1

    def write_old_again(self) -> Steps[None]:
        """Write check points again that are far behind, so that a start is quick."""
        far = max(FAR_BEHIND, 4 * len(self.in_flight))
        for queue in range(self.queues):
            limit = self._store.max_offset(self._topic, queue) - far
            while limit > 0:
                old = self.in_flight.before(queue, limit, _AT_ONCE)
                for popped in old:
                    self._write_again(popped)
                if not old:
                    break
                yield None

    def _write_again(self, popped: Popped) -> None:
        """Write a check point again, with what is done of it."""
        appended = self._put(CHECK_POINT, popped.revive_queue, self._record(popped))
        self.in_flight.move(popped, appended.queue_offset)
        pending = set(popped.unacknowledged())
        done = [each for each in popped.offsets if each not in pending]
        if done:
            self.acknowledge(popped, done)

    def _record(self, popped: Popped) -> bytes:
        """Encode a check point."""
        start, offsets = popped.start_offset, popped.offsets
        return CheckPoint(
            broker_name=self._broker_name,
            group=popped.group,
            differences=[each - start for each in offsets],
            invisible_ms=popped.invisible_ms,
            count=len(offsets),
            pop_time_ms=popped.pop_time_ms,
            queue_id=popped.queue_id,
            revive_time_ms=popped.visible_at_ms,
            start_offset=start,
            suspend=popped.suspend,
            topic=popped.topic,
        ).encode()

    def _put(self, tag: str, queue: int, body: bytes) -> Appended:
        """Store a record of the log."""
        now = self._now()
        now_ms = int(now * 1000)
        kept = {TAGS: tag, TIMER_DELIVER_MS: str(now_ms)}
        draft = Draft(
            topic=self._raw_topic,
            queue_id=queue,
            flag=0,
            sys_flag=0,
            born_time_ms=now_ms,
            born_host=self._store_host,
            body=body,
            properties=properties.encode(kept).encode(),
            tags_code=_CODES[tag],
        )
        self._is_unflushed = True
        return self._store.put(draft, now)
