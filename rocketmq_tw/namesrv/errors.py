"""Why a broker is not registered."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class RegistrationRefused(RocketMQError):
    """
    An unknown broker registered a single topic.

    If it were accepted, its version would count for the whole table, and the broker,
    which first asks whether its version is known, would never send the other topics.
    """

    def __str__(self) -> str:
        return "register broker failed"


class TableFull(RocketMQError):
    """A registration would exceed the limit of topics or brokers."""

    def __init__(self, setting: str, limit: int) -> None:
        super().__init__(setting, limit)
        self.setting = setting
        self.limit = limit

    def __str__(self) -> str:
        return f"the broker is not registered; {self.setting} ({self.limit}) is reached"
