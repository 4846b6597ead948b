"""The connected consumers of a group, put together from what brokers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rocketmq_tw.admin.results.groups import Member, SubscriptionOf
from rocketmq_tw.admin.texts import version_name
from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.model.subscription import TAG, Subscription
from rocketmq_tw.wire.bodies.consumers import Connection, ConsumerConnection

_MODES = {
    ConsumeType.CONSUME_ACTIVELY: "pull",
    ConsumeType.CONSUME_PASSIVELY: "push",
    ConsumeType.CONSUME_POP: "pop",
}


def members_of(brokers: Mapping[str, ConsumerConnection]) -> tuple[Member, ...]:
    """
    Return each client once, sorted by client id.

    :param brokers: what each broker says, by name.
    """
    seen: dict[str, tuple[Connection, ConsumerConnection]] = {}
    where: dict[str, tuple[str, ...]] = {}
    conflicts: set[str] = set()
    for broker, group in brokers.items():
        conflicts |= set(group.subscription_conflicts or ())
        for connection in group.connection_set:
            client = connection.client_id or ""
            seen.setdefault(client, (connection, group))
            where[client] = (*where.get(client, ()), broker)
    return tuple(
        _member(connection, group, where[client], client in conflicts)
        for client, (connection, group) in sorted(seen.items())
    )


def _member(
    connection: Connection,
    group: ConsumerConnection,
    brokers: tuple[str, ...],
    conflicts: bool,
) -> Member:
    """Return one client."""
    kind, model = group.consume_type, group.message_model
    return Member(
        client_id=connection.client_id or "",
        address=connection.client_addr or "",
        language=connection.language or "",
        version=version_name(connection.version),
        mode=_MODES.get(kind, "") if kind else "",
        model=model.lower() if model else "",
        subscriptions=subscriptions_of(group.subscription_table.values()),
        conflicts=conflicts,
        brokers=brokers,
    )


def subscriptions_of(
    subscriptions: Iterable[Subscription],
) -> tuple[SubscriptionOf, ...]:
    """Return subscriptions, sorted by topic."""
    found = [
        SubscriptionOf(each.topic, each.sub_string, each.expression_type or TAG)
        for each in subscriptions
    ]
    return tuple(sorted(found, key=lambda each: each.topic))
