"""What is known of consumer groups."""

from __future__ import annotations

from datetime import datetime

import msgspec


class GroupSummary(msgspec.Struct, frozen=True):
    """
    One group of the list.

    :ivar is_system: one that brokers have for themselves.
    :ivar brokers: the names of the brokers that know it.
    :ivar max_retries: failures after which a message is a dead letter.
    """

    name: str
    is_system: bool
    brokers: tuple[str, ...]
    may_consume: bool = True
    ordered: bool = False
    max_retries: int = 16


class GroupOnBroker(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a group at one broker."""

    broker: str
    address: str
    may_consume: bool
    may_broadcast: bool
    may_consume_from_min: bool
    ordered: bool
    retry_queues: int
    max_retries: int
    consume_timeout_minutes: int
    attributes: dict[str, str] = {}


class GroupDetails(msgspec.Struct, frozen=True):
    """
    One group.

    :ivar topics: those in which it has committed offsets.
    """

    name: str
    settings: tuple[GroupOnBroker, ...]
    topics: tuple[str, ...] = ()
    failed: dict[str, str] = {}


class QueueLag(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a group has read one queue.

    :ivar max: the queue offset that the next message gets.
    :ivar committed: the next queue offset to read.
    :ivar lag: messages that are not consumed.
    :ivar in_flight: those among them that a consumer has fetched.
    :ivar last_consumed: when the last consumed message was stored.
    :ivar owner: the id of the client that reads the queue, if that was asked for and
        it says so; None where all read it, or nobody in particular.
    :ivar owner_unknown: nobody says that it reads the queue, but not all members have
        responded: one of those may.
    """

    topic: str
    broker: str
    queue_id: int
    max: int
    committed: int
    lag: int
    in_flight: int = 0
    last_consumed: datetime | None = None
    owner: str | None = None
    owner_unknown: bool = False


class GroupLag(msgspec.Struct, frozen=True):
    """
    How far a group has read.

    :ivar total: messages that are not consumed, in all queues.
    :ivar rate: messages consumed per second.
    :ivar members: how many clients are connected.
    :ivar unresponsive: members that do not say which queues they read, and why; if
        the owners were asked for.
    """

    group: str
    queues: tuple[QueueLag, ...]
    total: int
    in_flight: int
    rate: float
    members: int
    failed: dict[str, str] = {}
    unresponsive: dict[str, str] = {}


class GroupLags(msgspec.Struct, frozen=True):
    """How far all groups have read; their queues are left out."""

    groups: tuple[GroupLag, ...]
    failed: dict[str, str] = {}


class SubscriptionOf(msgspec.Struct, frozen=True):
    """What a group subscribes to in one topic; the type is ``TAG`` or ``SQL92``."""

    topic: str
    expression: str
    type: str = "TAG"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """
    A connected consumer.

    :ivar mode: ``push``, ``pull`` or ``pop``.
    :ivar model: ``clustering`` or ``broadcasting``.
    :ivar subscriptions: the group's, as brokers know them: the last heartbeat decides.
    :ivar conflicts: whether a broker says that it subscribes otherwise than the group.
    :ivar brokers: the names of the brokers to which it is connected.
    """

    client_id: str
    address: str
    language: str
    version: str
    mode: str
    model: str
    subscriptions: tuple[SubscriptionOf, ...] = ()
    conflicts: bool = False
    brokers: tuple[str, ...] = ()


class QueueReset(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a reset does to one queue.

    :ivar now: the committed offset; None if nothing is committed.
    :ivar target: the offset at which the group continues.
    :ivar skipped: messages that the group will not read.
    :ivar again: messages that it reads again.
    """

    topic: str
    broker: str
    address: str
    queue_id: int
    now: int | None
    target: int
    skipped: int = 0
    again: int = 0


class ResetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a reset would do; pass it to ``groups.reset``."""

    group: str
    topic: str
    to: str
    queues: tuple[QueueReset, ...]
    skipped: int
    again: int
    online: int
    failed: dict[str, str] = {}


class ResetDone(msgspec.Struct, frozen=True):
    """
    What a reset has done.

    :ivar queues: those that were reset.
    :ivar failed: the others, as ``broker-a/3``, and why.
    """

    group: str
    topic: str
    queues: tuple[QueueReset, ...]
    failed: dict[str, str] = {}
