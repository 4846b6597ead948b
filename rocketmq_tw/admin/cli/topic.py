"""``rocketmq-admin topic``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rocketmq_tw.admin.cli.invocation import (
    Invocation,
    confirming,
    noun_of,
    pairs,
    verb,
    watching,
)
from rocketmq_tw.admin.cli.output import Output, changed
from rocketmq_tw.admin.results.clients import ClientSummary
from rocketmq_tw.admin.results.topics import (
    Changed,
    TopicDetails,
    TopicStats,
    TopicSummary,
)

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient

noun = noun_of("topic", "Topics: list, show, create, change, delete.")

_permission = click.option(
    "--permission", type=click.Choice(["rw", "r", "w", "-"]), help="Who may use it."
)
_attribute = click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="An attribute; without a value it is removed.",
)


@verb(noun, "list")
@click.option("-a", "--all", "with_system", is_flag=True, help="Also system topics.")
@click.option("--names", is_flag=True, help="Only names, from the name server alone.")
@watching
def list_(
    ask: Invocation,
    with_system: bool,
    names: bool,
    watch: float | None,
    times: int | None,
) -> None:
    """List the topics."""

    def draw(found: tuple[TopicSummary, ...], output: Output) -> None:
        if names:
            for each in found:
                output.block(each.name)
            return
        output.table(
            ["topic", "kind", "type", "queues", "permission", "brokers"],
            [
                [t.name, t.kind, t.type, t.queues, t.permission, t.brokers]
                for t in found
            ],
        )

    ask.show(
        lambda admin: admin.topics.list(with_system, with_settings=not names),
        draw,
        watch=watch,
        times=times,
    )


@verb(noun, "show")
@click.argument("topic")
def show(ask: Invocation, topic: str) -> None:
    """Show the route of a topic, and its settings at each broker."""

    def draw(found: TopicDetails, output: Output) -> None:
        output.fields(
            [
                ("topic", found.name),
                ("kind", found.kind),
                ("type", found.type),
                ("order", found.order_configuration),
            ]
        )
        output.line()
        output.table(
            ["broker", "read queues", "write queues", "permission", "ordered", "more"],
            [
                [
                    s.broker,
                    s.read_queues,
                    s.write_queues,
                    s.permission,
                    s.ordered,
                    [f"{name}={value}" for name, value in s.attributes.items()],
                ]
                for s in found.settings
            ],
        )
        output.line()
        output.table(
            ["cluster", "broker", "id", "address in the route"],
            [[b.cluster, b.name, str(b.id), b.address] for b in found.route],
        )

    ask.show(lambda admin: admin.topics.get(topic), draw)


@verb(noun, "stats")
@click.argument("topic")
@watching
def stats(ask: Invocation, topic: str, watch: float | None, times: int | None) -> None:
    """Show the offsets of the queues of a topic."""

    def draw(found: TopicStats, output: Output) -> None:
        output.table(
            ["broker", "queue", "min", "max", "messages", "last message"],
            [
                [q.broker, str(q.queue_id), q.min, q.max, q.max - q.min, q.last_update]
                for q in found.queues
            ],
        )
        known = " known" if found.failed else ""
        output.line(
            f"{found.messages:,} messages{known}, {found.put_rate:.2f} stored per s"
        )

    ask.show(lambda admin: admin.topics.stats(topic), draw, watch=watch, times=times)


@verb(noun, "create")
@click.argument("topic")
@click.option(
    "--queues", type=click.IntRange(1, 65535), default=8, help="At each broker [8]."
)
@_permission
@click.option("--ordered", is_flag=True, help="Its order is global.")
@click.option("--type", "kind", default="NORMAL", help="NORMAL, FIFO, DELAY...")
@_attribute
@click.option("--cluster", help="Only in this cluster.")
@click.option("--broker", "brokers", multiple=True, help="Only at this broker.")
def create(
    ask: Invocation,
    topic: str,
    queues: int,
    permission: str | None,
    ordered: bool,
    kind: str,
    attributes: tuple[str, ...],
    cluster: str | None,
    brokers: tuple[str, ...],
) -> None:
    """Create a topic."""
    given = pairs(attributes, "attribute")
    ask.show(
        lambda admin: admin.topics.create(
            topic,
            queues=queues,
            permission=permission or "rw",
            ordered=ordered,
            type=kind.upper(),
            attributes=given,
            cluster=cluster,
            brokers=brokers or None,
        ),
        changed("created at"),
    )


@verb(noun, "update")
@click.argument("topic")
@click.option("--queues", type=click.IntRange(1, 65535), help="To read and write.")
@click.option("--read-queues", type=click.IntRange(0, 65535))
@click.option("--write-queues", type=click.IntRange(0, 65535))
@_permission
@click.option("--ordered/--not-ordered", default=None, help="Its order is global.")
@_attribute
@confirming
def update(
    ask: Invocation,
    topic: str,
    queues: int | None,
    read_queues: int | None,
    write_queues: int | None,
    permission: str | None,
    ordered: bool | None,
    attributes: tuple[str, ...],
    yes: bool,
) -> None:
    """Change a topic at all brokers that have it; the rest stays as it is."""
    from rocketmq_tw.admin.topic_changes import TopicSettings

    settings = TopicSettings(
        queues=queues,
        read_queues=read_queues,
        write_queues=write_queues,
        permission=permission,
        ordered=ordered,
        attributes=pairs(attributes, "attribute"),
    )
    if settings == TopicSettings():
        raise click.UsageError("nothing to change is named")

    async def apply(admin: AdminClient) -> Changed:
        unread = await admin.topics.unread(topic, settings)
        if unread:
            where = ", ".join(f"{each} at {name}" for name, each in unread.items())
            ask.confirm(
                f"Nobody will read the last queues of {topic!r} any more ({where}),"
                " whatever is in them. Change it?",
                yes,
            )
        return await admin.topics.update(topic, settings)

    ask.show(apply, changed("changed at"))


@verb(noun, "delete")
@click.argument("topic")
@confirming
def delete(ask: Invocation, topic: str, yes: bool) -> None:
    """Delete a topic with all its messages."""
    ask.confirm(f"Delete the topic {topic!r} with all its messages?", yes)
    ask.show(lambda admin: admin.topics.delete(topic), changed("deleted at"))


@verb(noun, "groups")
@click.argument("topic")
def groups(ask: Invocation, topic: str) -> None:
    """List the groups that read a topic, or have read it."""

    def draw(found: tuple[str, ...], output: Output) -> None:
        for name in found:
            output.block(name)

    ask.show(lambda admin: admin.topics.groups(topic), draw)


@verb(noun, "producers")
@click.argument("topic")
@click.argument("group")
def producers(ask: Invocation, topic: str, group: str) -> None:
    """List the connected producers of a group."""

    def draw(found: tuple[ClientSummary, ...], output: Output) -> None:
        output.table(
            ["client", "address", "language", "version", "brokers"],
            [[c.client_id, c.address, c.language, c.version, c.brokers] for c in found],
        )

    ask.show(lambda admin: admin.topics.producers(topic, group), draw)
