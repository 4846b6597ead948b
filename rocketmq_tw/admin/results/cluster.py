"""The state of name servers and brokers."""

from __future__ import annotations

from datetime import datetime

import msgspec


class NameServerStatus(msgspec.Struct, frozen=True):
    """
    One name server.

    :ivar responds: whether it responded.
    :ivar brokers: how many brokers are registered there, slaves included.
    :ivar why: why it did not respond; empty if it did.
    """

    address: str
    responds: bool
    brokers: int = 0
    why: str = ""


class BrokerAddress(msgspec.Struct, frozen=True, order=True):
    """A broker as it is registered; the id 0 is the master of that name."""

    cluster: str
    name: str
    id: int
    address: str


class BrokerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    One broker, master or slave.

    :ivar is_active: False for a slave that waits to act as master.
    :ivar in_rate: messages stored per second, over the last ten seconds.
    :ivar out_rate: messages delivered per second, likewise.
    :ivar in_today: messages stored since midnight.
    :ivar in_yesterday: messages stored the day before; 0 if it did not run then.
    :ivar disk_used: from 0 to 1, of the disk with the commit log.
    :ivar commit_log_min: the first commit log offset that is kept.
    :ivar commit_log_max: the commit log offset behind the last message.
    :ivar dispatch_behind: bytes that are stored and not in the queues yet.
    :ivar timer_behind: seconds that timed messages are delivered late.
    :ivar timer_unread: timed messages that the timer has not looked at yet.
    :ivar timer_waiting: timed messages that wait for their time.
    :ivar send_queue_wait: seconds that the oldest send waits to be handled.
    :ivar is_writable: False if the store takes no messages; None if it does not say.
    :ivar store_failure: why, if it says so.
    """

    cluster: str
    name: str
    id: int
    address: str
    version: str = ""
    is_active: bool = True
    in_rate: float = 0.0
    out_rate: float = 0.0
    in_today: int = 0
    in_yesterday: int = 0
    out_today: int = 0
    out_yesterday: int = 0
    disk_used: float | None = None
    commit_log_min: int = 0
    commit_log_max: int = 0
    dispatch_behind: int = 0
    timer_behind: float = 0.0
    timer_unread: int = 0
    timer_waiting: int = 0
    send_queue_wait: float = 0.0
    earliest_message_time: datetime | None = None
    started: datetime | None = None
    is_writable: bool | None = None
    store_failure: str = ""


class ClusterStatus(msgspec.Struct, frozen=True):
    """The name servers, and the brokers that are registered there."""

    name_servers: tuple[NameServerStatus, ...]
    brokers: tuple[BrokerStatus, ...]
    failed: dict[str, str] = {}


class ClockReading(msgspec.Struct, frozen=True):
    """
    How far the clock of a broker is ahead of that of this host.

    :ivar ahead: seconds; below zero if it is behind.
    :ivar exact_to: the true value may differ by so many seconds.
    """

    broker: str
    address: str
    ahead: float
    exact_to: float


class Clocks(msgspec.Struct, frozen=True):
    """The clocks of all brokers that say what time it is there."""

    clocks: tuple[ClockReading, ...]
    failed: dict[str, str] = {}
