"""
Delay levels: messages that are delivered some time after they were sent.

A message with ``DELAY`` = n goes to the topic ``SCHEDULE_TOPIC_XXXX``, queue n - 1, its
own topic and queue kept as properties. The tags code of its consume queue entry is the
time at which it is due, so one glance at a queue's next entry tells whether anything is
to be done.

Source: ``ScheduleMessageService``, ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.redelivery import redraft
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import IllegalName, RocketMQError
from rocketmq_tw.model.message import DELAY, REAL_QUEUE_ID, REAL_TOPIC, TAGS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.store.errors import PropertiesTooLong, RecordTooLong, TopicTooLong
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire import fastjson, properties
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.record import Draft, MalformedRecord
from rocketmq_tw.wire.record_layout import QUEUE_OFFSET

#: Seconds between two looks, while something waits and while nothing does.
BUSY, IDLE = 0.1, 1.0
#: Seconds that a level rests after it failed.
REST = 10.0
#: What the store says to messages that it will never take.
_NEVER = (IllegalName, PropertiesTooLong, RecordTooLong, TopicTooLong)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOPIC = SCHEDULE_TOPIC.encode()


def parse_levels(text: str) -> tuple[int, ...]:
    """
    Read ``1s 5s 1m 2h``.

    :returns: the delay of each level in ms, level 1 first.
    :raises ValueError: a piece is not a number and one of s, m, h, d, or there is none.
    """
    levels = []
    for piece in text.split():
        number, unit = piece[:-1], piece[-1:]
        if not (number.isascii() and number.isdigit() and unit in _SECONDS):
            raise ValueError(f'"{piece}" is no delay: expected a number and s, m, h, d')
        levels.append(int(number) * _SECONDS[unit] * 1000)
    if not levels:
        raise ValueError("there are no delay levels: expected one at least, such as 1s")
    return tuple(levels)


def delay_level(text: str) -> int:
    """
    Read the delay that a message's properties ask for.

    :returns: the level, 0 or less for none; it may be higher than the highest there is.
    :raises BadField: it is not a number.
    """
    asked = properties.find(text, DELAY)
    if asked is None:
        return 0
    digits = asked[1:] if asked[0] in "+-" else asked
    if not digits.isdecimal() or len(digits) > 10:
        raise BadField(f"{DELAY} of the properties", repr(asked)[:80], "a whole number")
    return int(asked)


class DelayLevels:
    """
    Puts messages aside.

    :param levels_ms: the delay of each level, level 1 first.
    """

    def __init__(self, levels_ms: tuple[int, ...]) -> None:
        self.levels_ms = levels_ms

    def put_aside(self, draft: Draft, text: str, now: float) -> Draft:
        """
        Redirect a message that asks for a delay; give it back as it is if it does not.

        :param text: its properties.
        :raises BadField: ``DELAY`` is not a number.
        """
        level = delay_level(text)
        if level <= 0:
            return draft
        level = min(level, len(self.levels_ms))
        kept = properties.decode(text)
        kept[DELAY] = str(level)
        kept[REAL_TOPIC] = draft.topic.decode()
        kept[REAL_QUEUE_ID] = str(draft.queue_id)
        return msgspec.structs.replace(
            draft,
            topic=_TOPIC,
            queue_id=level - 1,
            properties=properties.encode(kept).encode("utf-8", "replace"),
            tags_code=int(now * 1000) + self.levels_ms[level - 1],
        )


class ScheduleService:
    """
    Delivers what is due, ten times a second; order within a level is kept.

    :param file: ``delayOffset.json``: how far each level was delivered.
    """

    _log = Logger()

    def __init__(
        self,
        levels: DelayLevels,
        store: IMessageStore,
        file: JsonFile,
        clock: IReactorTime,
        batch: int = 32,
    ) -> None:
        self._levels = levels
        self._store = store
        self._file = file
        self._clock = clock
        self._batch = batch
        self._offsets: dict[int, int] = {}
        self._resting: dict[int, float] = {}
        self._saved: dict[int, int] = {}
        #: The levels that wait for the disk.
        self._reading: set[int] = set()
        self._version = DataVersion()
        self._tick = LoopingCall(self._deliver_all)
        self._tick.clock = clock

    def load(self) -> None:
        """
        Read how far each level was delivered; what the queues lost is skipped.

        :raises BadField: the file is JSON, but no such table.
        """
        document = self._file.load()
        stored = _Document() if document is None else _document(document)
        self._version = stored.data_version
        for level in range(1, len(self._levels.levels_ms) + 1):
            first = self._store.min_offset(SCHEDULE_TOPIC, level - 1)
            last = self._store.max_offset(SCHEDULE_TOPIC, level - 1)
            at = stored.offset_table.get(level, first)
            self._offsets[level] = max(first, min(at, last))

    def start(self) -> None:
        """Begin to deliver."""
        self._tick.start(BUSY, now=False).addErrback(
            lambda f: self._log.failure("delayed delivery stopped", f)
        )

    def stop(self) -> Deferred[None]:
        """Deliver no more, and keep how far it went; fires when that is written."""
        if self._tick.running:
            self._tick.stop()
        return self.save()

    def save(self) -> Deferred[None]:
        """
        Write how far each level was delivered, if that has changed.

        What was delivered is forced to disk before, be it promised or not: a power cut
        that took it back would else lose it from both topics.
        """
        if self._offsets == self._saved:
            return succeed(None)
        document, offsets = self._next_document(), dict(self._offsets)
        forced = self._store.force()
        forced.addCallback(lambda _: self._write(document, offsets))
        return forced.addErrback(
            lambda f: self._log.error("not saved: {why}", why=f.getErrorMessage())
        )

    def _next_document(self) -> bytes:
        """Give the table under its next version."""
        self._version = self._version.next(int(self._clock.seconds() * 1000))
        return self.document()

    def _write(self, document: bytes, offsets: dict[int, int]) -> None:
        """Write the table."""
        self._file.save(document)
        self._saved = offsets

    def document(self) -> bytes:
        """Give the table as it is written, and as slaves ask for it."""
        table = {str(k): v for k, v in sorted(self._offsets.items())}
        return fastjson.dumps(
            {"dataVersion": msgspec.to_builtins(self._version), "offsetTable": table}
        )

    def _deliver_all(self) -> None:
        """
        Deliver of each level what is due; one that fails is tried again later.

        While nothing waits a look each second will do: no delay is shorter.
        """
        now = self._clock.seconds()
        self._tick.interval = IDLE
        for level, at in self._offsets.items():
            if self._store.max_offset(SCHEDULE_TOPIC, level - 1) <= at:
                continue
            self._tick.interval = BUSY
            if self._resting.get(level, now) > now:
                continue
            if level not in self._reading:
                try:
                    self._deliver(level, now)
                except Exception as error:
                    self._rest(level, error)

    def _deliver(self, level: int, now: float) -> None:
        """Deliver the first messages of a level that are due."""
        at = self._offsets[level]
        latest = int(now * 1000) + self._levels.levels_ms[level - 1]
        due_until = int(now * 1000)
        waiting = False

        def due(code: int) -> bool:
            """Stop at the first not due; one far ahead met a clock that jumped."""
            nonlocal waiting
            waiting = waiting or due_until < code <= latest
            return not waiting

        def deliver(fetched: Fetched) -> None:
            """Deliver what was found."""
            if fetched.count:
                self._deliver_each(level, at, fetched.data, now)
            elif not waiting:
                self._offsets[level] = max(at, fetched.next_offset)

        fetched = self._store.get(
            SCHEDULE_TOPIC, level - 1, at, self._batch, 1 << 20, due
        )
        if isinstance(fetched, Deferred):
            self._deliver_later(level, fetched, deliver)
        else:
            deliver(fetched)

    def _deliver_later(
        self,
        level: int,
        fetched: Deferred[Fetched],
        deliver: Callable[[Fetched], None],
    ) -> None:
        """Wait for the disk; meanwhile nothing else of the level is read."""

        def found(fetched: Fetched) -> None:
            self._reading.discard(level)
            if self._tick.running:
                deliver(fetched)

        def failed(failure: Failure) -> None:
            self._reading.discard(level)
            assert isinstance(failure.value, Exception)
            self._rest(level, failure.value)

        self._reading.add(level)
        fetched.addCallback(found).addErrback(failed)

    def _deliver_each(self, level: int, at: int, data: bytes, now: float) -> None:
        """Deliver the messages of a level that lie from queue offset ``at`` on."""
        position = 0
        while position < len(data):
            size = int.from_bytes(data[position : position + 4], "big")
            record = data[position : position + size]
            self._deliver_one(level, record, now)
            # One by one: it is not delivered again if the next one fails.
            queue_offset = int.from_bytes(record[QUEUE_OFFSET], "big")
            self._offsets[level] = max(at, queue_offset) + 1
            position += size

    def _deliver_one(self, level: int, record: bytes, now: float) -> None:
        """
        Put one message into its own topic.

        One that can never be put there would hold up its level for ever: it is passed
        over, and stays in its queue of the schedule topic.
        """
        try:
            self._store.put(_original(record), now)
        except (MalformedRecord, ValueError, *_NEVER) as error:
            self._log.error(
                "a message of delay level {number} cannot be delivered: {why}",
                number=level,
                why=str(error),
            )

    def _rest(self, level: int, error: Exception) -> None:
        """Let a level rest that failed."""
        self._resting[level] = self._clock.seconds() + REST
        self._complain(level, error)

    def _complain(self, level: int, error: Exception) -> None:
        """Say why a level rests: in a sentence where it was foreseen."""
        if isinstance(error, RocketMQError):
            self._log.error(
                "delay level {number} waits {rest} s: {why}",
                number=level,
                rest=REST,
                why=str(error),
            )
        else:
            failure = Failure(error)
            self._log.failure("delay level {number} waits", failure, number=level)


class _Document(msgspec.Struct, rename="camel"):
    """``delayOffset.json``; the original writes the levels as bare numbers."""

    offset_table: dict[int, int] = {}
    data_version: DataVersion = msgspec.field(default_factory=DataVersion)


def _document(document: object) -> _Document:
    """Read the table. :raises BadField: it is something else."""
    try:
        return msgspec.convert(document, _Document, strict=False, str_keys=True)
    except msgspec.ValidationError as error:
        raise BadField("delayOffset.json", "unreadable", str(error)) from None


def _original(record: bytes) -> Draft:
    """
    Draft the message that was put aside, addressed as its sender meant it.

    :raises ValueError: it does not say what that was.
    """
    draft, kept = redraft(record)
    topic = kept.get(REAL_TOPIC, "")
    if not topic or topic == SCHEDULE_TOPIC:
        raise ValueError(f'its {REAL_TOPIC} is "{topic}"')
    draft.topic = topic.encode()
    draft.queue_id = int(kept.get(REAL_QUEUE_ID, ""))
    draft.tags_code = tags_code(kept.get(TAGS))
    return draft
