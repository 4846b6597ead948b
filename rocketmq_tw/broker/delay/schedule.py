"""
Delivers delayed messages when they are due.

Each level is a queue of the schedule topic (:mod:`rocketmq_tw.broker.delay.levels`),
read from the offset up to which it was delivered. Messages of a level are delivered in
order. Levels are independent: one that fails does not stop the others.

The service sleeps until the first message of a level is due, or a second
(:mod:`rocketmq_tw.broker.delay.passes`).

Source: ``ScheduleMessageService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.delay.level import ClockWatch, Level
from rocketmq_tw.broker.delay.levels import DelayLevels
from rocketmq_tw.broker.delay.offsets import DelayOffsets
from rocketmq_tw.broker.delay.passes import Passes
from rocketmq_tw.broker.redelivery import copy_for_redelivery
from rocketmq_tw.clock import wall_time
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import IllegalName, RocketMQError
from rocketmq_tw.model.message import REAL_QUEUE_ID, REAL_TOPIC, TAGS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.files.slices import Stopped, in_slices
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.record import Draft, MalformedRecord
from rocketmq_tw.wire.record_layout import QUEUE_OFFSET, SIZE

#: Stores a message: takes a draft, and the time in seconds since the epoch.
Put = Callable[[Draft, float], object]
#: Seconds until the first pass, and until another one while a level is read from disk.
BUSY = 0.1
#: Seconds between two passes while more messages are due than one pass delivers.
BEHIND = 0.01
#: Seconds until a level that failed is retried.
BACKOFF = 10.0
#: Bytes that are read from a level at a time, at most.
_SLICE = 1 << 20
#: Milliseconds; added to a sum of two times so that it is not just below a due time.
_ROUNDING = 0.001
#: Errors of the store for messages that it will never accept.
_NEVER = (IllegalName, PropertiesTooLong, RecordTooLong, TopicTooLong)


class ScheduleService:
    """
    Delivers messages when they are due, in order within each level.

    :param file: ``delayOffset.json``, the delivered offset of each level.
    :param batch: how many messages of a level are read at a time.
    :param put: stores a message that is due, or returns a Deferred that fires once that
        is done; None uses the store.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        levels: DelayLevels,
        store: IMessageStore,
        file: JsonFile,
        clock: IReactorTime,
        batch: int = 32,
        put: Put | None = None,
    ) -> None:
        self._delays_ms = levels.levels_ms
        self._store = store
        self._put = put
        self._document = DelayOffsets(file)
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._watch = ClockWatch(clock)
        self._batch = batch
        self._levels: list[Level] = []
        self._passes = Passes(clock, self._deliver_all)
        levels.before = self._look_at_clock

    def load(self) -> None:
        """
        Read the delivered offsets, and correct those outside their queues.

        :raises DamagedDocument: neither the file nor its backup is such a table.
        """
        stored = self._document.load()
        self._levels = []
        for number, delay_ms in enumerate(self._delays_ms, 1):
            first = self._store.min_offset(SCHEDULE_TOPIC, number - 1)
            last = self._store.max_offset(SCHEDULE_TOPIC, number - 1)
            offset = max(first, min(stored.get(number, first), last))
            self._levels.append(Level(number, delay_ms, offset, end=last))

    @property
    def is_running(self) -> bool:
        """Whether messages are delivered."""
        return self._passes.running

    def resume(self) -> None:
        """Start at the offsets that are known."""
        self._bound()
        self.start()

    def _bound(self) -> None:
        """Correct the offsets that are outside their queues."""
        for level in self._levels:
            first = self._store.min_offset(SCHEDULE_TOPIC, level.queue_id)
            level.end = self._store.max_offset(SCHEDULE_TOPIC, level.queue_id)
            level.next_offset = max(first, min(level.next_offset, level.end))

    def start(self) -> None:
        """Start checking the levels, first in a tenth of a second."""
        self._passes.start(BUSY)

    def stop(self) -> Deferred[None]:
        """Stop delivery and save the offsets; fires when they are written."""
        if not self._passes.running:
            return succeed(None)
        self._passes.stop()
        return self.save()

    def save(self) -> Deferred[None]:
        """
        Write the delivered offsets if they have changed.

        The store is flushed first, in any flush mode: otherwise a power cut could lose
        a delivered message from both topics.
        """
        offsets = self._offsets()
        if offsets == self._document.saved:
            return succeed(None)
        document = self._document.next_document(offsets, self._wall_time())
        flushed = self._store.flush()
        flushed.addCallback(lambda _: self._document.save(document, offsets))
        return flushed.addErrback(
            lambda f: self._log.error(
                "delayOffset.json was not saved: {why}", why=f.getErrorMessage()
            )
        )

    def adopt(self, offsets: Mapping[int, int], version: DataVersion | None) -> None:
        """
        Have the delivered offsets of a slave's master; the slave delivers nothing.

        They may be behind the ends of the slave's queues. Levels that the slave does
        not have are ignored.
        """
        for level in self._levels:
            level.next_offset = offsets.get(level.number, level.next_offset)
        self._document.adopt(self._offsets(), version)

    def take_back(
        self, offsets: Mapping[int, int], version: DataVersion | None
    ) -> None:
        """
        Take over the offsets of a slave that has delivered for this master.

        If the version is no newer, only those are taken that are ahead.
        """
        is_newer = version is not None and self._document.version.is_older_than(version)
        for level in self._levels:
            known = level.next_offset
            offset = offsets.get(level.number, known)
            level.next_offset = offset if is_newer else max(known, offset)
        self._bound()

    def document(self) -> bytes:
        """Encode the offsets as in the file and in the response to slaves."""
        return self._document.document(self._offsets())

    def _offsets(self) -> dict[int, int]:
        return {level.number: level.next_offset for level in self._levels}

    def _deliver_all(self) -> Deferred[None]:
        """Deliver the due messages of every level, each in its own iteration."""
        levels = self._deliver_levels()
        done = in_slices(levels, self._clock, lambda: self._passes.running)
        return done.addErrback(_ignore_stop)

    def _deliver_levels(self) -> Iterator[None]:
        """
        Deliver the due messages of every level; a level that fails is retried later.

        A step is a level with messages: up to 32, or one of 4 MiB.
        """
        self._note_ends(self._watch.look())
        now, wall_time = self._clock.seconds(), self._wall_time()
        for level in self._levels:
            if level.end <= level.next_offset:
                continue
            if level.retry_at > now or level.is_reading:
                self._passes.need(BUSY if level.is_reading else level.retry_at - now)
                continue
            try:
                self._deliver(level, wall_time)
            except Exception as error:
                self._back_off(level, error)
            yield

    def _look_at_clock(self) -> None:
        """Tell what was stored before the time of day was set from what comes now."""
        shift_ms = self._watch.look()
        if shift_ms:
            self._note_ends(shift_ms)

    def _note_ends(self, shift_ms: int) -> None:
        """Record where the levels end now, after the time of day was set."""
        for level in self._levels:
            end = self._store.max_offset(SCHEDULE_TOPIC, level.queue_id)
            level.note_end(end, shift_ms)

    def _deliver(self, level: Level, now: float) -> None:
        """Deliver the next due messages of a level."""
        start, count = level.next_offset, level.count(self._batch)
        due_until = level.now_ms(int(now * 1000 + _ROUNDING))
        latest = due_until + level.delay_ms
        next_due: int | None = None

        def due(code: int) -> bool:
            """
            Stop at the first that is not due. One due later than the whole delay from
            now was stored before the clock was set back, and counts as due.
            """
            nonlocal next_due
            if next_due is None and due_until < code <= latest:
                next_due = code
            return next_due is None

        def deliver(fetched: Fetched) -> None:
            if fetched.count:
                self._deliver_each(level, fetched.data, now)
            elif next_due is None:
                level.next_offset = max(start, fetched.next_offset)
            if next_due is not None:
                self._passes.need((next_due - due_until) / 1000)
            elif level.next_offset < level.end:
                self._passes.need(BEHIND if level.next_offset > start else BUSY)

        fetched = self._store.get(
            SCHEDULE_TOPIC, level.queue_id, start, count, _SLICE, due
        )
        if isinstance(fetched, Deferred):
            self._deliver_when_read(level, fetched, deliver)
        else:
            deliver(fetched)

    def _deliver_when_read(
        self,
        level: Level,
        fetched: Deferred[Fetched],
        deliver: Callable[[Fetched], None],
    ) -> None:
        """Deliver after a read from disk; until then the level is not read again."""

        def on_success(fetched: Fetched) -> None:
            level.is_reading = False
            if self._passes.running:
                deliver(fetched)

        def on_failure(failure: Failure) -> None:
            level.is_reading = False
            assert isinstance(failure.value, Exception)
            self._back_off(level, failure.value)

        level.is_reading = True
        self._passes.need(BUSY)
        fetched.addCallback(on_success).addErrback(on_failure)

    def _deliver_each(
        self, level: Level, data: bytes, now: float, position: int = 0
    ) -> None:
        """Deliver the messages of a level, one record after another."""
        while position < len(data):
            size = int.from_bytes(data[position : position + SIZE.stop], "big")
            record = data[position : position + size]
            position += size
            stored = self._deliver_one(level, record, now)
            if isinstance(stored, Deferred):
                self._go_on_when_stored(level, record, stored, data, now, position)
                return
            _advance(level, record)

    def _go_on_when_stored(
        self,
        level: Level,
        record: bytes,
        stored: Deferred[Any],
        data: bytes,
        now: float,
        position: int,
    ) -> None:
        """Deliver the following messages of a level once a message is stored."""

        def on_success(_: object) -> None:
            _advance(level, record)
            level.is_reading = False
            if self._passes.running:
                self._deliver_each(level, data, now, position)

        def on_failure(failure: Failure) -> None:
            level.is_reading = False
            assert isinstance(failure.value, Exception)
            self._back_off(level, failure.value)

        level.is_reading = True
        stored.addCallback(on_success).addErrback(on_failure)

    def _deliver_one(self, level: Level, record: bytes, now: float) -> object:
        """
        Store one message in its own topic.

        A message that can never be stored there would block its level for ever. It is
        skipped and stays in its queue of the schedule topic.

        :returns: a Deferred if it is not stored yet.
        """
        try:
            put: Put = self._put or self._store.put
            return put(_addressed(record), now)
        except (MalformedRecord, ValueError, *_NEVER) as error:
            self._log.error(
                "a message of delay level {number} cannot be delivered: {why}",
                number=level.number,
                why=str(error),
            )
            return None

    def _back_off(self, level: Level, error: Exception) -> None:
        """Suspend a level that failed, and log the reason."""
        level.retry_at = self._clock.seconds() + BACKOFF
        if isinstance(error, RocketMQError):
            self._log.error(
                "delay level {number} is tried again in {backoff} s: {why}",
                number=level.number,
                backoff=BACKOFF,
                why=str(error),
            )
        else:
            self._log.failure(
                "delay level {number} is tried again in {backoff} s",
                Failure(error),
                number=level.number,
                backoff=BACKOFF,
            )


def _advance(level: Level, record: bytes) -> None:
    """Pass a message: after each, so that a later failure delivers none twice."""
    queue_offset = int.from_bytes(record[QUEUE_OFFSET], "big")
    level.next_offset = max(level.next_offset, queue_offset + 1)


def _ignore_stop(failure: Failure) -> None:
    """The service was stopped between two levels."""
    failure.trap(Stopped)


def _addressed(record: bytes) -> Draft:
    """
    Return a draft for the topic and queue that the sender chose.

    :raises ValueError: its properties do not name them.
    """
    copy = copy_for_redelivery(record)
    kept, draft = copy.properties, copy.draft
    topic = kept.get(REAL_TOPIC, "")
    if not topic or topic == SCHEDULE_TOPIC:
        raise ValueError(f'its {REAL_TOPIC} is "{topic}"')
    draft.topic = topic.encode()
    draft.queue_id = int(kept.get(REAL_QUEUE_ID, ""))
    draft.tags_code = tags_code(kept.get(TAGS))
    return draft
