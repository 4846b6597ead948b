"""
Heartbeats: the groups of a client, and their subscriptions.

Accepts the variants of Go, which sends null for empty sets and hash codes as text.

Source: ``HeartbeatData``, ``ProducerData``, ``ConsumerData``,
``CheckClientRequestBody``.
"""

from __future__ import annotations

from rocketmq_tw.model.group import ConsumeFrom, ConsumeType, MessageModel
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.body import Body, camel_but


class ProducerData(Body, frozen=True):
    """One producer group of a client."""

    group_name: str


class ConsumerData(Body, frozen=True):
    """One consumer group of a client, with all its subscriptions."""

    group_name: str
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    consume_from_where: ConsumeFrom | None = None
    subscription_data_set: tuple[Subscription, ...] = ()
    unit_mode: bool = False


class HeartbeatData(Body, frozen=True, rename=camel_but(client_id="clientID")):
    """
    The body of HEART_BEAT (34). The name is ``clientID`` here, ``clientId`` in other
    bodies.
    """

    client_id: str
    producer_data_set: tuple[ProducerData, ...] = ()
    consumer_data_set: tuple[ConsumerData, ...] = ()
    #: Not 0 in version 2 heartbeats, which may omit the subscriptions (5.x).
    heartbeat_fingerprint: int = 0
    without_sub: bool = False


class CheckClientRequestBody(Body, frozen=True):
    """
    The body of CHECK_CLIENT_CONFIG (46): asks whether this subscription is allowed.
    """

    client_id: str | None = None
    group: str | None = None
    subscription_data: Subscription | None = None
    namespace: str | None = None
