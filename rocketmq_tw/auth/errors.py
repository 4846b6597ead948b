"""Errors of access control. None of them contains a secret."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class AccessDenied(RocketMQError):
    """A request is refused; the text is what its sender reads."""


class BadPolicy(RocketMQError):
    """A user, a rule or an account cannot be used; the text says why."""


class TooMany(BadPolicy):
    """A table of access control has its limit."""

    def __init__(self, what: str, setting: str, limit: int) -> None:
        super().__init__(what, setting, limit)
        self.what = what
        self.setting = setting
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"there are no more {self.what}; {self.setting} ({self.limit}) is reached"
        )
