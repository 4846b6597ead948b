"""
Producers and consumers.

A :class:`~rocketmq_tw.client.client.Client` holds the connections, the routes and the
heartbeats; producers and consumers are made from it. The names below are looked up when
they are first used: a producer need not load the consumers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rocketmq_tw.client.client import Client as Client
    from rocketmq_tw.client.producer import Producer as Producer
    from rocketmq_tw.client.push_consumer import PushConsumer as PushConsumer
    from rocketmq_tw.client.queue_reader import QueueReader as QueueReader
    from rocketmq_tw.client.results import SendResult as SendResult
    from rocketmq_tw.client.results import SendStatus as SendStatus

_HOMES = {
    "Client": "client",
    "ClientConfig": "config",
    "Producer": "producer",
    "SendResult": "results",
    "SendStatus": "results",
    "PushConsumer": "push_consumer",
    "QueueReader": "queue_reader",
    "PullResult": "pulling",
    "PullStatus": "pulling",
    "ConsumerConfig": "consumer_config",
    "StopReport": "consumer_config",
    "Tags": "subscriptions",
    "EARLIEST": "offsets",
    "LATEST": "offsets",
    **{name: "outcomes" for name in ("ACK", "DEAD_LETTER", "Partial", "Retry")},
    **{
        name: "errors"
        for name in (
            "Attempt",
            "CommitError",
            "GroupInUse",
            "NameServerUnavailable",
            "NoRouteError",
            "NotAssigned",
            "NotDurable",
            "NotRunning",
            "OffsetOutOfRange",
            "QueueFull",
            "SendCancelled",
            "SendError",
            "StateError",
            "ValidationError",
        )
    },
}

__all__ = sorted([*_HOMES, "errors"])


def __getattr__(name: str) -> Any:
    """Find a public name in the module that defines it (PEP 562)."""
    from importlib import import_module

    if name == "errors":
        return import_module("rocketmq_tw.client.errors")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
