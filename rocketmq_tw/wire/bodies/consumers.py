"""
The connected consumers and producers.

Source: ``GetConsumerListByGroupResponseBody``, ``ConsumerConnection``, ``Connection``,
``ProducerConnection`` and ``ProducerTableInfo`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.model.group import ConsumeFrom, ConsumeType, MessageModel
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.body import Body, camel_but


class ConsumerIdList(Body, frozen=True):
    """The response to GET_CONSUMER_LIST_BY_GROUP (38)."""

    consumer_id_list: tuple[str, ...] = ()


class Connection(Body, frozen=True, gc=False):
    """One client's connection."""

    client_id: str | None = None
    #: ``host:port`` as the broker sees it.
    client_addr: str | None = None
    #: The name of the language, e.g. ``JAVA``.
    language: str | None = None
    version: int = 0


class ConsumerConnection(Body, frozen=True):
    """The response to GET_CONSUMER_CONNECTION_LIST (203)."""

    connection_set: tuple[Connection, ...] = ()
    subscription_table: dict[str, Subscription] = {}
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    consume_from_where: ConsumeFrom | None = None
    #: Ids of clients that subscribe to something else than most; an extension.
    subscription_conflicts: tuple[str, ...] | None = None


class ProducerConnection(Body, frozen=True):
    """The response to GET_PRODUCER_CONNECTION_LIST (204)."""

    connection_set: tuple[Connection, ...] = ()


class ProducerInfo(Body, frozen=True, gc=False, rename=camel_but(remote_ip="remoteIP")):
    """One producer in the table of all producers."""

    client_id: str | None = None
    #: ``host:port``, despite the name.
    remote_ip: str | None = None
    language: str | None = None
    version: int = 0
    #: The last heartbeat, in ms.
    last_update_timestamp: int = 0


class ProducerTableInfo(Body, frozen=True):
    """The response to GET_ALL_PRODUCER_INFO (328): maps group to producers."""

    data: dict[str, tuple[ProducerInfo, ...]] = {}
