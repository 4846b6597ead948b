"""
Users and policies of a broker (ACL 2.0), and the document that keeps them.

The document is ``access.json``, readable by the broker's own user only, as passwords
have to be kept in the clear: signatures are made with them. Each broker has its own;
tools write to every one.

Source: ``LocalAuthenticationMetadataProvider`` and
``LocalAuthorizationMetadataProvider`` of RocketMQ 5, which keep the same objects in
RocksDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rocketmq_tw.auth.errors import BadPolicy, TooMany
from rocketmq_tw.auth.policies import (
    Acl,
    AclText,
    User,
    UserType,
    check_user,
    format_acl,
    parse_acl,
    username,
)
from rocketmq_tw.wire.bodies.body import Body


class UserRow(Body, frozen=True):
    """A user in the document."""

    username: str
    password: str
    user_type: str = "Normal"
    user_status: str = "enable"

    def __repr__(self) -> str:
        return f"UserRow({self.username!r}, ...)"


class AccessDocument(Body, frozen=True):
    """The file ``access.json``."""

    users: tuple[UserRow, ...] = ()
    acls: tuple[AclText, ...] = ()


class UserTable:
    """
    The users, and what each of them may do.

    :param max_users: how many users there may be.
    :param max_entries: how many entries all of their policies may have together.
    :ivar version: grows with each change.
    """

    def __init__(self, max_users: int, max_entries: int) -> None:
        self._max_users = max_users
        self._max_entries = max_entries
        self._users: dict[str, User] = {}
        self._acls: dict[str, Acl] = {}
        self._entries = 0
        self._refused_users = self._refused_entries = 0
        self.version = 0

    def __len__(self) -> int:
        return len(self._users)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {
            "accessUsers": lambda: len(self),
            "accessUsersRefused": lambda: self._refused_users,
            "accessEntries": lambda: self._entries,
            "accessEntriesRefused": lambda: self._refused_entries,
        }

    def load(self, document: AccessDocument) -> None:
        """:raises BadPolicy: a row cannot be used."""
        for row in document.users:
            self.put(make_user(row))
        for text in document.acls:
            self.put_acl(username(text.subject or ""), parse_acl(text))

    def dump(self) -> AccessDocument:
        """Return what :meth:`load` reads."""
        users = tuple(map(_row, self.users()))
        acls = tuple(format_acl(f"User:{name}", acl) for name, acl in self.acls())
        return AccessDocument(users, acls)

    def get(self, name: str) -> User | None:
        """Return a user; None if there is none."""
        return self._users.get(name)

    def users(self) -> Iterable[User]:
        """Return all users, in the order of their names."""
        return [self._users[name] for name in sorted(self._users)]

    def put(self, user: User) -> None:
        """Add or replace a user. :raises TooMany: there are too many."""
        if user.username not in self._users and len(self) >= self._max_users:
            self._refused_users += 1
            raise TooMany("users", "maxAccessUsers", self._max_users)
        self._users[user.username] = user
        self.version += 1

    def delete(self, name: str) -> None:
        """Remove a user, and what it may do; it need not exist."""
        self._users.pop(name, None)
        self._set_acl(name, None)

    def acl(self, name: str) -> Acl | None:
        """Return what a user may do; None without any policy."""
        return self._acls.get(name)

    def acls(self) -> Iterator[tuple[str, Acl]]:
        """Return what each user may do, in the order of their names."""
        for name in sorted(self._acls):
            yield name, self._acls[name]

    def put_acl(self, name: str, acl: Acl) -> None:
        """
        Replace what a user may do; empty policies are removed.

        :raises BadPolicy: there is no such user.
        :raises TooMany: there are too many entries.
        """
        if name not in self._users:
            raise BadPolicy(f"The subject of User:{name} is not exist.")
        before = len(self._acls.get(name, ()))
        if len(acl) > before and self._entries + len(acl) - before > self._max_entries:
            self._refused_entries += 1
            raise TooMany("entries", "maxAccessEntries", self._max_entries)
        self._set_acl(name, acl)

    def delete_acl(self, name: str) -> None:
        """Remove all that a user may do."""
        self._set_acl(name, None)

    def _set_acl(self, name: str, acl: Acl | None) -> None:
        self._entries -= len(self._acls.pop(name, ()))
        if acl:
            self._acls[name] = acl
            self._entries += len(acl)
        self.version += 1


def make_user(row: UserRow) -> User:
    """:raises BadPolicy: it cannot be a user."""
    check_user(row.username, row.password)
    return User(
        username=row.username,
        password=row.password,
        user_type=user_type(row.user_type),
        is_enabled=is_enabled(row.user_status),
    )


def user_type(text: str) -> UserType:
    """:raises BadPolicy: there is no such type."""
    found = {"super": UserType.SUPER, "normal": UserType.NORMAL}.get(text.lower())
    if found is None:
        raise BadPolicy("The user type is unknown")
    return found


def is_enabled(text: str) -> bool:
    """Whether a status lets a user in. :raises BadPolicy: there is no such status."""
    if text.lower() not in ("enable", "disable"):
        raise BadPolicy("The user status is unknown")
    return text.lower() == "enable"


def _row(user: User) -> UserRow:
    return UserRow(
        username=user.username,
        password=user.password,
        user_type=user.user_type.value,
        user_status="enable" if user.is_enabled else "disable",
    )
