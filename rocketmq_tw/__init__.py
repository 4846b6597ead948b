"""
RocketMQ on Twisted.

================  ==========================================================
``model``         the nouns: messages, queues, topics, groups, routes
``wire``          bytes to values and back; no I/O
``filter``        which messages a subscription wants
``remoting``      requests and answers over a connection
``store``         the commit log, the consume queues and their files
``namesrv``       the name server
``broker``        the broker
``client``        producers and consumers
================  ==========================================================

``from rocketmq_tw import Client, Message`` is all that most programs need; the names
are looked up when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rocketmq_tw.client import (
        ACK as ACK,
    )
    from rocketmq_tw.client import (
        DEAD_LETTER as DEAD_LETTER,
    )
    from rocketmq_tw.client import (
        EARLIEST as EARLIEST,
    )
    from rocketmq_tw.client import (
        LATEST as LATEST,
    )
    from rocketmq_tw.client import (
        Client as Client,
    )
    from rocketmq_tw.client import (
        Retry as Retry,
    )
    from rocketmq_tw.client import (
        Tags as Tags,
    )
    from rocketmq_tw.model.message import Message as Message
    from rocketmq_tw.model.queue import MessageQueue as MessageQueue

_HOMES = {
    "Message": "rocketmq_tw.model.message",
    "MessageQueue": "rocketmq_tw.model.queue",
    "RocketMQError": "rocketmq_tw.model.errors",
    **{
        name: "rocketmq_tw.client"
        for name in (
            "Client",
            "Tags",
            "Retry",
            "ACK",
            "DEAD_LETTER",
            "EARLIEST",
            "LATEST",
        )
    },
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Find a public name in the module that defines it (PEP 562)."""
    from importlib import import_module

    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)
