"""
RocketMQ on Twisted.

================  ==========================================================
``model``         values: messages, queues, topics, groups, routes
``wire``          the codec: bytes to values and back; no I/O
``filter``        matches messages with subscriptions
``tls``           settings, certificates and contexts of TLS
``remoting``      requests and responses over a connection
``auth``          signatures, accounts, users and policies; no I/O
``access``        access control that brokers and name servers have in common
``store``         the commit log, the consume queues and their files
``namesrv``       the name server
``broker``        the broker
``client``        producers and consumers
``admin``         inspects and changes a cluster
``console``       a web page about a cluster
``aio``           the client for programs of asyncio
``clock``         monotonic time, and the time of day
``testing``       a whole cluster in memory, for tests
================  ==========================================================

``from rocketmq_tw import Client, Message`` is all that most programs need. Names are
imported on first use, so importing the package itself is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_tw.lazy_exports import importer_of

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient as AdminClient
    from rocketmq_tw.auth.credentials import Credentials as Credentials
    from rocketmq_tw.client.client import Client as Client
    from rocketmq_tw.client.consumer.dispatch.outcomes import ACK as ACK
    from rocketmq_tw.client.consumer.dispatch.outcomes import DEAD_LETTER as DEAD_LETTER
    from rocketmq_tw.client.consumer.dispatch.outcomes import Retry as Retry
    from rocketmq_tw.client.consumer.expressions import Sql as Sql
    from rocketmq_tw.client.consumer.expressions import Tags as Tags
    from rocketmq_tw.client.consumer.offsets.start import EARLIEST as EARLIEST
    from rocketmq_tw.client.consumer.offsets.start import LATEST as LATEST
    from rocketmq_tw.client.transactions.verdict import COMMIT as COMMIT
    from rocketmq_tw.client.transactions.verdict import ROLLBACK as ROLLBACK
    from rocketmq_tw.client.transactions.verdict import UNKNOWN as UNKNOWN
    from rocketmq_tw.model.errors import RocketMQError as RocketMQError
    from rocketmq_tw.model.message import Message as Message
    from rocketmq_tw.model.message import StoredMessage as StoredMessage
    from rocketmq_tw.model.queue import MessageQueue as MessageQueue
    from rocketmq_tw.tls.settings import Tls as Tls

#: Where each public name is defined; a test compares this with the imports above.
_HOMES = {
    "AdminClient": "rocketmq_tw.admin.client",
    "Client": "rocketmq_tw.client.client",
    "ACK": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "DEAD_LETTER": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "Retry": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "EARLIEST": "rocketmq_tw.client.consumer.offsets.start",
    "LATEST": "rocketmq_tw.client.consumer.offsets.start",
    "Sql": "rocketmq_tw.client.consumer.expressions",
    "Tags": "rocketmq_tw.client.consumer.expressions",
    "COMMIT": "rocketmq_tw.client.transactions.verdict",
    "ROLLBACK": "rocketmq_tw.client.transactions.verdict",
    "UNKNOWN": "rocketmq_tw.client.transactions.verdict",
    "RocketMQError": "rocketmq_tw.model.errors",
    "Message": "rocketmq_tw.model.message",
    "StoredMessage": "rocketmq_tw.model.message",
    "MessageQueue": "rocketmq_tw.model.queue",
    "Tls": "rocketmq_tw.tls.settings",
    "Credentials": "rocketmq_tw.auth.credentials",
}

__all__ = [
    "ACK",
    "AdminClient",
    "COMMIT",
    "Client",
    "Credentials",
    "DEAD_LETTER",
    "EARLIEST",
    "LATEST",
    "Message",
    "MessageQueue",
    "ROLLBACK",
    "Retry",
    "RocketMQError",
    "StoredMessage",
    "Sql",
    "Tags",
    "Tls",
    "UNKNOWN",
]


if not TYPE_CHECKING:  # otherwise any name would pass the type checker
    __getattr__ = importer_of(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names, including those not imported yet."""
    return sorted([*globals(), *__all__])
