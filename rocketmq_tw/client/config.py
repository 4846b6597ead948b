"""The settings that all producers and consumers of one client share."""

from __future__ import annotations

import msgspec


class ClientConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    Periods and limits, in seconds. The defaults are Java's where it has them.

    :ivar poll_interval: between two refreshes of the routes in use.
    :ivar heartbeat_interval: between two heartbeats to every broker.
    :ivar call_timeout: for a request to a name server or broker that has no other.
    :ivar connect_timeout: for one connection.
    :ivar idle_timeout: a connection without a byte in either direction is closed then.
    :ivar stop_grace: how long ``stop`` waits for messages in flight, and for handlers.
    :ivar unregister_timeout: how long leaving a group may take.
    """

    poll_interval: float = 30.0
    heartbeat_interval: float = 30.0
    call_timeout: float = 3.0
    connect_timeout: float = 3.0
    idle_timeout: float = 120.0
    stop_grace: float = 10.0
    unregister_timeout: float = 1.0
