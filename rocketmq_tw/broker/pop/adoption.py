"""
Takes over what was in flight at a broker of Apache RocketMQ.

Its check points and acknowledgements wait in the queue of its timer until they are due,
and come into the revive log then. Here no timer puts them there. So the first start on
such a folder reads that queue once, from the oldest record that is there, and writes
check points of its own for what is still in flight. The committed offset of the
revival's group says that this is done.

What the timer has delivered it does not have to wait for: ``timercheck`` begins with
the time up to which it has.

Source: ``TimerMessageStore`` and ``TimerCheckpoint`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.broker.pop.in_flight import InFlight, Popped
from rocketmq_tw.broker.pop.journal import REVIVE_GROUP, ReviveLog
from rocketmq_tw.broker.queue_replay import read_queue
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import REAL_TOPIC, TAGS, TIMER_OUT_MS, StoredMessage
from rocketmq_tw.model.topic import TIMER_TOPIC
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.bodies.revive import (
    ACK,
    BATCH_ACK,
    CHECK_POINT,
    AckRecord,
    CheckPoint,
)
from rocketmq_tw.wire.record import decode_all

#: Records, and bytes, that are read in one step.
_RECORDS, _SLICE = 64, 256 << 10
#: More than anyone has in flight: what was handed out is not dropped.
_NO_LIMIT = 1 << 62


class Adoption:
    """
    Reads the queue of another broker's timer.

    :param topic: the revive log's.
    :param check_file: ``timercheck``.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        topic: str,
        store: IMessageStore,
        offsets: ConsumerOffsets,
        journal: ReviveLog,
        check_file: JsonFile,
    ) -> None:
        self._topic = topic
        self._store = store
        self._offsets = offsets
        self._journal = journal
        self._check_file = check_file
        self._found = InFlight(limit=_NO_LIMIT, limit_per_group=_NO_LIMIT)
        self._position = 0

    def run(self) -> Steps[None]:
        """Take over what is in flight, once the revive log was read."""
        end = self._store.max_offset(TIMER_TOPIC, 0)
        done = self._offsets.query(REVIVE_GROUP, TIMER_TOPIC, 0)
        at = self._store.min_offset(TIMER_TOPIC, 0)
        at = max(at, 0 if done is None else done + 1)
        if at >= end:
            return
        delivered_ms = self._check_file.load_as(_first_number) or 0

        def apply(fetched: Fetched) -> None:
            for message in decode_all(fetched.data):
                if _is_pending(message, self._topic, delivered_ms):
                    self._apply(message)

        yield from read_queue(
            self._store,
            TIMER_TOPIC,
            0,
            at,
            apply,
            count=_RECORDS,
            size=_SLICE,
            end=end,
        )
        yield from self._write()
        self._offsets.commit(REVIVE_GROUP, TIMER_TOPIC, 0, end - 1)

    def _apply(self, message: StoredMessage) -> None:
        """Apply a record to what was found, and to what the revive log has."""
        tag = message.properties.get(TAGS)
        try:
            if tag == CHECK_POINT:
                self._position += 1
                record = CheckPoint.decode(message.body)
                self._found.apply_check_point(record, 0, self._position)
            elif tag in (ACK, BATCH_ACK):
                ack = AckRecord.decode(message.body)
                self._found.apply_ack(ack)
                self._acknowledge(ack)
        except (RocketMQError, ValueError) as error:
            self._log.error(
                "record {at} of the timer's queue is left out: {why}",
                at=message.queue_offset,
                why=str(error),
            )

    def _acknowledge(self, ack: AckRecord) -> None:
        """Acknowledge what the revive log has in flight."""
        in_flight = self._journal.in_flight
        key = (
            ack.topic,
            ack.group,
            ack.queue_id,
            ack.start_offset,
            ack.pop_time_ms,
        )
        popped = in_flight.get(key)
        if popped is None:
            return
        done = [
            each for each in ack.acknowledged() if in_flight.is_in_flight(key, each)
        ]
        if done:
            self._journal.acknowledge(popped, done)

    def _write(self) -> Steps[None]:
        """Write check points of our own."""
        count = 0
        while True:
            some = self._found.before(0, self._position + 1, _RECORDS)
            if not some:
                break
            for popped in some:
                count += 1
                self._adopt(popped)
            yield None
        if count:
            self._log.info(
                "{count} pops of another broker have messages that are not"
                " acknowledged",
                count=count,
            )

    def _adopt(self, found: Popped) -> None:
        """Write one check point, with what is done of it."""
        pending = found.unacknowledged()
        done = [each for each in found.offsets if each not in pending]
        self._found.acknowledge(found.key, pending)
        if found.key in self._journal.in_flight:
            return
        own = Popped(
            topic=found.topic,
            group=found.group,
            queue_id=found.queue_id,
            start_offset=found.start_offset,
            pop_time_ms=found.pop_time_ms,
            invisible_ms=found.invisible_ms,
            offsets=found.offsets,
            revive_queue=self._journal.next_queue(),
            suspend=found.suspend,
            pending=(1 << len(found.offsets)) - 1,
        )
        self._journal.begin(own)
        if done:
            self._journal.acknowledge(own, done)


def _first_number(data: bytes) -> int:
    """Return the first of the numbers in the file."""
    return int.from_bytes(data[:8], "big")


def _is_pending(message: StoredMessage, topic: str, delivered_ms: int) -> bool:
    """Return whether a record is for the revive log, and not yet there."""
    kept = message.properties
    if kept.get(REAL_TOPIC) != topic:
        return False
    due = kept.get(TIMER_OUT_MS, "")
    return not due.isdecimal() or int(due) >= delivered_ms
