"""``rocketmq-admin nameserver``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rocketmq_tw.admin.cli.invocation import (
    Invocation,
    confirming,
    noun_of,
    pairs,
    verb,
)
from rocketmq_tw.admin.cli.output import changed
from rocketmq_tw.admin.cli.settings import chosen_settings, draw_settings

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient
    from rocketmq_tw.admin.results.brokers import Settings
    from rocketmq_tw.admin.results.topics import Changed

noun = noun_of("nameserver", "Name servers: settings and keys.")


@verb(noun, "config")
@click.argument("keys", nargs=-1)
def config(ask: Invocation, keys: tuple[str, ...]) -> None:
    """Show the settings of all name servers, all or some KEYS."""

    async def read(admin: AdminClient) -> Settings:
        return chosen_settings(await admin.name_servers.config(), keys)

    ask.show(read, draw_settings)


@verb(noun, "set")
@click.argument("settings", nargs=-1, required=True)
@confirming
def set_(ask: Invocation, settings: tuple[str, ...], yes: bool) -> None:
    """Change settings (NAME=VALUE) of all name servers while they run."""
    values = pairs(settings, "setting")
    ask.confirm(f"Change {', '.join(values)} of all name servers?", yes)
    ask.show(lambda admin: admin.name_servers.set_config(values), changed("changed at"))


@verb(noun, "keys")
@click.argument("namespace")
def keys(ask: Invocation, namespace: str) -> None:
    """List the keys of a namespace."""
    ask.show(lambda admin: admin.name_servers.keys(namespace), draw_settings)


@verb(noun, "put")
@click.argument("namespace")
@click.argument("key")
@click.argument("value")
def put(ask: Invocation, namespace: str, key: str, value: str) -> None:
    """Set a key at all name servers."""
    ask.show(
        lambda admin: admin.name_servers.put_key(namespace, key, value),
        changed("set at"),
    )


@verb(noun, "delete")
@click.argument("namespace")
@click.argument("key")
@confirming
def delete(ask: Invocation, namespace: str, key: str, yes: bool) -> None:
    """Delete a key at all name servers."""
    ask.confirm(f"Delete the key {key!r} of the namespace {namespace!r}?", yes)

    async def delete_existing(admin: AdminClient) -> Changed:
        from rocketmq_tw.admin.errors import NotFound

        found = await admin.name_servers.keys(namespace)
        if not any(key in values for values in found.values.values()):
            raise NotFound("key", key, f'in the namespace "{namespace}"')
        return await admin.name_servers.delete_key(namespace, key)

    ask.show(delete_existing, changed("deleted at"))
