"""The settings shared by all producers and consumers of one client."""

from __future__ import annotations

import msgspec

#: The defaults of ``max_body_size`` and ``max_inflated_size``.
MAX_BODY = 16 << 20
MAX_INFLATED = 64 << 20


class ClientConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    Periods and limits, in seconds. Where Java has the setting, the default is the same.

    :ivar offset_directory: where broadcasting consumers keep their offsets; None:
        ``~/.rocketmq_offsets``, as Java does.
    :ivar poll_interval: time between two refreshes of the routes in use.
    :ivar heartbeat_interval: time between two heartbeats to every broker.
    :ivar call_timeout: default timeout of a request to a name server or broker.
    :ivar connect_timeout: timeout of one attempt to connect.
    :ivar idle_timeout: a connection without a byte in either direction is closed.
    :ivar stop_grace: how long ``stop`` waits for messages in flight, and for handlers.
    :ivar unregister_timeout: timeout of leaving a group.
    :ivar max_body_size: bytes that a compressed body of a message may have when it is
        inflated; reading a larger one fails. The largest that brokers can be set to.
    :ivar max_outstanding_requests: how many requests may wait for replies.
    :ivar max_inflated_size: bytes of inflated bodies that are kept for the messages of
        one pull; others are inflated each time they are read.
    """

    offset_directory: str | None = None
    poll_interval: float = 30.0
    heartbeat_interval: float = 30.0
    call_timeout: float = 3.0
    connect_timeout: float = 3.0
    idle_timeout: float = 120.0
    stop_grace: float = 10.0
    unregister_timeout: float = 1.0
    max_outstanding_requests: int = 10_000
    max_body_size: int = MAX_BODY
    max_inflated_size: int = MAX_INFLATED
