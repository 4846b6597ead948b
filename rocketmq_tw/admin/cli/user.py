"""``rocketmq-admin user``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from rocketmq_tw.admin.cli.invocation import Invocation, confirming, noun_of, verb
from rocketmq_tw.admin.cli.output import Output, changed
from rocketmq_tw.admin.results.users import UserDetails, UserSummary

if TYPE_CHECKING:
    from collections.abc import Iterable

noun = noun_of("user", "Users of ACL 2.0, and what each of them may do.")
#: What can be granted.
ACTIONS = ("Pub", "Sub", "Create", "Update", "Delete", "Get", "List", "All")
_password = click.option(
    "--password-file", metavar="FILE", help="Its password; without it, it is asked for."
)


def _draw_users(found: Iterable[UserSummary], output: Output) -> None:
    output.table(
        ["user", "super", "enabled", "brokers"],
        [[u.name, u.is_super, u.enabled, u.brokers] for u in found],
    )


@verb(noun, "list")
@click.argument("part", default="")
def list_(ask: Invocation, part: str) -> None:
    """List the users, or those whose names contain PART."""
    ask.show(lambda admin: admin.users.list(part), _draw_users)


@verb(noun, "show")
@click.argument("name")
def show(ask: Invocation, name: str) -> None:
    """Show a user, and what it may do."""

    def draw(found: UserDetails, output: Output) -> None:
        _draw_users(found.states, output)
        output.line()
        output.table(
            ["resource", "decision", "actions", "from", "default", "brokers"],
            [
                [
                    p.resource,
                    "allow" if p.allow else "deny",
                    p.actions,
                    p.sources or "anywhere",
                    p.is_default,
                    p.brokers,
                ]
                for p in found.permissions
            ],
        )

    ask.show(lambda admin: admin.users.get(name), draw)


@verb(noun, "create")
@click.argument("name")
@click.option("--super", "is_super", is_flag=True, help="It may do everything.")
@_password
def create(
    ask: Invocation, name: str, is_super: bool, password_file: str | None
) -> None:
    """Create a user at all brokers."""
    password = _given(password_file) or ask.secret(f"Password of {name!r}")
    ask.show(
        lambda admin: admin.users.create(name, password, is_super=is_super),
        changed("created at"),
    )


@verb(noun, "update")
@click.argument("name")
@click.option("--super/--normal", "is_super", default=None)
@click.option("--enable/--disable", "enabled", default=None, help="Let it in or not.")
@click.option("--password", "asks", is_flag=True, help="Ask for a new password.")
@click.option("--password-file", metavar="FILE", help="Its new password.")
def update(
    ask: Invocation,
    name: str,
    is_super: bool | None,
    enabled: bool | None,
    asks: bool,
    password_file: str | None,
) -> None:
    """Change a user at all brokers that have it; the rest stays as it is."""
    password = _given(password_file)
    if asks and password is None:
        password = ask.secret(f"New password of {name!r}")
    if password is None and is_super is None and enabled is None:
        raise click.UsageError("nothing to change is named")
    ask.show(
        lambda admin: admin.users.update(
            name, password=password, is_super=is_super, enabled=enabled
        ),
        changed("changed at"),
    )


@verb(noun, "delete")
@click.argument("name")
@confirming
def delete(ask: Invocation, name: str, yes: bool) -> None:
    """Delete a user, and what it may do."""
    ask.confirm(f"Delete the user {name!r}, and what it may do?", yes)
    ask.show(lambda admin: admin.users.delete(name), changed("deleted at"))


@verb(noun, "grant")
@click.argument("name")
@click.argument("resources", nargs=-1, required=True)
@click.option(
    "--action",
    "actions",
    multiple=True,
    required=True,
    type=click.Choice(ACTIONS, case_sensitive=False),
    help="What it may do; may be repeated.",
)
@click.option("--deny", is_flag=True, help="Forbid it instead.")
@click.option("--from", "sources", multiple=True, metavar="ADDRESS", help="Only there.")
def grant(
    ask: Invocation,
    name: str,
    resources: tuple[str, ...],
    actions: tuple[str, ...],
    deny: bool,
    sources: tuple[str, ...],
) -> None:
    """Let a user do something with RESOURCES: Topic:orders, Group:billing*, Cluster:*.

    What it may do with the same resource is replaced, the rest stays as it is.
    """
    ask.show(
        lambda admin: admin.users.grant(
            name, resources, actions, deny=deny, sources=sources
        ),
        changed("granted at"),
    )


@verb(noun, "revoke")
@click.argument("name")
@click.argument("resource", required=False)
@click.option("--all", "everything", is_flag=True, help="With all resources.")
@confirming
def revoke(
    ask: Invocation, name: str, resource: str | None, everything: bool, yes: bool
) -> None:
    """Take away what was granted to a user, or forbidden, with RESOURCE."""
    if (resource is None) != everything:
        raise click.UsageError("name a resource, or give --all")
    ask.confirm(f"Take away what {name!r} may do with {resource or 'all'}?", yes)
    ask.show(lambda admin: admin.users.revoke(name, resource), changed("revoked at"))


def _given(path: str | None) -> str | None:
    """Return the password in a file. :raises click.UsageError: there is none."""
    if path is None:
        return None
    from rocketmq_tw.settings import UnreadableSettings, read_line

    try:
        password = read_line(os.path.expanduser(path))
    except UnreadableSettings as error:
        raise click.UsageError(str(error)) from None
    if not password:
        raise click.UsageError(f"{path} is empty")
    return password
