"""
Sends the traces of one producer or consumer, some in a message, on the side.

What is traced never waits for its trace: records beyond a limit, and those that cannot
be sent, are dropped and counted. They are sent twenty together, or after five seconds.

Source: ``AsyncTraceDispatcher`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.trace import TracedMessage

#: Records that wait or are in flight, at most.
MAX_RECORDS = 2048
#: Records that are sent together, and the seconds after which fewer are.
TOGETHER, PERIOD = 20, 5.0
#: Bytes of the records in one message, and characters of its keys.
MAX_SIZE, MAX_KEYS = 128_000, 8_000

#: A record, with the keys under which it is found.
Entry = tuple[str, tuple[str, ...]]


class TraceSender(Protocol):
    """Sends the messages of traces; a producer does."""

    def send(self, message: Message) -> Deferred[Any]:
        """Send a message."""

    def startService(self) -> None:
        """Start."""

    def stopService(self) -> Deferred[None]:
        """Send what is in flight, and stop."""


class TraceDispatcher:
    """
    Sends records.

    :param topic: where to.
    :param make_sender: makes what sends them; called when there is something to send.
    :ivar dropped: how many records were dropped.
    """

    _log = Logger()

    def __init__(
        self, topic: str, make_sender: Callable[[], TraceSender], clock: IReactorTime
    ) -> None:
        self.topic = topic
        self._make_sender = make_sender
        self._sender: TraceSender | None = None
        self._clock = clock
        #: The records with the keys of each, by the topic of what is traced.
        self._waiting: dict[str, list[Entry]] = {}
        #: How many wait, and how many are in flight.
        self._count = 0
        self._in_flight = 0
        self._timer: IDelayedCall | None = None
        self._complained = False
        self._is_stopped = False
        self.dropped = 0

    def add(self, topic: str, records: Iterable[tuple[TracedMessage, str]]) -> None:
        """
        Send records, soon.

        :param topic: of the messages that are traced.
        """
        for message, record in records:
            if self._is_stopped:
                self._drop(1, "they came after the stop")
                continue
            if self._count + self._in_flight >= MAX_RECORDS:
                self._drop(1, f"{MAX_RECORDS} wait")
                continue
            entry = (record, message.index_keys())
            self._waiting.setdefault(topic, []).append(entry)
            self._count += 1
        if self._count >= TOGETHER:
            self.flush()
        elif self._count and self._timer is None:
            self._timer = self._clock.callLater(PERIOD, self.flush)

    def flush(self) -> None:
        """Send all records that wait."""
        if self._timer is not None:
            if self._timer.active():
                self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, {}
        self._count = 0
        if not waiting:
            return
        if self._sender is None:
            self._sender = self._make_sender()
            self._sender.startService()
        for records in waiting.values():
            for part in _parts(records):
                self._send(self._sender, part)

    def stop(self) -> Deferred[None]:
        """Send what waits; fires when it is sent, or cannot be. Never fails."""
        self._is_stopped = True
        self.flush()
        return succeed(None) if self._sender is None else self._sender.stopService()

    def _send(self, sender: TraceSender, records: list[Entry]) -> None:
        """Send records in one message."""
        body = "".join(record for record, _ in records).encode("utf-8", "replace")
        keys = dict.fromkeys(key for _, several in records for key in several)
        self._in_flight += len(records)
        sent = sender.send(Message(self.topic, body, keys=_fitting(keys)))

        def failed(failure: Any) -> None:
            self._drop(len(records), failure.getErrorMessage())

        def done(_result: Any) -> None:
            self._in_flight -= len(records)

        sent.addErrback(failed).addCallback(done)

    def _drop(self, count: int, why: str) -> None:
        """Count records that are lost; the first time, log why."""
        self.dropped += count
        if not self._complained:
            self._complained = True
            self._log.warn(
                "traces for {topic} are dropped, these and perhaps others: {why}",
                topic=self.topic,
                why=why,
            )


def _parts(
    records: list[Entry],
) -> Iterator[list[Entry]]:
    """Split records where a message would be too large, or its keys too long."""
    part: list[Entry] = []
    size = length = 0
    for record, keys in records:
        more, longer = len(record.encode()), sum(map(len, keys)) + len(keys)
        is_over = size + more > MAX_SIZE or length + longer > MAX_KEYS
        if part and (is_over or len(part) == TOGETHER):
            yield part
            part, size, length = [], 0, 0
        part.append((record, keys))
        size, length = size + more, length + longer
    if part:
        yield part


def _fitting(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the keys that fit a message, the ids of messages among the first."""
    found: list[str] = []
    length = 0
    for key in keys:
        length += len(key) + 1
        if length > MAX_KEYS:
            break
        found.append(key)
    return tuple(found)
