"""Tests of users and policies."""

from __future__ import annotations

import itertools
import random

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.addresses import parse_address
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import (
    Acl,
    AclText,
    EntryText,
    PolicyText,
    Resource,
    User,
    format_acl,
    parse_acl,
    username,
)
from rocketmq_tw.model.access import Action, Need, ResourceKind

HERE = parse_address("10.0.0.9")


def entry(
    resource: str, actions: str = "All", decision: str = "Allow", *sources: str
) -> EntryText:
    """Return an entry as in a request."""
    return EntryText(actions.split(), decision, resource, list(sources) or None)


def acl(*entries: EntryText, default: tuple[EntryText, ...] = ()) -> Acl:
    """Return what a user may do."""
    policies = [PolicyText(list(entries))] if entries else []
    if default:
        policies.append(PolicyText(list(default), "Default"))
    return parse_acl(AclText(policies))


def decide(found: Acl, what: str, action: str) -> bool | None:
    """Decide about something like ``Topic:orders``."""
    kind, _, name = what.partition(":")
    need = Need(ResourceKind(kind), name, (Action(action),))
    return found.decide(need, HERE)


class DecisionTests(SynchronousTestCase):
    """Which entry decides."""

    def test_closest_first(self) -> None:
        """A name before a beginning, a longer beginning first, any kind last."""
        found = acl(
            entry("*", decision="Deny"),
            entry("Topic:*"),
            entry("Topic:a*", decision="Deny"),
            entry("Topic:ab*"),
            entry("Topic:abc", decision="Deny"),
        )
        for what, expected in (
            ("Topic:abc", False),
            ("Topic:abd", True),
            ("Topic:ac", False),
            ("Topic:x", True),
            ("Group:x", False),
        ):
            self.assertIs(decide(found, what, "Pub"), expected, what)

    def test_actions(self) -> None:
        """An entry about other actions does not decide."""
        found = acl(entry("Topic:a", "Pub"), entry("Topic:*", "Sub", "Deny"))
        self.assertIs(decide(found, "Topic:a", "Pub"), True)
        self.assertIs(decide(found, "Topic:a", "Sub"), False)
        self.assertIsNone(decide(found, "Topic:a", "Create"))

    def test_default(self) -> None:
        """The default policy speaks where the custom one says nothing."""
        found = acl(entry("Topic:x", decision="Deny"), default=(entry("*"),))
        self.assertIs(decide(found, "Topic:x", "Pub"), False)
        self.assertIs(decide(found, "Topic:y", "Pub"), True)

    def test_sources(self) -> None:
        """An entry may count for some addresses only."""
        near = acl(entry("Topic:x", "Pub", "Allow", "10.0.0.0/8"))
        far = acl(entry("Topic:x", "Pub", "Allow", "11.0.0.1"))
        self.assertIs(decide(near, "Topic:x", "Pub"), True)
        self.assertIsNone(decide(far, "Topic:x", "Pub"))
        need = Need(ResourceKind.TOPIC, "x", (Action.PUB,))
        self.assertIsNone(near.decide(need, None))

    def test_all_names(self) -> None:
        """Only an entry about all names allows what uses all of them."""
        found = acl(entry("Topic:a*"), entry("Group:*"))
        self.assertIsNone(decide(found, "Topic:*", "List"))
        self.assertIs(decide(found, "Group:*", "List"), True)


def oracle(
    entries: list[tuple[str, str, str]], kind: str, name: str, action: str
) -> bool | None:
    """Decide as the documents of Apache RocketMQ say, by sorting all that match."""
    found = []
    for resource, actions, decision in entries:
        own_kind, _, own = resource.partition(":")
        if resource == "*":
            rank = (1, 2, 0)
        elif own_kind != kind:
            continue
        elif own == "*":
            rank = (0, 2, 0)
        elif own.endswith("*") and name.startswith(own[:-1]):
            rank = (0, 1, -len(own))
        elif own == name:
            rank = (0, 0, 0)
        else:
            continue
        if action in actions.split() or actions == "All":
            found.append((*rank, decision == "Allow"))
    return min(found)[3] if found else None


class MatrixTests(SynchronousTestCase):
    """Many policies and needs, against an oracle that works in another way."""

    RESOURCES = ("*", "Topic:*", "Topic:a*", "Topic:ab*", "Topic:ab", "Group:*")
    ACTIONS = ("All", "Pub", "Sub", "Pub Sub", "Get")
    NEEDS = tuple(
        itertools.product(("Topic", "Group"), ("a", "ab", "abc", "b"), ("Pub", "Sub"))
    )

    def test_matrix(self) -> None:
        """A hundred policies, sixteen needs each."""
        chance = random.Random(20)
        count = 0
        for _ in range(100):
            texts = [
                (name, chance.choice(self.ACTIONS), chance.choice(("Allow", "Deny")))
                for name in chance.sample(self.RESOURCES, chance.randint(1, 6))
            ]
            found = acl(*(entry(*each) for each in texts))
            for kind, name, action in self.NEEDS:
                decided = decide(found, f"{kind}:{name}", action)
                expected = oracle(texts, kind, name, action)
                self.assertIs(decided, expected, (texts, kind, name, action))
                count += 1
        self.assertGreater(count, 200)


class ChangeTests(SynchronousTestCase):
    """Requests add, replace and remove entries."""

    def test_merged(self) -> None:
        """An entry replaces that of the same resource; others are kept."""
        old = acl(entry("Topic:a", "Pub"), entry("Topic:b"))
        new = old.merged(acl(entry("Topic:a", "Sub", "Deny")))
        self.assertEqual(len(new), 2)
        self.assertIs(decide(new, "Topic:a", "Sub"), False)
        self.assertIsNone(decide(new, "Topic:a", "Pub"))

    def test_without(self) -> None:
        """One entry is removed; of the custom policy, if none is named."""
        found = acl(entry("Topic:a"), default=(entry("Topic:a"), entry("*")))
        resource = Resource.parse("Topic:a")
        self.assertEqual(len(found.without(None, resource)), 2)
        self.assertEqual(len(found.without("Default", resource)), 2)
        self.assertRaises(BadPolicy, found.without, "other", resource)

    def test_round_trip(self) -> None:
        """What is written is read again."""
        found = acl(
            entry("Topic:a*", "Pub Sub", "Deny", "10.0.0.0/8"), default=(entry("*"),)
        )
        text = format_acl("User:bob", found)
        self.assertEqual(parse_acl(text), found)
        self.assertEqual(username(text.subject or ""), "bob")

    def test_bad(self) -> None:
        """What cannot be used is refused, in the words of Apache RocketMQ."""
        for wrong, words in (
            (entry("Topic"), "The resource is null."),
            (entry("Other:x"), "The resource is null."),
            (entry("Topic:x", "Any"), "The actions can not be Any."),
            (entry("Topic:x", "Fly"), "The actions is unknown."),
            (entry("Topic:x", ""), "The actions is empty."),
            (entry("Topic:x", "Pub", "Maybe"), "The decision is null."),
            (entry("Topic:x", "Pub", "Deny", "nowhere"), "The source ip is invalid."),
            (entry("Topic:" + "x" * 256), "The resource has over 255 characters."),
        ):
            error = self.assertRaises(BadPolicy, acl, wrong)
            self.assertEqual(str(error), words)
        for text in (AclText(), AclText([PolicyText()]), AclText([PolicyText([])])):
            self.assertRaises(BadPolicy, parse_acl, text)
        self.assertRaises(BadPolicy, username, "Group:bob")

    def test_work(self) -> None:
        """A decision looks at the lengths of beginnings, not at all entries."""
        found = acl(*(entry(f"Topic:{i:04}*") for i in range(1000)))
        index = found._indexes[0]
        self.assertEqual(len(list(index.candidates(ResourceKind.TOPIC, "0500x"))), 1)
        self.assertEqual(index._lengths, {ResourceKind.TOPIC: [4]})

    def test_shows_no_secret(self) -> None:
        """A user's representation has no password."""
        self.assertNotIn("hidden", repr(User("bob", "hidden")))
