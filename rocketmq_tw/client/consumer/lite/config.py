"""The options and the states of a pull consumer."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import msgspec

from rocketmq_tw.client.consumer.group.strategy import Strategy
from rocketmq_tw.client.consumer.offsets.start import LATEST, StartFrom
from rocketmq_tw.client.errors import ValidationError


class PullConsumerOptions(TypedDict, total=False):
    """The fields of :class:`PullConsumerConfig`, for type checkers and completion."""

    auto_commit: bool
    commit_interval: float
    start_from: StartFrom | datetime
    max_cached_bytes: int
    max_cached_messages: int
    pull_batch: int
    strategy: str | Strategy
    revoke_grace: float
    trace: bool | str


class PullConsumerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a pull consumer. Times are in seconds.

    :ivar auto_commit: commit by itself what the application has dealt with: all that a
        poll returned, once it polls again.
    :ivar commit_interval: time between two such commits; at least 1.
    :ivar start_from: where a group starts on a queue that it never read: ``LATEST``,
        ``EARLIEST`` or a time.
    :ivar max_cached_bytes: bytes of messages, as stored, that are kept for later polls;
        each queue may exceed it by one pull.
    :ivar max_cached_messages: likewise, how many messages are kept.
    :ivar pull_batch: messages requested by one pull; brokers return 32 at most.
    :ivar strategy: how queues are allocated; must be the same for all group members.
    :ivar revoke_grace: how long a revoked queue waits until the application has dealt
        with its last messages.
    :ivar trace: whether traces of what polls return are written; a text is their topic.
    """

    auto_commit: bool = True
    commit_interval: float = 5.0
    start_from: StartFrom | datetime = LATEST
    max_cached_bytes: int = 64 << 20
    max_cached_messages: int = 10_000
    pull_batch: int = 32
    strategy: str | Strategy = "AVG"
    revoke_grace: float = 3.0
    trace: bool | str = False

    def __post_init__(self) -> None:
        """
        Check the options.

        :raises ValidationError: one is out of its range.
        """
        for name, low, high in (
            ("commit_interval", 1, 1e9),
            ("max_cached_bytes", 1, 1 << 40),
            ("max_cached_messages", 1, 1 << 30),
            ("pull_batch", 1, 1024),
            ("revoke_grace", 0, 1e9),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValidationError(f"{name} is {value}; expected {low} to {high}")
        if not isinstance(self.start_from, (StartFrom, datetime)):
            raise ValidationError(
                f"start_from is {self.start_from!r};"
                " expected LATEST, EARLIEST or a time"
            )
