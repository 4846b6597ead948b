"""Errors of administration, besides those of the network and of brokers."""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.errors import IllegalName, RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.subscription import IllegalSubscription


class AdminError(RocketMQError):
    """Something that was asked for cannot be done; the text says why."""


class InvalidArgument(AdminError, ValueError):
    """What was passed to a method can never be right; no server was asked to do it."""


class NotFound(AdminError):
    """
    What is named does not exist.

    :ivar kind: ``topic``, ``group``, ``message``...
    """

    def __init__(self, kind: str, name: str, why: str = "") -> None:
        super().__init__(kind, name, why)
        self.kind = kind
        self.name = name
        self.why = why

    def __str__(self) -> str:
        where = self.why.startswith("in ")
        why = f"{' ' if where else ': '}{self.why}" if self.why else ""
        return f'there is no {self.kind} "{log_safe(self.name)}"{why}'


class AlreadyExists(AdminError):
    """What is to be created exists."""

    def __init__(self, kind: str, name: str, where: str = "") -> None:
        super().__init__(kind, name, where)
        self.kind = kind
        self.name = name
        self.where = where

    def __str__(self) -> str:
        where = f" {self.where}" if self.where else ""
        return f'the {self.kind} "{log_safe(self.name)}" exists already{where}'


class NotTaken(AdminError):
    """A server says that all is done, and has not done all."""


class NothingResponded(AdminError):
    """
    Of all servers that were asked, none responded as it should.

    :ivar failed: why, by address or broker name.
    """

    retryable = True

    def __init__(self, what: str, failed: Mapping[str, str]) -> None:
        super().__init__(what, failed)
        self.what = what
        self.failed = dict(failed)

    def __str__(self) -> str:
        listed = "; ".join(f"{who}: {why}" for who, why in self.failed.items())
        return f"{self.what}: {listed or 'there is no broker to ask'}"


class RefusedByAll(AdminError):
    """
    Every broker that was asked refused.

    :ivar failed: why, by address or broker name.
    """

    def __init__(self, what: str, failed: Mapping[str, str]) -> None:
        super().__init__(what, failed)
        self.what = what
        self.failed = dict(failed)

    def __str__(self) -> str:
        listed = "; ".join(f"{who}: {why}" for who, why in self.failed.items())
        return f"{self.what}: {listed}"


def is_bad_input(error: BaseException) -> bool:
    """
    Whether the caller is to blame, whatever the state of the cluster.

    Besides :exc:`InvalidArgument`: names, messages and subscriptions that are not
    legal, and texts that are not Unicode.
    """
    return isinstance(
        error,
        InvalidArgument
        | IllegalName
        | ValidationError
        | IllegalSubscription
        | UnicodeEncodeError,
    )
