"""The connected consumers of a group, put together from what brokers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rocketmq_tw.admin.results.groups import Member, SubscriptionOf
from rocketmq_tw.admin.tables import decode_list
from rocketmq_tw.admin.texts import version_name
from rocketmq_tw.model.group import ConsumeType
from rocketmq_tw.model.subscription import TAG, Subscription
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.wire.bodies.consumers import Connection, ConsumerConnection

#: Members that are put together in one step, of some 1 ms.
_AT_A_STRETCH = 400
_MODES = {
    ConsumeType.CONSUME_ACTIVELY: "pull",
    ConsumeType.CONSUME_PASSIVELY: "push",
    ConsumeType.CONSUME_POP: "pop",
}


def decode_members(body: bytes) -> Steps[ConsumerConnection]:
    """Decode what a broker says of the members of a group."""
    return decode_list(body, "connectionSet", Connection, ConsumerConnection)


def members_in_steps(
    brokers: Mapping[str, ConsumerConnection],
) -> Steps[tuple[Member, ...]]:
    """
    Return each client once, sorted by client id.

    :param brokers: what each broker says, by name.
    """
    seen: dict[str, tuple[Connection, ConsumerConnection]] = {}
    where: dict[str, tuple[str, ...]] = {}
    conflicts: set[str] = set()
    for broker, group in brokers.items():
        conflicts |= set(group.subscription_conflicts or ())
        for some in parts_of(group.connection_set, _AT_A_STRETCH):
            for connection in some:
                client = connection.client_id or ""
                seen.setdefault(client, (connection, group))
                where[client] = (*where.get(client, ()), broker)
            yield None
    # The same for all members of a group at a broker.
    subscribed = {
        id(group): subscriptions_of(group.subscription_table.values())
        for group in brokers.values()
    }
    found: list[Member] = []
    for clients in parts_of(sorted(seen), _AT_A_STRETCH):
        for client in clients:
            connection, group = seen[client]
            member = _member(
                connection,
                group,
                subscriptions=subscribed[id(group)],
                brokers=where[client],
                conflicts=client in conflicts,
            )
            found.append(member)
        yield None
    return tuple(found)


def _member(
    connection: Connection,
    group: ConsumerConnection,
    *,
    subscriptions: tuple[SubscriptionOf, ...],
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
        subscriptions=subscriptions,
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
