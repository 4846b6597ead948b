"""
The values of those of a broker's settings that have names.

Source: ``FlushDiskType`` and ``BrokerRole`` of RocketMQ 5.
"""

from __future__ import annotations

from enum import Enum


class FlushDiskType(Enum):
    """When a send is acknowledged: after the write, or after the fsync."""

    ASYNC_FLUSH = "ASYNC_FLUSH"
    SYNC_FLUSH = "SYNC_FLUSH"


class SubscriptionConflict(Enum):
    """What happens to a member that subscribes to something else than its group."""

    #: It is named in the log.
    WARN = "warn"
    #: Its heartbeats are refused, too.
    REJECT = "reject"


class BrokerRole(Enum):
    """The role of a broker among those of its name."""

    #: Acknowledges a message without waiting for slaves.
    ASYNC_MASTER = "ASYNC_MASTER"
    #: Acknowledges a message once ``in_sync_replicas`` brokers have it.
    SYNC_MASTER = "SYNC_MASTER"
    #: Copies its master, and stores nothing else.
    SLAVE = "SLAVE"
