"""
Chooses the queue of a message.

Messages without a key use the queues in turn; brokers that were slow or failed recently
are avoided if there are others. A key always selects the same queue, as long as the
topic's queues do not change.

Source: ``TopicPublishInfo`` and ``SelectMessageQueueByHash`` of RocketMQ 5;
``go:producer/selector.go``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Sequence

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.faults import Faults
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import java_hash

Key = str | int
#: Called with the queues, the message and the caller's key; returns one of the queues.
Selector = Callable[[Sequence[MessageQueue], Message, Key | None], MessageQueue]
#: A selector bound to its message and key: chooses one of the topic's queues.
Choice = Callable[[Sequence[MessageQueue]], MessageQueue]

#: Topics whose next queue is kept; beyond that all start again.
MAX_TOPICS = 4096


def by_java_hash(
    queues: Sequence[MessageQueue], message: Message, key: Key | None
) -> MessageQueue:
    """
    Choose like Java's ``SelectMessageQueueByHash`` for a String, Integer or Long.

    Java's ``%`` truncates towards zero, and the sign is dropped afterwards.
    """
    code = java_hash(key) if isinstance(key, str) else _java_hash_of_number(key or 0)
    return queues[abs(code) % len(queues)]


def by_go_fnv(
    queues: Sequence[MessageQueue], message: Message, key: Key | None
) -> MessageQueue:
    """Choose like the Go client's hash selector: FNV-1a of 32 bits."""
    code = 0x811C9DC5
    for byte in str(key or "").encode():
        code = (code ^ byte) * 0x01000193 & 0xFFFFFFFF
    return queues[code % len(queues)]


def _java_hash_of_number(number: int) -> int:
    """Return the hash of an Integer, or of a Long if it is out of range."""
    if -(1 << 31) <= number < 1 << 31:
        return number
    folded = (number ^ (number >> 32)) & 0xFFFFFFFF
    return folded - (1 << 32) if folded & 0x80000000 else folded


def choice_of(
    message: Message,
    queue: MessageQueue | None,
    key: Key | None,
    selector: Selector | None,
) -> Choice | None:
    """
    Return the function that chooses the queue of a message; None for any queue.

    :raises ValidationError: the queue is of another topic, or a key is given as well.
    """
    if queue is not None:
        if key is not None or selector is not None:
            raise ValidationError("a queue is given, and a key or selector as well")
        if queue.topic != message.topic:
            raise ValidationError(f'{queue} is not of the topic "{message.topic}"')
        chosen = queue
        return lambda _queues: chosen
    if key is None and selector is None:
        return None
    choose = selector or by_java_hash
    return lambda queues: choose(queues, message, key)


class RoundRobin:
    """Uses a topic's queues in turn, starting at a random one."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._counters: dict[str, int] = {}

    def choose(
        self, queues: Sequence[MessageQueue], failed: Container[str] = ()
    ) -> MessageQueue:
        """
        Choose the next queue.

        :param queues: the queues of one topic, at least one.
        :param failed: names of brokers to avoid if there is another.
        """
        topic = queues[0].topic
        count = self._counters.get(topic)
        if count is None:
            if len(self._counters) >= MAX_TOPICS:
                self._counters.clear()
            count = random.randrange(1 << 31)
        self._counters[topic] = count = count + 1
        if not failed and not self._faults:
            return queues[count % len(queues)]
        others = [q for q in queues if q.broker_name not in failed] or queues
        is_healthy = self._faults.is_healthy
        healthy = [q for q in others if is_healthy(q.broker_name)] or others
        return healthy[count % len(healthy)]
