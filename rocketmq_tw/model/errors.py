"""The root of all errors, and the errors of illegal names."""

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
