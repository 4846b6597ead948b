"""
Which queue a message goes to.

Messages without a key take the queues in turn; brokers that were slow or failed just
now are passed over while there are others. A key always gives the same queue, as long
as the topic's queues stay the same.

Source: ``MQFaultStrategy``, ``LatencyFaultToleranceImpl``, ``TopicPublishInfo`` and
``SelectMessageQueueByHash`` of RocketMQ 5; ``go:producer/selector.go``.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import java_hash

Key = str | int
#: Called with the queues, the message and the caller's key; gives one of the queues.
Selector = Callable[[Sequence[MessageQueue], Message, Key | None], MessageQueue]

#: Latencies in seconds, and for how many seconds a broker is then passed over.
_LATENCIES = (0.55, 1.8, 3.0, 5.0, 15.0)
_AVOIDED = (0.0, 2.0, 5.0, 6.0, 10.0, 30.0)
#: For how many seconds a broker is passed over that could not be reached or refused.
ISOLATION = 10.0
_MAX_TURNS = 4096


def by_java_hash(
    queues: Sequence[MessageQueue], message: Message, key: Key | None
) -> MessageQueue:
    """
    Choose as Java's ``SelectMessageQueueByHash`` does for a String, Integer or Long.

    Java's ``%`` truncates towards zero and the sign is dropped afterwards.
    """
    code = java_hash(key) if isinstance(key, str) else _java_hash_of_number(key or 0)
    return queues[abs(code) % len(queues)]


def by_go_fnv(
    queues: Sequence[MessageQueue], message: Message, key: Key | None
) -> MessageQueue:
    """Choose as the Go client's hash selector does: FNV-1a of 32 bits."""
    code = 0x811C9DC5
    for byte in str(key or "").encode():
        code = (code ^ byte) * 0x01000193 & 0xFFFFFFFF
    return queues[code % len(queues)]


def _java_hash_of_number(number: int) -> int:
    """Hash as an Integer if it is one, else as a Long, its halves folded."""
    if -(1 << 31) <= number < 1 << 31:
        return number
    folded = (number ^ (number >> 32)) & 0xFFFFFFFF
    return folded - (1 << 32) if folded & 0x80000000 else folded


class Faults:
    """Which brokers are to be passed over, and until when."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def __bool__(self) -> bool:
        """Whether any broker may have to be passed over."""
        return bool(self._until)

    def succeeded(self, broker_name: str, latency: float) -> None:
        """
        Note that a broker answered.

        :param latency: in seconds, from sending to the answer.
        """
        if latency < _LATENCIES[0]:
            if self._until:
                self._until.pop(broker_name, None)
            return
        avoided = _AVOIDED[bisect_right(_LATENCIES, latency)]
        self._until[broker_name] = self._clock.seconds() + avoided

    def failed(self, broker_name: str) -> None:
        """Note that a broker could not be reached, or refused."""
        self._until[broker_name] = self._clock.seconds() + ISOLATION

    def passes(self, broker_name: str) -> bool:
        """Whether the broker may be chosen."""
        until = self._until.get(broker_name)
        if until is None:
            return True
        if until > self._clock.seconds():
            return False
        del self._until[broker_name]
        return True


class RoundRobin:
    """Takes a topic's queues in turn, from a random one on."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._turns: dict[str, int] = {}

    def choose(
        self, queues: Sequence[MessageQueue], last_broker: str | None = None
    ) -> MessageQueue:
        """
        Choose the next queue.

        :param queues: of one topic, at least one.
        :param last_broker: where the last attempt failed; not again if there is
            another.
        """
        topic = queues[0].topic
        turn = self._turns.get(topic)
        if turn is None:
            if len(self._turns) >= _MAX_TURNS:
                self._turns.clear()
            turn = random.randrange(1 << 31)
        self._turns[topic] = turn = turn + 1
        if last_broker is None and not self._faults:
            return queues[turn % len(queues)]
        others = [q for q in queues if q.broker_name != last_broker] or queues
        sound = [q for q in others if self._faults.passes(q.broker_name)] or others
        return sound[turn % len(sound)]
