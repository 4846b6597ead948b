"""
Changes of a file of ACL 1.0, as the requests of administrators ask for them.

A document is what :func:`~rocketmq_tw.auth.yaml_text.read_yaml` returns, so that what
is not known here survives a change. Comments do not, as with Apache RocketMQ.

Source: ``PlainPermissionManager.updateAccessConfig`` and those beside it, of 4.9.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rocketmq_tw.auth.errors import BadPolicy

Document = dict[str, Any]

_ACCOUNTS = "accounts"
_WHITE = "globalWhiteRemoteAddresses"
_VERSION = "dataVersion"


class Version(msgspec.Struct, frozen=True):
    """
    How often a file was changed by requests, and when.

    :ivar timestamp: ms; 0 if it never was.
    """

    counter: int = 0
    timestamp: int = 0


class AccountChange(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """
    What an account gets; fields that are None keep what they are.

    :ivar admin: always replaced, as by Apache RocketMQ.
    """

    access_key: str
    secret_key: str | None = None
    white_remote_address: str | None = None
    #: A default that is made is never omitted.
    admin: bool = msgspec.field(default_factory=bool)
    default_topic_perm: str | None = None
    default_group_perm: str | None = None
    topic_perms: list[str] | None = None
    group_perms: list[str] | None = None

    def __repr__(self) -> str:
        return f"AccountChange({self.access_key!r}, ...)"


def version_of(document: Document) -> Version:
    """Return the version of a file; the first one if it has none that can be used."""
    rows = document.get(_VERSION)
    row = rows[0] if isinstance(rows, list) and rows else None
    try:
        return msgspec.convert(row, Version)
    except msgspec.ValidationError:
        return Version()


def advance(document: Document, now_ms: int) -> None:
    """Give a file the next version."""
    version = Version(version_of(document).counter + 1, now_ms)
    document[_VERSION] = [msgspec.structs.asdict(version)]


def put_account(document: Document, change: AccountChange) -> None:
    """
    Change an account, or add it.

    :raises BadPolicy: it is a new one without a secret; or the file has no list.
    """
    accounts = _accounts(document)
    account = _find(accounts, change.access_key)
    if account is None:
        if not change.secret_key:
            raise BadPolicy("a new account needs a secretKey")
        account = {}
        accounts.append(account)
    account.update(msgspec.to_builtins(change))
    document[_ACCOUNTS] = accounts


def remove_account(document: Document, access_key: str) -> None:
    """:raises BadPolicy: there is no such account."""
    accounts = _accounts(document)
    account = _find(accounts, access_key)
    if account is None:
        raise BadPolicy(
            f"The accesskey[{access_key}] corresponding to accessConfig has been"
            " deleted failed. There is no such account."
        )
    accounts.remove(account)


def replace_white(document: Document, patterns: list[str]) -> None:
    """Replace the addresses that need no signature."""
    document[_WHITE] = patterns


def _accounts(document: Document) -> list[Any]:
    """:raises BadPolicy: they are not a list."""
    accounts = document.get(_ACCOUNTS)
    if accounts is None:
        return []
    if not isinstance(accounts, list):
        raise BadPolicy("the file has no list of accounts")
    return accounts


def _find(accounts: list[Any], access_key: str) -> Document | None:
    for each in accounts:
        if isinstance(each, dict) and str(each.get("accessKey")) == access_key:
            return each
    return None
