"""
Delay levels: messages that are delivered some time after they were sent.

A message with ``DELAY`` = n goes to the topic ``SCHEDULE_TOPIC_XXXX``, queue n - 1, its own
topic and queue kept as properties. The tags code of its consume queue entry is the time at
which it is due, so one glance at a queue's next entry tells whether anything is to be done.

Source: ``ScheduleMessageService`` and ``HookUtils.handleScheduleMessage`` of RocketMQ 5.
"""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.broker.redraft import redraft
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.message import DELAY, REAL_QUEUE_ID, REAL_TOPIC, TAGS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire import fastjson, properties
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.record import Draft

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOPIC = SCHEDULE_TOPIC.encode()


def parse_levels(text: str) -> tuple[int, ...]:
    """
    Read ``1s 5s 1m 2h``.

    :returns: the delay of each level in ms, level 1 first.
    :raises ValueError: a piece is not a number and one of s, m, h, d.
    """
    levels = []
    for piece in text.split():
        number, unit = piece[:-1], piece[-1:]
        if not number.isdigit() or unit not in _SECONDS:
            raise ValueError(f'"{piece}" is no delay: expected a number and s, m, h or d')
        levels.append(int(number) * _SECONDS[unit] * 1000)
    return tuple(levels)


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
        """
        asked = properties.find(text, DELAY)
        level = int(asked) if asked and asked.lstrip("-").isdigit() else 0
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
            properties=properties.encode(kept).encode(),
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
        self._saved: dict[int, int] = {}
        self._version = DataVersion()
        self._tick = LoopingCall(self._deliver_all)
        self._tick.clock = clock

    def load(self) -> None:
        """Read how far each level was delivered; what the queues lost is skipped."""
        document = self._file.load()
        if isinstance(document, dict):
            table = document.get("offsetTable") or {}
            self._offsets = {int(level): int(at) for level, at in table.items()}
            version = document.get("dataVersion")
            if isinstance(version, dict):
                self._version = msgspec.convert(version, DataVersion, strict=False)
        for level in range(1, len(self._levels.levels_ms) + 1):
            first = self._store.min_offset(SCHEDULE_TOPIC, level - 1)
            last = self._store.max_offset(SCHEDULE_TOPIC, level - 1)
            at = self._offsets.get(level, first)
            self._offsets[level] = max(first, min(at, last))

    def start(self) -> None:
        """Begin to deliver."""
        self._tick.start(0.1, now=False).addErrback(
            lambda f: self._log.failure("delayed delivery stopped", f)
        )

    def stop(self) -> None:
        """Deliver no more, and keep how far it went."""
        if self._tick.running:
            self._tick.stop()
        self.save()

    def save(self) -> None:
        """Write how far each level was delivered, if that has changed."""
        if self._offsets == self._saved:
            return
        self._version = self._version.next(int(self._clock.seconds() * 1000))
        document = {
            "dataVersion": msgspec.to_builtins(self._version),
            "offsetTable": {str(k): v for k, v in sorted(self._offsets.items())},
        }
        self._file.save(fastjson.dumps(document))
        self._saved = dict(self._offsets)

    def document(self) -> bytes:
        """Give the table as slaves ask for it."""
        table = {str(k): v for k, v in sorted(self._offsets.items())}
        return fastjson.dumps(
            {"dataVersion": msgspec.to_builtins(self._version), "offsetTable": table}
        )

    def _deliver_all(self) -> None:
        """Deliver of each level what is due; one that fails is tried again."""
        now = self._clock.seconds()
        for level, at in self._offsets.items():
            if self._store.max_offset(SCHEDULE_TOPIC, level - 1) <= at:
                continue
            try:
                self._offsets[level] = self._deliver(level, at, now)
            except Exception:
                self._log.failure("delay level {level}", level=level)

    def _deliver(self, level: int, at: int, now: float) -> int:
        """Deliver the first messages of a level that are due; give the next offset."""
        latest = int(now * 1000) + self._levels.levels_ms[level - 1]
        due_until = int(now * 1000)
        waiting = False

        def due(code: int) -> bool:
            """Stop at the first that is not due; one far ahead met a clock that jumped."""
            nonlocal waiting
            waiting = waiting or due_until < code <= latest
            return not waiting

        fetched = self._store.get(
            SCHEDULE_TOPIC, level - 1, at, self._batch, 1 << 20, due
        )
        if not fetched.count:
            return at if waiting else max(at, fetched.next_offset)
        position, data = 0, fetched.data
        while position < len(data):
            size = int.from_bytes(data[position : position + 4], "big")
            self._store.put(_original(data[position : position + size]), now)
            position += size
        return at + fetched.count


def _original(record: bytes) -> Draft:
    """Draft the message that was put aside, addressed as its sender meant it."""
    draft, kept = redraft(record)
    draft.topic = kept.get(REAL_TOPIC, SCHEDULE_TOPIC).encode()
    draft.queue_id = int(kept.get(REAL_QUEUE_ID, 0))
    draft.tags_code = tags_code(kept.get(TAGS))
    return draft
