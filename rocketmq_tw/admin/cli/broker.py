"""``rocketmq-admin broker``."""

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
from rocketmq_tw.admin.cli.settings import (
    chosen_settings,
    chosen_statistics,
    draw_settings,
)
from rocketmq_tw.admin.results.brokers import Replication, Settings, Statistics
from rocketmq_tw.admin.results.cluster import BrokerAddress

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient

noun = noun_of("broker", "Brokers: settings, statistics, replication.")


@verb(noun, "list")
@watching
def list_(ask: Invocation, watch: float | None, times: int | None) -> None:
    """List the registered brokers, without asking them anything."""

    def draw(found: tuple[BrokerAddress, ...], output: Output) -> None:
        output.table(
            ["cluster", "broker", "id", "address"],
            [[b.cluster, b.name, str(b.id), b.address] for b in found],
        )

    ask.show(lambda admin: admin.cluster.brokers(), draw, watch=watch, times=times)


@verb(noun, "config")
@click.argument("broker")
@click.argument("keys", nargs=-1)
def config(ask: Invocation, broker: str, keys: tuple[str, ...]) -> None:
    """Show the settings of BROKER (a name or an address), all or some KEYS."""

    async def read(admin: AdminClient) -> Settings:
        return chosen_settings(await admin.brokers.config(broker), keys)

    ask.show(read, draw_settings)


@verb(noun, "set")
@click.argument("broker")
@click.argument("settings", nargs=-1, required=True)
@confirming
def set_(ask: Invocation, broker: str, settings: tuple[str, ...], yes: bool) -> None:
    """Change settings (NAME=VALUE) of a broker while it runs."""
    values = pairs(settings, "setting")
    ask.confirm(f"Change {', '.join(values)} of the broker {broker!r}?", yes)
    ask.show(
        lambda admin: admin.brokers.set_config(broker, values), changed("changed at")
    )


@verb(noun, "stats")
@click.argument("broker")
@click.argument("keys", nargs=-1)
@watching
def stats(
    ask: Invocation,
    broker: str,
    keys: tuple[str, ...],
    watch: float | None,
    times: int | None,
) -> None:
    """Show all that a broker says of itself, or some KEYS of it."""

    def draw(found: Statistics, output: Output) -> None:
        output.fields(found.values.items())

    async def read(admin: AdminClient) -> Statistics:
        return chosen_statistics(await admin.brokers.runtime(broker), keys)

    ask.show(read, draw, watch=watch, times=times)


@verb(noun, "replication")
@click.argument("broker")
@watching
def replication(
    ask: Invocation, broker: str, watch: float | None, times: int | None
) -> None:
    """Show how far the slaves of a broker are."""

    def draw(found: Replication, output: Output) -> None:
        output.fields(
            [
                ("broker", found.broker),
                ("address", found.address),
                ("role", "master" if found.is_master else "slave"),
                ("commit log offset", found.offset),
                ("master", found.master),
            ]
        )
        if found.is_master:
            output.line()
            output.table(
                ["slave", "offset", "bytes behind", "in sync", "bytes/s"],
                [
                    [s.address, s.offset, s.behind, s.in_sync, s.rate]
                    for s in found.slaves
                ],
            )

    ask.show(
        lambda admin: admin.brokers.replication(broker), draw, watch=watch, times=times
    )


@verb(noun, "forbid-writes")
@click.argument("broker")
@confirming
def forbid_writes(ask: Invocation, broker: str, yes: bool) -> None:
    """Let clients send no new messages to a broker, before it is stopped."""
    ask.confirm(f"Let nobody send to the broker {broker!r}?", yes)
    ask.show(lambda admin: admin.brokers.forbid_writes(broker), changed("forbidden at"))


@verb(noun, "allow-writes")
@click.argument("broker")
def allow_writes(ask: Invocation, broker: str) -> None:
    """Let clients send to a broker again."""
    ask.show(lambda admin: admin.brokers.allow_writes(broker), changed("allowed at"))
