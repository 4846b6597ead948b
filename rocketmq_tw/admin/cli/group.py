"""``rocketmq-admin group``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

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
from rocketmq_tw.admin.cli.when import parse_to
from rocketmq_tw.admin.results.groups import (
    GroupDetails,
    GroupLag,
    GroupSummary,
    Member,
    ResetDone,
    ResetPlan,
)

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient
    from rocketmq_tw.admin.group_changes import GroupSettings

noun = noun_of("group", "Consumer groups: how far they have read, members, resets.")


@verb(noun, "list")
@click.option("-a", "--all", "with_system", is_flag=True, help="Also system groups.")
def list_(ask: Invocation, with_system: bool) -> None:
    """List the groups."""

    def draw(found: tuple[GroupSummary, ...], output: Output) -> None:
        output.table(
            ["group", "may consume", "ordered", "retries", "brokers"],
            [
                [g.name, g.may_consume, g.ordered, g.max_retries, g.brokers]
                for g in found
            ],
        )

    ask.show(lambda admin: admin.groups.list(with_system), draw)


@verb(noun, "show")
@click.argument("group")
def show(ask: Invocation, group: str) -> None:
    """Show the settings of a group at each broker, and what it has read."""

    def draw(found: GroupDetails, output: Output) -> None:
        output.fields([("group", found.name), ("topics", found.topics)])
        output.line()
        output.table(
            ["broker", "may consume", "broadcast", "ordered", "retries", "more"],
            [
                [
                    s.broker,
                    s.may_consume,
                    s.may_broadcast,
                    s.ordered,
                    s.max_retries,
                    [f"{name}={value}" for name, value in s.attributes.items()],
                ]
                for s in found.settings
            ],
        )

    ask.show(lambda admin: admin.groups.get(group), draw)


@verb(noun, "lag")
@click.argument("group", required=False)
@click.option("--topic", help="Only in this topic.")
@click.option(
    "--owners/--no-owners",
    default=True,
    help="Ask each member which queues it reads [owners].",
)
@watching
def lag(
    ask: Invocation,
    group: str | None,
    topic: str | None,
    owners: bool,
    watch: float | None,
    times: int | None,
) -> None:
    """Show how far a group has read, queue by queue; without GROUP, all groups."""
    if group is None:
        if topic is not None:
            raise click.UsageError("--topic needs a group")
        ask.show(
            lambda admin: admin.groups.lags(), _draw_lags, watch=watch, times=times
        )
    else:
        ask.show(
            lambda admin: admin.groups.lag(group, topic, owners=owners),
            _draw_lag,
            watch=watch,
            times=times,
        )


def _draw_lag(found: GroupLag, output: Output) -> None:
    output.table(
        [
            "topic",
            "broker",
            "queue",
            "max",
            "committed",
            "lag",
            "in flight",
            "last consumed",
            "owner",
        ],
        [
            [
                q.topic,
                q.broker,
                str(q.queue_id),
                q.max,
                q.committed,
                q.lag,
                q.in_flight,
                q.last_consumed,
                "no response" if q.owner_unknown else q.owner,
            ]
            for q in found.queues
        ],
    )
    output.line(
        f"lag {found.total:,}, {found.rate:.2f} consumed per s,"
        f" {found.members} connected"
    )
    for client_id, why in found.unresponsive.items():
        output.warn(f"{client_id} does not say which queues it reads: {why}")


def _draw_lags(found: object, output: Output) -> None:
    from rocketmq_tw.admin.results.groups import GroupLags

    assert isinstance(found, GroupLags)
    output.table(
        ["group", "lag", "in flight", "consumed/s", "connected"],
        [[g.group, g.total, g.in_flight, g.rate, g.members] for g in found.groups],
    )


@verb(noun, "members")
@click.argument("group")
@watching
def members(
    ask: Invocation, group: str, watch: float | None, times: int | None
) -> None:
    """List the connected consumers of a group, and what it subscribes to."""

    def draw(found: tuple[Member, ...], output: Output) -> None:
        output.table(
            ["client", "address", "language", "version", "mode", "model", "conflicts"],
            [
                [
                    m.client_id,
                    m.address,
                    m.language,
                    m.version,
                    m.mode,
                    m.model,
                    m.conflicts,
                ]
                for m in found
            ],
        )
        if found:
            output.line()
            output.table(
                ["topic", "subscription", "type"],
                [[s.topic, s.expression, s.type] for s in found[0].subscriptions],
            )
        else:
            output.line("nobody is connected")

    ask.show(lambda admin: admin.groups.members(group), draw, watch=watch, times=times)


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the settings of a group; the function gets the settings."""

    @wraps(function)
    def collecting(ask: Invocation, **values: Any) -> None:
        from rocketmq_tw.admin.group_changes import GroupSettings

        attributes = pairs(values.pop("attributes"), "attribute")
        given = {name: values.pop(name) for name in _SETTINGS}
        settings = GroupSettings(attributes=attributes, **given)
        function(ask, settings=settings, **values)

    for option in (
        click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE"),
        click.option("--max-retries", type=click.IntRange(min=-1)),
        click.option("--retry-queues", type=click.IntRange(min=0)),
        click.option("--ordered/--not-ordered", default=None),
        click.option("--broadcast/--no-broadcast", "may_broadcast", default=None),
        click.option("--consume/--no-consume", "may_consume", default=None),
    ):
        collecting = option(collecting)
    return collecting


#: The settings of a group for which there are options, besides its attributes.
_SETTINGS = ("may_consume", "may_broadcast", "ordered", "retry_queues", "max_retries")


@verb(noun, "create")
@click.argument("group")
@click.option("--cluster", help="Only in this cluster.")
@_settings
def create(
    ask: Invocation, group: str, cluster: str | None, settings: GroupSettings
) -> None:
    """Create a group."""
    ask.show(
        lambda admin: admin.groups.create(group, settings, cluster=cluster),
        changed("created at"),
    )


@verb(noun, "update")
@click.argument("group")
@_settings
def update(ask: Invocation, group: str, settings: GroupSettings) -> None:
    """Change a group at all brokers that have it; the rest stays as it is."""
    if settings == type(settings)():
        raise click.UsageError("nothing to change is named")
    ask.show(lambda admin: admin.groups.update(group, settings), changed("changed at"))


@verb(noun, "delete")
@click.argument("group")
@click.option("--while-online", is_flag=True, help="Even if consumers are connected.")
@confirming
def delete(ask: Invocation, group: str, while_online: bool, yes: bool) -> None:
    """Delete a group with its offsets, retries and dead letters."""
    ask.confirm(f"Delete the group {group!r} with its offsets and dead letters?", yes)
    ask.show(
        lambda admin: admin.groups.delete(group, while_online=while_online),
        changed("deleted at"),
    )


@verb(noun, "clone")
@click.argument("source")
@click.argument("target")
@click.option("--topic", help="Only in this topic.")
@confirming
def clone(
    ask: Invocation, source: str, target: str, topic: str | None, yes: bool
) -> None:
    """Let the group TARGET continue where SOURCE is."""
    ask.confirm(f"Replace the offsets of the group {target!r}?", yes)
    ask.show(
        lambda admin: admin.groups.clone(source, target, topic),
        changed("offsets copied in"),
    )


@verb(noun, "reset")
@click.argument("group")
@click.option("--topic", required=True, help="In which topic.")
@click.option(
    "--to",
    required=True,
    metavar="WHERE",
    help="earliest, latest, 2h-ago, 2026-11-28T10:00, or offset:NUMBER.",
)
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@confirming
def reset(
    ask: Invocation, group: str, topic: str, to: str, dry_run: bool, yes: bool
) -> None:
    """Let a group continue elsewhere: read messages again, or skip them."""
    wanted = parse_to(to)
    if dry_run:
        ask.show(
            lambda admin: admin.groups.plan_reset(group, topic, wanted), _draw_plan
        )
        return

    async def apply(admin: AdminClient) -> ResetDone:
        from rocketmq_tw.admin.errors import RefusedByAll

        plan = await admin.groups.plan_reset(group, topic, wanted)
        ask.confirm(
            f"{group!r} will skip {plan.skipped} messages of {topic!r} and read"
            f" {plan.again} again. Reset it?",
            yes,
        )
        done = await admin.groups.reset(plan)
        if done.failed and not done.queues:
            raise RefusedByAll("no queue is reset", done.failed)
        return done

    ask.show(apply, _draw_done)


def _draw_plan(plan: ResetPlan, output: Output) -> None:
    output.table(
        ["broker", "queue", "now", "then", "skipped", "again"],
        [
            [q.broker, str(q.queue_id), q.now, q.target, q.skipped, q.again]
            for q in plan.queues
        ],
    )
    output.line(
        f"{plan.skipped:,} messages skipped, {plan.again:,} read again,"
        f" {plan.online} consumers connected"
    )


def _draw_done(done: ResetDone, output: Output) -> None:
    output.table(
        ["broker", "queue", "before", "now"],
        [[q.broker, str(q.queue_id), q.now, q.target] for q in done.queues],
    )
