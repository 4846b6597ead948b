"""
ACL 1.0: accounts with permissions for topics and groups, as in ``plain_acl.yml``::

    globalWhiteRemoteAddresses:
      - 10.10.103.*
    accounts:
      - accessKey: RocketMQ
        secretKey: "12345678"
        whiteRemoteAddress:
        admin: false
        defaultTopicPerm: DENY
        defaultGroupPerm: SUB
        topicPerms:
          - topicA=PUB|SUB
        groupPerms:
          - groupA=SUB

An address of a white list needs no signature. Everyone else does; administration needs
an account with ``admin``. Apache RocketMQ requires that of five requests, and lets any
account send those that concern no topic or group; here all requests of administrators
require it.

Source: ``PlainPermissionManager`` and ``PlainPermissionChecker`` of RocketMQ 4.9.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

import msgspec

from rocketmq_tw.auth.addresses import Address, Matches, white_list
from rocketmq_tw.auth.errors import AccessDenied, BadPolicy
from rocketmq_tw.auth.signature import Key
from rocketmq_tw.model.access import Action, Need, ResourceKind
from rocketmq_tw.model.log_safe import log_safe

#: Characters that access keys and secret keys have at least.
SHORTEST_KEY = 7


class Permission(IntFlag):
    """The permission for a topic or a group."""

    DENY = 1
    PUB = 4
    SUB = 8


_WORDS = {
    "DENY": Permission.DENY,
    "PUB": Permission.PUB,
    "SUB": Permission.SUB,
    "PUB|SUB": Permission.PUB | Permission.SUB,
    "SUB|PUB": Permission.PUB | Permission.SUB,
}


class AccountText(msgspec.Struct, rename="camel", frozen=True):
    """An account as it is written in the file."""

    access_key: str | int
    secret_key: str | int
    white_remote_address: str | None = None
    admin: bool = False
    default_topic_perm: str | None = None
    default_group_perm: str | None = None
    topic_perms: list[str] | None = None
    group_perms: list[str] | None = None

    def __repr__(self) -> str:
        return f"AccountText({self.access_key!r}, ...)"


class AclText(msgspec.Struct, rename="camel", frozen=True):
    """A whole file."""

    global_white_remote_addresses: list[str] | None = None
    accounts: list[AccountText] | None = None


class Account(msgspec.Struct, frozen=True):
    """
    An account.

    :ivar key: makes the signatures of its requests.
    :ivar white: the addresses that need no signature; None for none.
    :ivar topics: the permission for each topic that is listed.
    """

    access_key: str
    key: Key
    is_admin: bool
    white: Matches | None
    default_topic: Permission
    default_group: Permission
    topics: dict[str, Permission]
    groups: dict[str, Permission]

    def __repr__(self) -> str:
        return f"Account({self.access_key!r}, ...)"

    def check(self, needs: Iterable[Need]) -> None:
        """:raises AccessDenied: the account may not do one of these."""
        if self.is_admin and not self.topics and not self.groups:
            return
        for need in needs:
            if not self._allows(need):
                default = "" if need.name in self._listed(need) else " default"
                what = f"{need.kind.value} {log_safe(need.name)}".strip()
                raise AccessDenied(f"No{default} permission for {what}")

    def _listed(self, need: Need) -> dict[str, Permission]:
        return self.topics if need.kind is ResourceKind.TOPIC else self.groups

    def _allows(self, need: Need) -> bool:
        """Whether the account may do this."""
        wanted = _permission(need)
        if wanted is None:
            return self.is_admin
        is_topic = need.kind is ResourceKind.TOPIC
        default = self.default_topic if is_topic else self.default_group
        owned = self._listed(need).get(need.name, default)
        return not owned & Permission.DENY and bool(owned & wanted)


def _permission(need: Need) -> Permission | None:
    """Return the permission that a need is about; None for administration."""
    if need.kind is ResourceKind.CLUSTER or need.name == "*":
        return None
    actions = set(need.actions)
    wanted = Permission(0)
    if Action.PUB in actions:
        wanted |= Permission.PUB
    if actions & {Action.SUB, Action.GET}:
        wanted |= Permission.SUB
    return wanted or None


class Acl(msgspec.Struct, frozen=True):
    """
    All accounts.

    :ivar white: what needs no signature.
    """

    accounts: dict[str, Account]
    white: tuple[Matches, ...] = ()

    def is_white(self, address: Address | None, access_key: str | None) -> bool:
        """Whether requests from an address need no signature."""
        if address is None:
            return False
        if any(matches(address) for matches in self.white):
            return True
        account = self.accounts.get(access_key or "")
        return (
            account is not None
            and account.white is not None
            and (account.white(address))
        )


def make_acl(texts: Iterable[AclText], most: int) -> Acl:
    """
    Combine files; the first account of a name counts.

    :param most: how many accounts there may be.
    :raises BadPolicy: one of them cannot be used; the text names the account.
    """
    accounts: dict[str, Account] = {}
    white: list[Matches] = []
    for text in texts:
        for pattern in text.global_white_remote_addresses or ():
            matches = white_list(pattern)
            if matches is not None:
                white.append(matches)
        for each in text.accounts or ():
            account = _account(each)
            accounts.setdefault(account.access_key, account)
    if len(accounts) > most:
        raise BadPolicy(
            f"there are over {most} accounts: the limit, maxAccessUsers in broker.conf"
        )
    return Acl(accounts, tuple(white))


def _account(text: AccountText) -> Account:
    """Return an account. :raises BadPolicy: it cannot be used."""
    key, secret = str(text.access_key), str(text.secret_key)
    if len(key) < SHORTEST_KEY or len(secret) < SHORTEST_KEY:
        raise BadPolicy(
            f'the account "{key[:80]}" has an accessKey or a secretKey of less than'
            f" {SHORTEST_KEY} characters"
        )
    return Account(
        access_key=key,
        key=Key(secret.encode()),
        is_admin=text.admin,
        white=white_list(text.white_remote_address or ""),
        default_topic=_word(text.default_topic_perm),
        default_group=_word(text.default_group_perm),
        topics=_permissions(key, text.topic_perms),
        groups=_permissions(key, text.group_perms),
    )


def _word(text: str | None) -> Permission:
    """Return a permission; what is not one permits nothing."""
    return _WORDS.get((text or "").strip(), Permission.DENY)


def _permissions(key: str, texts: list[str] | None) -> dict[str, Permission]:
    """Return the permissions of a list. :raises BadPolicy: one of them is not one."""
    found: dict[str, Permission] = {}
    for text in texts or ():
        name, equals, word = text.partition("=")
        if not equals or not name.strip() or word.strip() not in _WORDS:
            raise BadPolicy(
                f'the account "{key[:80]}" has "{text[:80]}"; expected name=PUB|SUB,'
                " PUB, SUB or DENY"
            )
        found[name.strip()] = _WORDS[word.strip()]
    return found
