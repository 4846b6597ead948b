"""The root of every error, and what is wrong with a name."""

from __future__ import annotations

from rocketmq_tw.model.log_safe import log_safe


class RocketMQError(Exception):
    """Any error that this package raises on purpose."""

    #: True where the same call may succeed when tried again, perhaps elsewhere.
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
    """A topic's name breaks the rules of length or alphabet."""

    kind = "topic"


class IllegalGroup(IllegalName):
    """A group's name breaks the rules of length or alphabet."""

    kind = "group"
