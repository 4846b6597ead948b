"""
Users, resources, actions and addresses, and an oracle that says what is allowed.

The oracle looks at every rule in turn, by the words in which the rules are written. It
shares nothing with :mod:`rocketmq_tw.auth`. Apache RocketMQ's classes decide the same
cases in ``tests/interop/test_access.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rocketmq_tw.auth.policies import AclText, EntryText, PolicyText


class Rule(msgspec.Struct, frozen=True):
    """
    A rule of a user, in words.

    :ivar sources: ``10.0.0.0/8`` or one address; none for all.
    """

    policy: str
    resource: str
    actions: tuple[str, ...]
    is_allowed: bool = True
    sources: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """What a user does: one of these actions has to be allowed."""

    user: str
    resource: str
    actions: tuple[str, ...]
    address: str


def _custom(resource: str, actions: str, *sources: str, allow: bool = True) -> Rule:
    return Rule("Custom", resource, tuple(actions.split()), allow, sources)


def _default(resource: str, actions: str, *sources: str, allow: bool = True) -> Rule:
    return Rule("Default", resource, tuple(actions.split()), allow, sources)


#: What each user may do.
USERS: dict[str, tuple[Rule, ...]] = {
    "nobody": (),
    "literal": (_custom("Topic:order", "Pub"), _custom("Group:g1", "Sub Get")),
    "all": (_custom("*", "All"),),
    "all-but-one": (_custom("*", "All"), _custom("Topic:order", "Pub", allow=False)),
    "none-but-one": (_custom("*", "All", allow=False), _custom("Topic:order", "Pub")),
    "prefix": (_custom("Topic:order*", "Pub Sub"), _custom("Group:g*", "Sub")),
    "longest": (
        _custom("Topic:*", "All", allow=False),
        _custom("Topic:ord*", "Pub Sub"),
        _custom("Topic:order*", "Pub", allow=False),
        _custom("Topic:order-1*", "Pub"),
        _custom("Topic:order-12", "Pub", allow=False),
    ),
    "every-topic": (_custom("Topic:*", "Pub Sub"), _custom("*", "Sub", allow=False)),
    "cluster": (_custom("Cluster:C", "Get List"), _custom("Cluster:*", "Update")),
    "blacklist": (_default("*", "All"), _custom("Topic:order", "Pub", allow=False)),
    "whitelist": (_default("*", "All", allow=False), _custom("Topic:order*", "All")),
    "default": (
        _default("Topic:order*", "Pub"),
        _default("Topic:order", "Sub", allow=False),
        _default("Group:*", "Get"),
    ),
    "network": (
        _custom("Topic:order", "Pub", "10.0.0.0/8"),
        _custom("Topic:order*", "Pub", "192.168.1.7", "10.1.0.0/16"),
        _custom("*", "Get", "fe80::/10", "10.1.2.3"),
        _default("Topic:*", "Pub", "192.168.0.0/16"),
    ),
    "denied-network": (
        _custom("Topic:order", "All", "10.1.0.0/16", allow=False),
        _custom("*", "All"),
    ),
    "other-action": (
        _custom("Topic:order", "Delete", allow=False),
        _custom("Topic:order*", "Pub"),
        _default("Topic:*", "Sub Create"),
    ),
}
#: Users whose rules do not count.
SUPER, DISABLED, UNKNOWN = "super", "disabled", "unknown"

RESOURCES = (
    "Topic:order",
    "Topic:orders",
    "Topic:order-1",
    "Topic:order-12",
    "Topic:order-123",
    "Topic:ord",
    "Topic:Order",
    "Group:g1",
    "Group:G1",
    "Group:other",
    "Cluster:C",
    "Cluster:D",
)
ACTIONS = (
    ("Pub",),
    ("Sub",),
    ("Create",),
    ("Update",),
    ("Delete",),
    ("Get",),
    ("List",),
    ("Sub", "Get"),
    ("Pub", "Sub", "Get"),
)
ADDRESSES = ("10.1.2.3", "10.2.0.1", "192.168.1.7", "192.168.1.8", "fe80::7")


def cases() -> Iterator[Case]:
    """Return all combinations: more than nine thousand."""
    for user in (*USERS, SUPER, DISABLED, UNKNOWN):
        for resource in RESOURCES:
            for actions in ACTIONS:
                for address in ADDRESSES:
                    yield Case(user, resource, actions, address)


def is_allowed(case: Case) -> bool:
    """Return what should come of a case."""
    if case.user == SUPER:
        return True
    return decided(USERS.get(case.user, ()), case)


def decided(rules: Sequence[Rule], case: Case) -> bool:
    """Return what rules, of which none is about the same resource, say of a case."""
    for policy in ("Custom", "Default"):
        found = [r for r in rules if r.policy == policy and _is_about(r, case)]
        if found:
            return max(found, key=_weight).is_allowed
    return False


def _is_about(rule: Rule, case: Case) -> bool:
    """Whether a rule is about this resource, one of the actions, and the address."""
    if not ("All" in rule.actions or set(rule.actions) & set(case.actions)):
        return False
    if rule.sources and not any(_is_within(case.address, s) for s in rule.sources):
        return False
    if rule.resource.endswith("*"):
        return case.resource.startswith(rule.resource[:-1])
    return case.resource == rule.resource


def _weight(rule: Rule) -> tuple[bool, int, int, bool]:
    """Return what is larger for the rule that decides."""
    name = rule.resource.partition(":")[2]
    kind = 0 if name in ("", "*") else 1 if name.endswith("*") else 2
    return rule.resource != "*", kind, len(name), not rule.is_allowed


def _is_within(address: str, source: str) -> bool:
    """Whether an address is that of a rule, or in its network."""
    network, slash, length = source.partition("/")
    mine, theirs = _bits(address), _bits(network)
    count = int(length) if slash else len(theirs)
    return len(mine) == len(theirs) and mine[:count] == theirs[:count]


def _bits(address: str) -> str:
    """Return an address as zeros and ones."""
    if ":" not in address:
        return "".join(f"{int(part):08b}" for part in address.split("."))
    head, gap, tail = address.partition("::")
    left, right = head.split(":"), tail.split(":") if tail else []
    middle = ["0"] * (8 - len(left) - len(right)) if gap else []
    return "".join(f"{int(part, 16):016b}" for part in left + middle + right)


def acl_text(rules: Sequence[Rule], subject: str | None = None) -> AclText:
    """Return rules as requests have them."""
    policies = []
    for policy in ("Custom", "Default"):
        entries = [
            EntryText(
                list(rule.actions),
                "Allow" if rule.is_allowed else "Deny",
                rule.resource,
                list(rule.sources) or None,
            )
            for rule in rules
            if rule.policy == policy
        ]
        if entries:
            policies.append(PolicyText(entries, policy))
    return AclText(policies, subject)
