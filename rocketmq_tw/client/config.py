"""The settings that all producers and consumers of one client share."""

from __future__ import annotations

import msgspec


class ClientConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Periods and limits, in seconds. The defaults are Java's where it has them."""

    #: Between two rounds of asking for the routes in use.
    poll_interval: float = 30.0
    #: Between two heartbeats to every broker.
    heartbeat_interval: float = 30.0
    #: For a request to a name server or broker that names no other limit.
    call_timeout: float = 3.0
    connect_timeout: float = 3.0
    #: A connection without a byte in either direction is closed after this.
    idle_timeout: float = 120.0
    #: How long ``stop`` waits for what is under way.
    stop_grace: float = 10.0
    #: How long leaving a group may take.
    unregister_timeout: float = 1.0
