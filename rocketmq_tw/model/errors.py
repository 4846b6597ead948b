"""The root of all errors, and the errors of illegal names and routes."""

from __future__ import annotations

from rocketmq_tw.model.log_safe import log_safe


class RocketMQError(Exception):
    """The base class of all errors that this package raises on purpose."""

    #: Whether the same call may succeed if it is retried, perhaps at another broker.
    retryable: bool = False


class IllegalName(RocketMQError):
    """The {kind} "{name}" is not allowed: {why}."""

    kind = "name"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name = name
        self.why = why

    def __str__(self) -> str:
        return f'the {self.kind} "{log_safe(self.name)}" is not allowed: {self.why}'


class IllegalTopic(IllegalName):
    """A topic's name is too long or contains an illegal character."""

    kind = "topic"


class IllegalGroup(IllegalName):
    """A group's name is too long or contains an illegal character."""

    kind = "group"


class TooManyQueues(RocketMQError):
    """A route says that a topic has more queues than any topic has."""

    def __init__(self, topic: str, count: int, limit: int) -> None:
        super().__init__(topic, count, limit)
        self.topic = topic
        self.count = count
        self.limit = limit

    def __str__(self) -> str:
        return (
            f'the route of the topic "{log_safe(self.topic)}" has {self.count} queues;'
            f" at most {self.limit} are used"
        )
