"""
ACL 2.0: users, and policies that say what each of them may do.

A policy is a list of entries; an entry allows or denies some actions on a resource::

    *              everything
    Topic:*        all topics
    Topic:order-*  topics whose names begin with "order-"
    Topic:orders   one topic

Who decides for a need of a request:

1. The entries of the ``Custom`` policy that match resource, action and address; if
   there are none, those of the ``Default`` policy. If there are none either, it is
   denied.
2. Of these, the first in this order: entries of a kind of resource before those of any;
   a whole name, then a beginning, then all names; a longer beginning first.
   Each policy has one entry for a resource.

A user of the type ``Super`` may do everything.

Source: ``AclAuthorizationHandler``, ``Policy``, ``PolicyEntry`` and ``Resource`` of
RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, IntEnum
from functools import cached_property

import msgspec

from rocketmq_tw.auth.addresses import Address, Matches, network
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.signature import Key
from rocketmq_tw.model.access import Action, Need, ResourceKind
from rocketmq_tw.model.log_safe import log_safe

#: Characters of a name of a user, and of a resource.
MAX_NAME = 255
#: Characters of a password.
MAX_PASSWORD = 1024
#: Addresses of one entry.
MAX_SOURCES = 32

_KINDS = {kind.value.lower(): kind for kind in ResourceKind}
_ACTIONS = {action.value.lower(): action for action in Action}


class UserType(Enum):
    """Whether policies apply to a user."""

    SUPER = "Super"
    NORMAL = "Normal"


class User(msgspec.Struct, frozen=True, dict=True):
    """A user."""

    username: str
    password: str
    user_type: UserType = UserType.NORMAL
    is_enabled: bool = True

    @cached_property
    def key(self) -> Key:
        """What makes the user's signatures."""
        return Key(self.password.encode())

    def __repr__(self) -> str:
        return f"User({self.username!r}, {self.user_type.value})"


class Pattern(IntEnum):
    """How a name is matched, in the order of precedence."""

    LITERAL = 0
    PREFIX = 1
    ANY = 2


class Resource(msgspec.Struct, frozen=True):
    """
    A resource of a policy.

    :ivar name: the name, or its beginning.
    """

    kind: ResourceKind
    pattern: Pattern
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Resource:
        """:raises BadPolicy: it is not a resource."""
        if text.strip() == "*":
            return cls(ResourceKind.ANY, Pattern.ANY)
        word, _, name = text.strip().partition(":")
        kind = _KINDS.get(word.lower())
        if kind is None or kind is ResourceKind.ANY or not name:
            raise BadPolicy("The resource is null.")
        if len(name) > MAX_NAME:
            raise BadPolicy(f"The resource has over {MAX_NAME} characters.")
        if name == "*":
            return cls(kind, Pattern.ANY)
        if name.endswith("*"):
            return cls(kind, Pattern.PREFIX, name[:-1])
        return cls(kind, Pattern.LITERAL, name)

    def __str__(self) -> str:
        if self.kind is ResourceKind.ANY:
            return "*"
        star = "" if self.pattern is Pattern.LITERAL else "*"
        return f"{self.kind.value}:{self.name}{star}"


class Entry(msgspec.Struct, frozen=True, dict=True):
    """
    One rule of a policy.

    :ivar sources: the addresses and networks for which it counts; empty for all.
    """

    resource: Resource
    actions: frozenset[Action]
    sources: tuple[str, ...]
    is_allowed: bool

    @cached_property
    def _matchers(self) -> tuple[Matches, ...]:
        return tuple(network(text) for text in self.sources)

    def check(self) -> None:
        """:raises BadPolicy: it cannot be used."""
        if not self.actions:
            raise BadPolicy("The actions is empty.")
        if len(self.sources) > MAX_SOURCES:
            raise BadPolicy(f"An entry has over {MAX_SOURCES} addresses.")
        assert len(self._matchers) == len(self.sources)

    def matches(self, need: Need, address: Address | None) -> bool:
        """Whether the entry, whose resource matches, is about this need from there."""
        if Action.ALL not in self.actions and self.actions.isdisjoint(need.actions):
            return False
        if not self.sources:
            return True
        return address is not None and any(each(address) for each in self._matchers)


class _Index:
    """
    The entries of one policy, found by resource.

    The cost of :meth:`candidates` depends on how many lengths prefixes have, and not on
    how many entries there are.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_resource = {entry.resource: entry for entry in entries}
        lengths: dict[ResourceKind, set[int]] = {}
        for resource in self._by_resource:
            if resource.pattern is Pattern.PREFIX:
                lengths.setdefault(resource.kind, set()).add(len(resource.name))
        self._lengths = {
            kind: sorted(found, reverse=True) for kind, found in lengths.items()
        }

    def candidates(self, kind: ResourceKind, name: str) -> Iterator[Entry]:
        """Return the entries that a resource matches, the first one to decide first."""
        get = self._by_resource.get
        found = [get(Resource(kind, Pattern.LITERAL, name))]
        for length in self._lengths.get(kind, ()):
            if length <= len(name):
                found.append(get(Resource(kind, Pattern.PREFIX, name[:length])))
        found.append(get(Resource(kind, Pattern.ANY)))
        found.append(get(Resource(ResourceKind.ANY, Pattern.ANY)))
        return (entry for entry in found if entry is not None)


class Acl(msgspec.Struct, frozen=True, dict=True):
    """
    What one user may do. Each policy has one entry for a resource.

    :ivar custom: counts first.
    :ivar default: counts where no entry of ``custom`` matches.
    """

    custom: tuple[Entry, ...] = ()
    default: tuple[Entry, ...] = ()

    @cached_property
    def _indexes(self) -> tuple[_Index, _Index]:
        return _Index(self.custom), _Index(self.default)

    def decide(self, need: Need, address: Address | None) -> bool | None:
        """Return whether something is allowed; None if no entry is about it."""
        for index in self._indexes:
            for entry in index.candidates(need.kind, need.name):
                if entry.matches(need, address):
                    return entry.is_allowed
        return None

    def merged(self, other: Acl) -> Acl:
        """Return it with the entries of another, which replace those that they can."""
        return Acl(
            _merged(self.custom, other.custom), _merged(self.default, other.default)
        )

    def without(self, policy_type: str | None, resource: Resource) -> Acl:
        """Return it without the entry of a resource in one policy."""
        # Like Apache RocketMQ: an absent type means the custom policy.
        kind = (policy_type or "").strip().lower() or "custom"
        if kind not in ("custom", "default"):
            raise BadPolicy("The policy type is unknown.")

        def left(entries: tuple[Entry, ...], name: str) -> tuple[Entry, ...]:
            if kind != name:
                return entries
            return tuple(each for each in entries if each.resource != resource)

        return Acl(left(self.custom, "custom"), left(self.default, "default"))

    def about(self, text: str) -> Acl:
        """Return it with the entries whose resources contain a text."""
        return Acl(
            tuple(each for each in self.custom if text in str(each.resource)),
            tuple(each for each in self.default if text in str(each.resource)),
        )

    def __len__(self) -> int:
        return len(self.custom) + len(self.default)


def _merged(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return the entries of both; one for a resource."""
    table = {entry.resource: entry for entry in old}
    table.update((entry.resource, entry) for entry in new)
    return tuple(table.values())


class UserText(msgspec.Struct, rename="camel", omit_defaults=True):
    """A user in a request or a response; absent fields are not changed."""

    username: str | None = None
    password: str | None = None
    user_type: str | None = None
    user_status: str | None = None

    def __repr__(self) -> str:
        return f"UserText({self.username!r}, ...)"


class EntryText(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """An entry, as in requests and documents."""

    actions: list[str] | None = None
    decision: str | None = None
    resource: str | None = None
    source_ips: list[str] | None = None


class PolicyText(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """A policy, as in requests and documents."""

    entries: list[EntryText] | None = None
    policy_type: str | None = None


class AclText(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """What one user may do, as in requests and documents."""

    policies: list[PolicyText] | None = None
    subject: str | None = None


def parse_acl(text: AclText) -> Acl:
    """:raises BadPolicy: an entry cannot be used."""
    found: dict[str, tuple[Entry, ...]] = {"custom": (), "default": ()}
    if not text.policies:
        raise BadPolicy("The policies is empty.")
    for policy in text.policies:
        kind = (policy.policy_type or "Custom").lower()
        if kind not in found:
            raise BadPolicy("The policy type is unknown.")
        if not policy.entries:
            raise BadPolicy("The policy entries is empty.")
        entries = tuple(_entry(each) for each in policy.entries)
        found[kind] = _merged(found[kind], entries)
    return Acl(found["custom"], found["default"])


def _entry(text: EntryText) -> Entry:
    """:raises BadPolicy: it cannot be used."""
    resource = Resource.parse(text.resource or "")
    actions = set()
    for word in text.actions or ():
        if word.strip().lower() == "any":
            raise BadPolicy("The actions can not be Any.")
        action = _ACTIONS.get(word.strip().lower())
        if action is None:
            raise BadPolicy("The actions is unknown.")
        actions.add(action)
    decision = (text.decision or "").strip().lower()
    if decision not in ("allow", "deny"):
        raise BadPolicy("The decision is null.")
    sources = tuple(each.strip() for each in text.source_ips or () if each.strip())
    entry = Entry(resource, frozenset(actions), sources, decision == "allow")
    entry.check()
    return entry


def format_acl(subject: str, acl: Acl) -> AclText:
    """Return what :func:`parse_acl` reads."""
    return AclText(
        [
            PolicyText([_format_entry(each) for each in entries], kind)
            for kind, entries in (("Custom", acl.custom), ("Default", acl.default))
            if entries
        ],
        subject,
    )


def _format_entry(entry: Entry) -> EntryText:
    """Return an entry as in requests and documents."""
    return EntryText(
        sorted(str(action) for action in entry.actions),
        "Allow" if entry.is_allowed else "Deny",
        str(entry.resource),
        list(entry.sources) or None,
    )


def check_user(name: str, password: str) -> None:
    """:raises BadPolicy: they cannot be those of a user."""
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadPolicy(f"The username has to have 1 to {MAX_NAME} characters")
    if not password:
        raise BadPolicy("password can not be blank")
    if len(password) > MAX_PASSWORD:
        raise BadPolicy(f"The password has over {MAX_PASSWORD} characters")


def username(subject: str) -> str:
    """Return the name in ``User:name``. :raises BadPolicy: it is not one."""
    kind, _, name = subject.partition(":")
    if kind.strip().lower() != "user" or not name:
        raise BadPolicy("The subject is null.")
    return name


def denied(user: str, need: Need, host: str, decision: bool | None) -> str:
    """Return the remark of a request that policies do not allow."""
    why = "no matched policies." if decision is None else "the decision is deny."
    return (
        f"User:{user} has no permission to access {need.kind.value}:"
        f"{log_safe(need.name)} from {host}, {why}"
    )
